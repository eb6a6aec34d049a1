"""What type checkers know of `crmlab.call` is what the operations take; tests/typing is checked against it."""

from __future__ import annotations

import ast

from crmlab.providers import registry
from docs import calls


def test_what_type_checkers_know_of_operations_is_what_is_declared() -> None:
    assert calls.FILE.read_text(encoding="utf-8") == calls.written(), "run make names"


def test_every_operation_has_a_signature() -> None:
    tree = ast.parse(calls.written())
    names = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    declared = {each.name for provider in registry().values() for each in provider.operations()}

    assert declared <= names
