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
        lines_before = context.full_text.splitlines()[: context.cursor_line]
        code_before = "\n".join([*lines_before, context.text_until_cursor])
        beginning, matches = names(code_before)
        completions = [SimpleCompletion(text=match, type="text") for match in matches]
        return {
            "completions": completions,
            "matched_fragment": beginning,
            # without any of ours, others complete as ever
            "suppress": bool(completions),
        }

    shell.Completer.custom_matchers.append(crmlab_matcher)


def names(code: str) -> tuple[str, list[str]]:
    """Return the name that was begun at the end of the code, and what it can be."""
    last_text = _BEGUN.search(code)
    if not last_text:
        return "", []
    beginning = last_text[1]
    code_before = _without_closed(code[: last_text.end() - len(beginning)])
    call_match = _CALL.search(code_before)
    if not call_match:
        return beginning, []
    function = call_match[1]
    arguments_before = call_match[2].count(",")
    candidates = _known(function, arguments=arguments_before, own="." in beginning)
    return beginning, [name for name in candidates if name.startswith(beginning)]


def _without_closed(code: str) -> str:
    """Return code without what stands in brackets that are closed: commas in it part no arguments of the call."""
    shorter = _CLOSED.sub("", code)
    while shorter != code:
        code = shorter
        shorter = _CLOSED.sub("", code)
    return code


def _known(function: str, *, arguments: int, own: bool) -> Iterable[str]:
    """Return what can be named there; a provider's own records where its name is there already."""
    if function in _PROVIDERS:
        return registry()
    if arguments < _TABLES.get(function, arguments + 1):
        return ()
    if not own:
        return (*TABLES, *(f"{provider_name}." for provider_name in registry()))
    own_records = []
    for provider_name, provider in registry().items():
        for resource in provider.resources:
            own_records.append(f"{provider_name}.{resource.name}")
    return own_records
