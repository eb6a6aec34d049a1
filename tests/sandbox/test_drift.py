"""The services as they may be instead: what differs, and what a fetch makes of it."""

from __future__ import annotations

import pytest

import crmlab
from crmlab.errors import UsageError
from crmlab.sandbox import differences
from crmlab.sandbox.drift import DIFFERENCES, chosen


def test_differences_are_chosen_by_name_or_all_that_go_together() -> None:
    together = [each.name for each in chosen(True)]

    assert [each.name for each in chosen("envelope, page_cap")] == [
        each.name for each in chosen(["page_cap", "envelope"])
    ]
    assert [each.name for each in chosen("bom")] == ["bom"]
    assert together == [name for name, what in differences().items() if not what.endswith("*")]
    assert len(together) > len(DIFFERENCES) / 2
    assert chosen(False) == ()


def test_a_difference_that_is_not_known_is_said_at_once() -> None:
    with pytest.raises(UsageError, match="unknown difference 'page_cup'; did you mean 'page_cap'"):
        crmlab.sandbox(drift="page_cup")
