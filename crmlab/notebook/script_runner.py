"""Runs the code that the explorer shows: these lines and no others."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any


class ScriptRunner:
    """Runs scripts on the same variables; what an analysis prepares for them is computed once.

    Only lines before the answer are kept, who is who among the contacts for one. They stand in every
    script alike, since choices stand in other lines.
    """

    def __init__(self, **variables: Any) -> None:
        self._variables = variables
        self._kept: dict[str, Any] = {}

    def run(self, script: str) -> Iterator[tuple[str, Any]]:
        """Return ``"figure"`` and then ``"numbers"``, each with its value as soon as it is there."""
        variables = dict(self._variables)
        for statement in ast.parse(script).body:
            match statement:
                case ast.Assign(targets=[ast.Name(id="figure" | "numbers" as answer)]):
                    _execute(statement, variables)
                    yield answer, variables[answer]
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as made) if (
                    _is_analysis(made)
                ):
                    # the line says all that its value depends on: it is known by its text
                    line_text = ast.unparse(statement)
                    if line_text not in self._kept:
                        _execute(statement, variables)
                        self._kept[line_text] = variables[name]
                    variables[name] = self._kept[line_text]
                case _:
                    _execute(statement, variables)


def _is_analysis(call: ast.Call) -> bool:
    return ast.unparse(call.func).startswith("analysis.")


def _execute(statement: ast.stmt, names: dict[str, Any]) -> None:
    compiled = compile(ast.Module([statement], []), "<explorer>", "exec")
    exec(compiled, names)  # noqa: S102  # written by `crmlab.catalogue.script`, choices stand in it as literals
