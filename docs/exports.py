"""Write what `crmlab.analysis` and `crmlab.plots` export, out of what their modules call public: ``make names``."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "crmlab"
#: the rooms whose public functions all stand in the room itself
ROOMS = ("analysis", "plots")
_LINE_LENGTH = 100


def written(room: str) -> str:
    """Return the room's ``__init__``, as ruff would format it; what it says in words stays."""
    init = PACKAGE / room / "__init__.py"
    text = init.read_text(encoding="utf-8")
    docstring, *statements = ast.parse(text).body
    assert docstring.end_lineno

    imports = {module: _import(room, module, names) for module, names in public_names(room).items()}
    for statement in statements:
        # a module without functions of its own keeps the lines that were written by hand
        if isinstance(statement, ast.ImportFrom) and statement.module:
            module = statement.module.rpartition(".")[2]
            if not public_names(room).get(module):
                imports[module] = imports.get(module, "") + _source(text, statement)

    words = "".join(text.splitlines(keepends=True)[: docstring.end_lineno])
    lines = "".join(imports[module] for module in sorted(imports))
    exported = sorted(name for names in public_names(room).values() for name in names)
    listed = "".join(f'    "{name}",\n' for name in exported)
    return f"{words}\n{lines}\n__all__ = [\n{listed}]\n"


def public_names(room: str) -> dict[str, list[str]]:
    """Return the ``__all__`` of each module of a room that has one."""
    found = {}
    for path in sorted((PACKAGE / room).glob("[!_]*.py")):
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
                found[path.stem] = sorted(ast.literal_eval(statement.value))
    return found


def _import(room: str, module: str, names: list[str]) -> str:
    line = f"from crmlab.{room}.{module} import {', '.join(names)}\n"
    if len(line) <= _LINE_LENGTH + 1:
        return line
    parts = "".join(f"    {name},\n" for name in names)
    return f"from crmlab.{room}.{module} import (\n{parts})\n"


def _source(text: str, statement: ast.stmt) -> str:
    """Return the lines of a statement, with the comment behind it."""
    lines = text.splitlines(keepends=True)
    return "".join(lines[statement.lineno - 1 : statement.end_lineno])


if __name__ == "__main__":
    for each in ROOMS:
        (PACKAGE / each / "__init__.py").write_text(written(each), encoding="utf-8")
