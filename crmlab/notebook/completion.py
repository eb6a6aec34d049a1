"""Names of tables and providers when Tab is pressed in IPython or Jupyter, after ``%load_ext crmlab``.

Editors take them from `crmlab.schema.names`; IPython, and jedi in it, complete no text in a call but names of files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from crmlab.providers import registry
from crmlab.schema import TABLES

#: arguments before the names of tables
_TABLES = {"fetch": 1, "fetch_to": 2, "plan": 1}
_PROVIDERS = ("Account", "login")
#: a text at the end that was begun as an argument of its own
_BEGUN = re.compile(r"[(,]\s*[\"']([\w.]*)$")
_CLOSED = re.compile(r"\([^()\[\]]*\)|\[[^()\[\]]*\]")
_CALL = re.compile(r"\bcrmlab\.(\w+)\(([^()\[\]]*)$")


def load(shell: Any) -> None:
    """Let the shell complete names in calls of crmlab."""
    from IPython.core.completer import SimpleCompletion, context_matcher  # noqa: PLC0415  # where it runs, it is there

    @context_matcher()  # type: ignore[untyped-decorator]
    def crmlab_matcher(context: Any) -> dict[str, Any]:
        before = context.full_text.splitlines()[: context.cursor_line]
        begun, found = names("\n".join([*before, context.text_until_cursor]))
        completions = [SimpleCompletion(text=name, type="text") for name in found]
        return {
            "completions": completions,
            "matched_fragment": begun,
            "suppress": bool(completions),
        }

    shell.Completer.custom_matchers.append(crmlab_matcher)


def names(code: str) -> tuple[str, list[str]]:
    """Return the name that was begun at the end of the code, and what it can be."""
    if not (begun := _BEGUN.search(code)):
        return "", []
    start, code = begun[1], code[: begun.end() - len(begun[1])]
    while (shorter := _CLOSED.sub("", code)) != code:
        code = shorter
    if not (call := _CALL.search(code)):
        return start, []
    known = _known(call[1], arguments=call[2].count(","), own="." in start)
    return start, [name for name in known if name.startswith(start)]


def _known(function: str, *, arguments: int, own: bool) -> Iterable[str]:
    """Return what can be named there; a provider's own records where its name is there already."""
    if function in _PROVIDERS:
        return registry()
    if arguments < _TABLES.get(function, arguments + 1):
        return ()
    if own:
        return (
            f"{name}.{resource.name}"
            for name, provider in registry().items()
            for resource in provider.resources
        )
    return (*TABLES, *(f"{name}." for name in registry()))
