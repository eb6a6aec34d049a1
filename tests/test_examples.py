"""Every function that people call has an example in its docstring, and the example is run with the tests."""

from __future__ import annotations

import doctest
import inspect
from collections.abc import Callable
from typing import Any

import pytest

import crmlab
from crmlab import analysis, plots

#: what people make themselves; other classes are what a function returns, and its example shows them
MADE = ("Account", "Client", "Lake", "Limits", "Timeouts")
METHODS = {
    f"Fetched.{name}": getattr(crmlab.Fetched, name) for name in ("export", "masked", "report")
}
CORE = {name: getattr(crmlab, name) for name in crmlab.__all__}
SHOWN: dict[str, Callable[..., Any]] = {
    **{name: value for name, value in CORE.items() if inspect.isroutine(value) or name in MADE},
    **METHODS,
    **{f"analysis.{name}": getattr(analysis, name) for name in analysis.__all__},
    **{f"plots.{name}": getattr(plots, name) for name in plots.__all__},
}


def examples(named: Callable[..., Any]) -> list[doctest.Example]:
    return doctest.DocTestParser().get_examples(inspect.getdoc(named) or "")


@pytest.mark.parametrize("name", SHOWN)
def test_what_people_call_has_an_example_that_is_run(name: str) -> None:
    run = [each for each in examples(SHOWN[name]) if not each.options.get(doctest.SKIP)]
    called = name.rsplit(".", 1)[-1]

    assert any(f"{called}(" in each.source for each in run), (
        f"show how {name} is called, and what comes of it"
    )
    assert any(each.want for each in run), (
        f"show what comes of {name}: an example that returns nothing proves little"
    )


@pytest.mark.parametrize("name", SHOWN)
def test_no_example_is_left_out(name: str) -> None:
    left_out = [each.source for each in examples(SHOWN[name]) if each.options.get(doctest.SKIP)]

    assert left_out == [], "an example that is not run is soon untrue"


def test_every_function_of_the_core_is_looked_at() -> None:
    assert {
        "fetch",
        "fetch_to",
        "plan",
        "call",
        "login",
        "open",
        "sandbox",
        "push",
        "Fetched.export",
    } <= SHOWN.keys()
