"""How a fault gets into a module that others have imported: their functions get its code, in place of the old."""

from __future__ import annotations

import ast
import sys
from types import FunctionType, MemberDescriptorType
from typing import Any


def put(tree: ast.Module, name: str) -> None:
    """Make the module `name`, which is loaded, do what this source says."""
    module = sys.modules[name]
    old = dict(vars(module))
    new: dict[str, Any] = {**old}
    exec(compile(tree, str(module.__file__), "exec", dont_inherit=True), new)
    for each, value in new.items():
        if each in old and not each.startswith("__") and not _takes_over(old[each], value):
            _replace(each, old[each], value)


def _takes_over(old: Any, new: Any) -> bool:
    """Give the old function, or the functions of the old class, the new code; return whether it is one."""
    functions = [getattr(each, "__wrapped__", each) for each in (old, new)]
    if all(isinstance(each, FunctionType) for each in functions):
        _recode(*functions)
        return True
    if isinstance(old, type) and isinstance(new, type):
        for name, value in vars(new).items():
            _put_member(old, name, value)
        return True
    return False


def _put_member(owner: type, name: str, value: Any) -> None:
    before = vars(owner).get(name)
    if isinstance(before, property):
        _recode(before.fget, value.fget)
    elif isinstance(before, FunctionType):
        _recode(before, value)
    elif not name.startswith("__") and not isinstance(value, MemberDescriptorType):
        # a slot is of its own class, and holds no code
        setattr(owner, name, value)


def _recode(old: Any, new: Any) -> None:
    # the defaults of a dataclass are in the closure of its constructor; the class itself stays the old one
    for name, before, after in zip(
        old.__code__.co_freevars, old.__closure__ or (), new.__closure__ or (), strict=True
    ):
        if name != "__class__":
            before.cell_contents = after.cell_contents
    old.__code__ = new.__code__
    old.__defaults__ = new.__defaults__
    old.__kwdefaults__ = new.__kwdefaults__


def _replace(name: str, old: Any, new: Any) -> None:
    """Put the value of a name in the place of the old one, wherever it was imported."""
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", {})
        if names.get(name) is old:
            names[name] = new
