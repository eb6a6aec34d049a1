"""What each service says that it takes is there: columns of the table, operations, lists."""

from __future__ import annotations

import inspect

import pytest

import crmlab
from crmlab.connector import Entry, Target
from crmlab.providers import registry
from crmlab.schema import TABLES

TARGETS = [
    (provider.name, target) for provider in registry().values() for target in provider.targets()
]


@pytest.mark.parametrize(
    ("name", "target"), TARGETS, ids=[f"{name}-{target.table}" for name, target in TARGETS]
)
def test_a_target_names_columns_operations_and_lists_that_are_there(
    name: str, target: Target
) -> None:
    provider = registry()[name]
    operations = {each.name: each for each in provider.operations()}

    assert target.columns.keys() <= TABLES[target.table].columns.keys()
    assert not {*target.own_fields} & TABLES[target.table].columns.keys() - {"title"}
    assert {*target.merged, *target.always_sent} <= target.columns.keys()
    for operation in (target.follow, target.current_operation):
        assert not operation or len(operations[operation].path_parts()) == 1
    assert not target.current_resource or provider.resource(target.current_resource)
    for id_ in (None, "1"):
        try:
            asked, _ = target.ask(
                [Entry(id_, {"email": "a@example.com", "contact_id": "1", "name": "N"})], {}
            )
        except crmlab.errors.UsageError:
            continue
        assert operations[asked].writes
        assert target.repeatable == operations[asked].repeatable


def test_no_argument_of_an_operation_is_hidden_by_one_of_call() -> None:
    ours = inspect.signature(crmlab.call).parameters.keys() - {"arguments"}
    named = {
        argument.name
        for provider in registry().values()
        for each in provider.operations()
        for argument in each.arguments()
    }

    assert not ours & named
