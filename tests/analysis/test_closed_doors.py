"""The law of closed doors: no column of the user's own changes an answer, whatever it is called.

The names are those that the analyses use inside themselves, read from their source. All of them are added at once to
every frame that a question is given; where the answer changes, the culprit is looked for.
"""

from __future__ import annotations

import ast
import datetime as dt
import inspect
import typing
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from crmlab import Fetched, analysis, plots
from crmlab.catalogue import CATALOGUE, GIVEN, variables_of
from crmlab.errors import UsageError

Maker = Callable[[pl.DataFrame], pl.Series]

#: what is called besides the questions of the catalogue: every other analysis, and every optional frame or mapping
CASES = (
    "ageing(deals, as_of=as_of, history=history)",
    "activities_after_opt_out(activities, consent_events, people, as_of=as_of, channels={'send': 'email'})",
    "consent_kinds(consent_events)",
    "consent_rate(consent_events, as_of=as_of, subscriptions=subscriptions, contacts=contacts)",
    "coverage(deals, quota, since='2026-01-01', until='2027-01-01')",
    "current_consent(consent_events, as_of=as_of)",
    "current_consent(consent_events, as_of=as_of, subject='email', subscriptions=subscriptions, contacts=contacts)",
    "days_since_last_touch(contacts, activities, as_of=as_of)",
    "evidence(contacts).sort(pl.all())",
    "evidence_left_out(evidence)",
    "evidence_links(evidence)",
    "kaplan_meier(spells)",
    "loss_reasons(deals, names={'a': 'b'})",
    "people(contacts)",
    "same_name(contacts, people)",
    "slippage([(earlier_at, before), (as_of, deals)])",
    "stage_history([(earlier_at, before), (as_of, deals)])",
    "stage_win_rates(history)",
    "weighted_pipeline(deals, as_of=as_of, probability=probability)",
    "weighted_pipeline(deals, as_of=as_of, probability={10: 0.25, 25: 0.5, 50: 0.5})",
    "weighted_pipeline(deals, as_of=as_of, probability=stage_win_rates)",
    "with_band(curve)",
    "with_owner(activities, users).select('id', 'owner')",
    "with_owner(contacts, users).select('id', 'owner')",
    "with_owner(deals, users).select('id', 'owner')",
)
CALLS = (*CASES, *(f"{entry.name}({entry.arguments})" for entry in CATALOGUE.values()))
MAKERS: dict[str, Maker] = {
    "text": lambda frame: pl.select(
        pl.format("mine {}", pl.int_range(frame.height) % 7)
    ).to_series(),
    "number": lambda frame: pl.select(pl.int_range(frame.height, dtype=pl.Int64) % 7).to_series(),
}


def inner_names(room: ModuleType) -> list[str]:
    """Return every text and keyword in the source of a room that can be the name of a column."""
    found: set[str] = set()
    for path in Path(room.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and node.value.isidentifier()
            ):
                found.add(node.value)
            if isinstance(node, ast.keyword) and node.arg:
                found.add(node.arg)
    return sorted(found)


NAMES = inner_names(analysis)
OF_FIGURES = inner_names(plots)


@pytest.fixture(scope="module")
def variables(fetched: Fetched, earlier: Fetched) -> dict[str, Any]:
    """Return what the calls read."""
    known: dict[str, Any] = {
        **fetched,
        "data": fetched,
        "earlier": earlier,
        "time_zone": "Europe/Berlin",
    }
    known["quota"] = dict.fromkeys(fetched.deals["currency"].drop_nulls().unique(), 200000.0)
    known["earlier_at"] = earlier.fetched_at
    for name, code in GIVEN.items():
        known[name] = eval(code, {"analysis": analysis}, known)
    known["evidence"] = analysis.evidence(fetched.contacts)
    known["stage_win_rates"] = analysis.stage_win_rates(known["history"])
    known["probability"] = pl.DataFrame({"stage": [10, 25, 50], "probability": [0.1, 0.25, 0.5]})
    known["spells"] = pl.DataFrame(
        {"duration": [1.0, 2.0, 2.0, 5.0], "ended": [True, True, False, True]}
    )
    known["curve"] = analysis.kaplan_meier(known["spells"])
    #: frames with columns of all names, by variable and kind
    known["made"] = {}
    return known


def called(call: str, variables: dict[str, Any]) -> pl.DataFrame:
    found: pl.DataFrame = eval(
        f"analysis.{call}", {"analysis": analysis, "dt": dt, "pl": pl}, variables
    )
    return found


def with_extras(
    variables: dict[str, Any], call: str, names: Sequence[str], kind: str
) -> dict[str, Any]:
    """Return the variables of a call, its frames with columns of these names beside their own."""
    mine = dict(variables)
    for variable in variables_of(f"analysis.{call}"):
        if isinstance(variables.get(variable), pl.DataFrame):
            mine[variable] = extended(variables, variable, names, kind)
    return mine


def extended(
    variables: dict[str, Any], variable: str, names: Sequence[str], kind: str
) -> pl.DataFrame:
    """Return one frame with the columns; that with all names is made once for all tests."""
    made: dict[tuple[str, str], pl.DataFrame] = variables["made"]
    if names is NAMES and (variable, kind) in made:
        return made[variable, kind]
    frame = variables[variable]
    columns = documented(variable, frame)
    values = MAKERS[kind](frame)
    wide = frame.with_columns(values.alias(name) for name in names if name not in columns)
    if names is NAMES:
        made[variable, kind] = wide
    return wide


def documented(variable: str, frame: pl.DataFrame) -> set[str]:
    """Return the columns that a frame has, or may have: those are not the user's own."""
    optional = (
        {"provider", "account", "pipeline_id", "probability_from"}
        if variable == "probability"
        else set()
    )
    return set(frame.columns) | optional


def changes(
    call: str, variables: dict[str, Any], expected: pl.DataFrame, names: Sequence[str], kind: str
) -> bool:
    try:
        assert_frame_equal(called(call, with_extras(variables, call, names, kind)), expected)
    except Exception:  # noqa: BLE001  # whatever is raised: without these columns it is not
        return True
    return False


def culprit(is_wrong: Callable[[Sequence[str]], bool], names: Sequence[str]) -> Sequence[str]:
    """Return few names that are wrong by themselves, found by halving."""
    while len(names) > 1:
        middle = len(names) // 2
        halves = [half for half in (names[:middle], names[middle:]) if is_wrong(half)]
        if not halves:
            return names
        names = halves[0]
    return names


def test_there_are_many_names_and_each_of_the_known_ones() -> None:
    assert len(NAMES) >= 200
    assert {
        "decision",
        "person_id",
        "probability",
        "decided_at",
        "owner",
        "duration",
        "row",
    } <= set(NAMES)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("call", CALLS)
def test_no_column_of_the_users_own_changes_an_answer(
    call: str, kind: str, variables: dict[str, Any]
) -> None:
    expected = called(call, variables)
    is_wrong = partial(changes, call, variables, expected, kind=kind)

    assert not expected.is_empty(), (
        "an answer that is empty proves nothing: give it something to find"
    )
    assert not is_wrong(NAMES), (
        f"columns {culprit(is_wrong, NAMES)} change {call}: let it read its frame by crmlab.analysis.inputs.read"
    )


@pytest.mark.parametrize("name", CATALOGUE)
def test_no_column_of_the_users_own_changes_a_figure(name: str, variables: dict[str, Any]) -> None:
    entry = CATALOGUE[name]
    call = f"{name}({entry.arguments})"

    mine = entry.draw(with_extras(variables, call, NAMES, "text"))

    assert mine.to_json() == entry.draw(variables).to_json()


# ---- what `by` names ----------------------------------------------------------------------------

GROUPED = {
    "win_rate": "win_rate(deals, by=by)",
    "cycle_length": "cycle_length(deals, by=by)",
    "sales_velocity": "sales_velocity(deals, as_of=as_of, by=by)",
    "loss_reasons": "loss_reasons(deals, by=by)",
    "response_time": "response_time(contacts, activities, as_of=as_of, by=by)",
    "consent_rate": "consent_rate(consent_events, as_of=as_of, by=by)",
    "consent_survival": "consent_survival(consent_events, as_of=as_of, by=by)",
    "confirmation_rate": "confirmation_rate(consent_events, as_of=as_of, by=by)",
    "time_to_confirm": "time_to_confirm(consent_events, as_of=as_of, by=by)",
    "documentation_coverage": "documentation_coverage(consent_events, as_of=as_of, by=by)",
    "consent_coverage_of_pipeline": "consent_coverage_of_pipeline(deals, consent_events, people, as_of=as_of, by=by)",
    "kaplan_meier": "kaplan_meier(spells, by=by)",
    "with_band": "with_band(curve, by=by)",
}
#: of the service's own columns only
_OF_ITS_OWN = {"banner_rates"}


def test_every_analysis_that_groups_is_in_the_table() -> None:
    grouping = {
        name
        for name in analysis.__all__
        if "by" in inspect.signature(getattr(analysis, name)).parameters
    }

    assert grouping == GROUPED.keys() | _OF_ITS_OWN


def few_names(call: str, room: ModuleType, names: Sequence[str], every: int) -> Iterator[str]:
    """Return the names that are nearest to a call: those of its module, and one in so many of the others."""
    module = inspect.getmodule(inspect.unwrap(getattr(room, call.partition("(")[0])))
    assert module
    source = inspect.getsource(module)
    for place, name in enumerate(names):
        if f'"{name}"' in source or place % every == 0:
            yield name


@pytest.mark.parametrize("name", GROUPED)
def test_a_column_is_grouped_by_whatever_it_is_called(name: str, variables: dict[str, Any]) -> None:
    call = GROUPED[name]
    first = variables_of(f"analysis.{call}")[0]
    frame = variables[first]
    groups = MAKERS["text"](frame)
    expected = called(
        call, {**variables, first: frame.with_columns(groups.alias("my_own")), "by": "my_own"}
    )
    asked = 0

    for column in few_names(call, analysis, NAMES, every=5):
        if column in frame.columns:
            continue
        mine = {**variables, first: frame.with_columns(groups.alias(column)), "by": column}
        if column in expected.columns:
            with pytest.raises(
                UsageError, match=f"by='{column}': the answer has a column {column} of its own"
            ):
                called(call, mine)
        else:
            assert_frame_equal(called(call, mine), expected.rename({"my_own": column}))
            asked += 1
    assert asked > 40


@pytest.mark.parametrize("name", [name for name in GROUPED if name in CATALOGUE])
def test_a_figure_of_groups_is_the_same_whatever_they_are_called(
    name: str, variables: dict[str, Any]
) -> None:
    call = GROUPED[name]
    first = variables_of(f"analysis.{call}")[0]
    frame = variables[first]
    of_answer = {"by": "my_own", first: frame.with_columns(my_own=MAKERS["text"](frame))}
    taken = {*frame.columns, *called(call, variables | of_answer).columns}
    expected = drawn(call, variables | of_answer)

    for column in few_names(
        call, plots, [name for name in OF_FIGURES if name not in taken], every=15
    ):
        mine = {"by": column, first: frame.with_columns(MAKERS["text"](frame).alias(column))}
        assert drawn(call, variables | mine) == expected, column


def drawn(call: str, variables: dict[str, Any]) -> str:
    """Return the traces of a figure, without its title, which names the column."""
    figure: Any = eval(f"plots.{call}", {"plots": plots}, variables)
    return str(figure.to_dict()["data"])


# ---- signatures ---------------------------------------------------------------------------------

#: how a figure is drawn is no matter of its numbers
_OF_THE_DRAWING = {"measure"}
_SHARED = ("by", "every", "as_of", "time_zone")


def parameters_of(function: Any) -> dict[str, tuple[Any, Any, Any]]:
    return {
        name: (parameter.kind, parameter.default, parameter.annotation)
        for name, parameter in inspect.signature(function).parameters.items()
    }


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_figure_takes_what_its_numbers_take(name: str) -> None:
    of_figure = parameters_of(getattr(plots, name))
    drawn = {
        parameter: how for parameter, how in of_figure.items() if parameter not in _OF_THE_DRAWING
    }

    assert drawn == parameters_of(getattr(analysis, name))
    assert list(drawn) == list(parameters_of(getattr(analysis, name)))


@pytest.mark.parametrize("parameter", _SHARED)
def test_a_parameter_is_the_same_everywhere(parameter: str) -> None:
    found = {
        parameters_of(getattr(analysis, name))[parameter]
        for name in analysis.__all__
        if parameter in inspect.signature(getattr(analysis, name)).parameters
    }

    if parameter == "as_of":
        # where an answer need not depend on it, it may be left out: then what is planned counts, too
        found.discard((inspect.Parameter.KEYWORD_ONLY, None, "TimeLike | None"))

    assert len(found) == 1
    assert {kind for kind, _, _ in found} == {inspect.Parameter.KEYWORD_ONLY}


def test_every_analysis_and_every_optional_frame_or_mapping_is_called_here() -> None:
    used: dict[str, set[str]] = {}
    for call in CALLS:
        for node in ast.walk(ast.parse(call)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                function = getattr(analysis, node.func.id)
                positional = list(inspect.signature(function).parameters)[: len(node.args)]
                names = {keyword.arg or "" for keyword in node.keywords} | set(positional)
                used.setdefault(node.func.id, set()).update(names)

    for name in analysis.__all__:
        assert name in used, f"write a call of {name} into CASES"
        hints = typing.get_type_hints(getattr(analysis, name))
        for parameter in inspect.signature(getattr(analysis, name)).parameters:
            is_data = any(word in str(hints[parameter]) for word in ("DataFrame", "Mapping"))
            assert not is_data or parameter in used[name], (
                f"write a call of {name} with {parameter}= into CASES"
            )
