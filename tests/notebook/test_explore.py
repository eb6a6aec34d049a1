"""The explorer without a browser: its widgets are driven by their values, and what it shows is looked at."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import plotly.io
import polars as pl
import pytest

import crmlab
from crmlab import Fetched, Stored, analysis
from crmlab import notebook as room
from crmlab.catalogue import CATALOGUE, SECTIONS
from crmlab.errors import UsageError
from crmlab.notebook import Explorer
from crmlab.schema.asked import Asked
from crmlab.schema.tables import TABLES, conform

PLOTLY = "application/vnd.plotly.v1+json"
QUOTA = {"EUR": 1e6, "USD": 1e6, "GBP": 1e6}


@pytest.fixture(autouse=True)
def notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are bundled as in a notebook."""
    monkeypatch.setattr(plotly.io.renderers, "default", "plotly_mimetype")


def explore(*data: Any, **more: Any) -> Explorer:
    """Return the panel, which waits for no further changes."""
    panel = crmlab.explore(*data, **more)
    panel.pause_seconds = 0.0
    return panel


def ask(panel: Explorer, name: str) -> None:
    section = next(heading for heading, entries in SECTIONS.items() if CATALOGUE[name] in entries)
    panel.section.value = section
    panel.question.value = name


def figure(panel: Explorer) -> dict[str, Any]:
    shown: dict[str, Any] = panel.figure.outputs[0]["data"][PLOTLY]
    return {part: shown[part] for part in ("data", "layout")}


def status(panel: Explorer) -> str:
    return str(panel._status.value).removeprefix("<span role='status'>").removesuffix("</span>")


def pasted(panel: Explorer, **fetches: Any) -> dict[str, Any]:
    names: dict[str, Any] = dict(fetches)
    exec(panel.code.code, names)
    return names


def made_of(**tables: dict[str, Any]) -> Fetched:
    frames = {
        name: conform(pl.DataFrame(columns), TABLES[name]) for name, columns in tables.items()
    }
    return Fetched(
        frames,
        heights={name: frame.height for name, frame in frames.items()},
        summary=pl.DataFrame({"complete": [True]}),
        rejected=pl.DataFrame(),
        failures=(),
        asked=Asked(fetched_at=dt.datetime(2026, 5, 16, tzinfo=dt.UTC)),
    )


def stored(tables: dict[str, pl.LazyFrame], of: Fetched) -> Stored:
    return Stored(
        tables, heights={}, summary=of.summary, rejected=of.rejected, failures=(), asked=of.asked
    )


@pytest.mark.parametrize("narrowed", [False, True], ids=["all", "narrowed"])
def test_the_code_in_a_fresh_namespace_makes_what_the_panel_shows(
    fetched: Fetched, earlier: Fetched, narrowed: bool
) -> None:
    panel = explore(fetched, earlier=earlier, quota=QUOTA, time_zone="Europe/Berlin")

    for name in CATALOGUE:
        ask(panel, name)
        if narrowed:
            panel.since.value = dt.date(2025, 3, 1)
            for choice in panel.filters.values():
                choice.list.value = [value for _, value in choice.list.options[:2]]
        made = pasted(panel, data=fetched, earlier=earlier)
        assert status(panel) == "", name
        assert figure(panel) == json.loads(made["figure"].to_json()), name
        assert (
            f"shape: {made['numbers'].shape}" in panel.numbers.outputs[0]["data"]["text/plain"]
        ), name


def test_filters_narrow_what_is_shown(fetched: Fetched) -> None:
    panel = explore(fetched)
    owner = fetched.deals["owner_name"].drop_nulls()[0]
    whole = figure(panel)

    panel.filters["owner"].list.value = [owner]

    assert f'pl.col("owner_name").is_in([{owner!r}])' in panel.code.code
    assert figure(panel)["data"][0]["y"] == [owner]
    panel.reset.click()
    assert figure(panel) == whole


def test_numbers_are_written_as_people_read_them() -> None:
    panel = explore(
        made_of(
            deals={
                "status": ["won", "lost"],
                "amount": [28437020.256, 1.0],
                "owner_name": ["A"] * 2,
            }
        )
    )

    assert "<td>28,437,020.256</td>" in panel.numbers.outputs[0]["data"]["text/html"]
    assert "<td>0.500</td>" in panel.numbers.outputs[0]["data"]["text/html"]


def test_a_choice_that_leaves_nothing_is_said_by_the_figure(fetched: Fetched) -> None:
    panel = explore(fetched)

    panel.since.value = dt.date(2222, 1, 1)

    assert "Nothing to show" in figure(panel)["layout"]["annotations"][0]["text"]
    assert status(panel) == ""


def test_questions_that_lack_something_are_listed_with_what_they_need(
    fetched: Fetched, earlier: Fetched
) -> None:
    panel = explore(made_of(deals={}))

    assert list(panel.section.options) == ["Pipeline"]
    assert "funnel" not in dict(panel.question.options).values()
    more = panel.panel.children[-1].value
    assert f"{len(CATALOGUE) - 10} more questions" in more
    assert (
        "What do visitors choose on the banner, and does it change? Needs the table consent_statistics."
        in more
    )
    assert (
        "How many deals reach each stage? Needs an earlier fetch: crmlab.explore(data, earlier=...)."
        in more
    )
    assert "Needs a quota: crmlab.explore(data, quota=...)." in more
    as_late = explore(fetched, earlier=fetched, quota=1e6)
    assert "was fetched no earlier than the data" in as_late.panel.children[-1].value
    everything = explore(fetched, earlier=earlier, quota=1e6)
    assert everything.panel.children[-1].value == ""


def test_of_a_period_only_what_can_use_it_is_asked_and_says_it(
    fetched: Fetched, earlier: Fetched
) -> None:
    october = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
    windowed = Fetched(
        dict(fetched),
        heights={},
        summary=fetched.summary,
        rejected=fetched.rejected,
        failures=(),
        asked=replace(fetched.asked, since=october),
    )

    panel = explore(windowed, earlier=earlier)

    asked = [name for questions in panel._sections.values() for _, name in questions]
    assert all(CATALOGUE[name].needs == "period" for name in asked)
    assert {"win_rate", "activity_volume", "consent_trend", "consent_banner"} <= set(asked)
    more = panel.panel.children[-1].value
    assert (
        "Where are the open deals now? Needs all deals, and the data hold only those changed or happened"
        in more
    )
    ask(panel, "consent_trend")
    made = pasted(panel, data=windowed)
    assert (
        "Only what was changed or happened since 2026-10-01"
        in figure(panel)["layout"]["title"]["subtitle"]["text"]
    )
    assert (
        made["figure"].layout.title.subtitle.text
        == figure(panel)["layout"]["title"]["subtitle"]["text"]
    )
    whole = explore(fetched, earlier=windowed)
    assert "waterfall" not in [
        name for questions in whole._sections.values() for _, name in questions
    ]


def test_without_any_table_the_panel_says_what_to_fetch() -> None:
    panel = explore(made_of())

    assert f"{len(CATALOGUE)} more questions" in panel.panel.children[-1].value
    assert repr(panel) == "<Explorer: nothing that can be answered>"


def test_what_cannot_be_computed_is_said_in_words_and_the_panel_goes_on(fetched: Fetched) -> None:
    panel = explore(fetched, time_zone="Mars/Base")

    ask(panel, "activity_heatmap")
    assert "time_zone=&#39;Mars/Base&#39; is not in the time zone database" in status(panel)
    assert panel.figure.outputs == panel.numbers.outputs == ()

    ask(panel, "win_rate")
    assert status(panel) == ""
    assert figure(panel)["data"]


def test_an_unforeseen_error_shows_no_value(
    monkeypatch: pytest.MonkeyPatch, fetched: Fetched
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("private@example.com")

    monkeypatch.setattr("crmlab.plots.closed_by_month", broken)
    panel = explore(fetched)

    ask(panel, "closed_by_month")

    assert (
        status(panel) == "ValueError: this cannot be answered. Run the code in a cell to see where."
    )


def test_files_that_are_gone_are_said_too(tmp_path: Path, fetched: Fetched) -> None:
    fetched.activities.write_parquet(tmp_path / "activities.parquet")
    files = {
        "deals": fetched.deals.lazy(),
        "activities": pl.scan_parquet(tmp_path / "activities.parquet"),
    }
    panel = explore(stored(files, fetched))
    (tmp_path / "activities.parquet").unlink()

    ask(panel, "activity_volume")

    assert (
        status(panel)
        == "FileNotFoundError: this cannot be answered. Run the code in a cell to see where."
    )


def test_a_choice_stays_while_it_is_offered(fetched: Fetched) -> None:
    panel = explore(fetched)
    owner = fetched.deals["owner_name"].drop_nulls()[0]
    panel.filters["owner"].list.value = [owner]
    panel.filters["pipeline"].list.value = [fetched.deals["pipeline_id"][0]]

    ask(panel, "activity_volume")
    assert panel.filters["owner"].chosen == (owner,)
    assert f'pl.col("owner").is_in([{owner!r}])' in panel.code.code

    ask(panel, "consent_trend")
    assert [choice.chosen for choice in panel.filters.values()] == [(), (), ()]
    assert panel.filters["owner"].box.layout.display == "none"


def test_of_many_owners_two_hundred_are_listed_and_a_search_finds_the_others() -> None:
    names = [f"Owner {number:03}" for number in range(500)]
    rows = [name for place, name in enumerate(reversed(names)) for _ in range(1 + place // 250)]
    panel = explore(
        made_of(deals={"owner_name": [*rows, None], "status": ["won"] * (len(rows) + 1)})
    )
    owners = panel.filters["owner"]

    assert len(owners.list.options) == 200
    assert owners.list.options[0] == ("Owner 000 · 2", "Owner 000")
    owners.list.value = ["Owner 001"]
    owners.search.value = "R 49"
    assert [value for _, value in owners.list.options] == [
        "Owner 001",
        *(f"Owner {n}" for n in range(490, 500)),
    ]
    assert owners.list.value == owners.chosen == ("Owner 001",)
    owners.list.value = ["Owner 001", "Owner 499"]
    owners.search.value = "(NONE)"
    assert [value for _, value in owners.list.options] == ["Owner 001", "Owner 499", None]


def test_pipelines_are_shown_by_name_and_chosen_by_id() -> None:
    data = made_of(
        deals={"pipeline_id": ["p1", "p2", "p2"], "status": ["won"] * 3},
        stages={"pipeline_id": ["p1", "p2"], "pipeline_name": ["Sales", "Renewals"]},
    )

    panel = explore(data)

    assert panel.filters["pipeline"].list.options == (("Renewals · 2", "p2"), ("Sales · 1", "p1"))


def test_who_is_who_is_computed_once(monkeypatch: pytest.MonkeyPatch, fetched: Fetched) -> None:
    calls = []
    real = analysis.people
    monkeypatch.setattr(analysis, "people", lambda contacts: calls.append(1) or real(contacts))
    panel = explore(fetched)
    assert calls == []

    for entry in SECTIONS["Across services"]:
        ask(panel, entry.name)

    assert calls == [1]


def test_lazy_tables_are_read_as_they_are_needed(fetched: Fetched) -> None:
    files = stored({name: frame.lazy() for name, frame in fetched.items()}, fetched)
    lazy, eager = explore(files), explore(fetched)

    assert figure(lazy) == figure(eager)
    assert lazy.code.code == eager.code.code
    assert lazy.filters["owner"].list.options == eager.filters["owner"].list.options
    with pytest.raises(UsageError, match="two fetches of the same kind"):
        explore(files, earlier=fetched)


class Counting:
    """Runs scripts like the explorer's runner, counts them, and can be held up."""

    def __init__(self, panel: Explorer) -> None:
        self.scripts: list[str] = []
        self.started, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self._run: Callable[[str], Iterator[tuple[str, Any]]] = panel._runner.run
        panel._runner.run = self  # type: ignore[assignment,method-assign]

    def __call__(self, script: str) -> Iterator[tuple[str, Any]]:
        self.scripts.append(script)
        self.started.set()
        for answer in self._run(script):
            assert self.go_on.wait(10)
            yield answer


async def done(panel: Explorer) -> None:
    await asyncio.sleep(0)  # changes are handled in the loop's next round
    assert panel._answering
    await panel._answering


async def test_of_quick_changes_only_the_last_is_computed(fetched: Fetched) -> None:
    panel = explore(fetched)
    panel.pause_seconds = 0.05
    counting = Counting(panel)

    for day in range(1, 20):
        panel.since.value = dt.date(2025, 1, day)
        await asyncio.sleep(0)
    await done(panel)

    assert counting.scripts == [panel.code.code]
    assert "dt.date(2025, 1, 19)" in panel.code.code
    assert figure(panel) == json.loads(pasted(panel, data=fetched)["figure"].to_json())


async def test_an_answer_that_comes_too_late_is_not_shown(fetched: Fetched) -> None:
    panel = explore(fetched)
    await done(panel)
    counting = Counting(panel)
    counting.go_on.clear()
    shown = []
    panel.figure.observe(lambda change: shown.append(change["new"]), "outputs")

    panel.question.value = "closed_by_month"
    assert await asyncio.to_thread(counting.started.wait, 10)
    assert status(panel) == "Working…"
    panel.question.value = "loss_reasons"
    counting.go_on.set()
    await done(panel)

    assert len(counting.scripts) == 2
    assert len(shown) == 1
    assert figure(panel) == json.loads(pasted(panel, data=fetched)["figure"].to_json())
    assert status(panel) == ""


async def test_what_was_answered_is_not_computed_again(fetched: Fetched) -> None:
    panel = explore(fetched)
    await done(panel)
    first = figure(panel)
    panel.question.value = "loss_reasons"
    await done(panel)
    counting = Counting(panel)

    panel.question.value = "win_rate"
    await done(panel)

    assert figure(panel) == first
    assert counting.scripts == []


async def test_changes_may_come_from_another_thread(fetched: Fetched) -> None:
    panel = explore(fetched)
    await done(panel)

    await asyncio.to_thread(setattr, panel.section, "value", "Consent")
    await done(panel)

    assert "consent_events" in panel.code.code
    assert figure(panel) == json.loads(pasted(panel, data=fetched)["figure"].to_json())


def test_where_no_widgets_are_shown_the_code_is(fetched: Fetched) -> None:
    panel = explore(fetched)

    shown = panel._repr_mimebundle_()

    text = (shown[0] if isinstance(shown, tuple) else shown)["text/plain"]
    assert text.startswith(
        "<Explorer: Which share of the closed deals do we win, and who wins it?>"
    )
    assert text.endswith(panel.code.code)


def test_it_is_a_public_name_and_without_anywidget_the_advice_is_an_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert crmlab.explore is room.explore
    monkeypatch.setitem(sys.modules, "anywidget", None)

    with pytest.raises(ImportError, match=r"crmlab\.explore\(\) need.*pip install anywidget"):
        crmlab.explore  # noqa: B018


def test_the_block_of_code_has_a_button_that_copies(fetched: Fetched) -> None:
    state = explore(fetched).code.get_state()

    assert "navigator.clipboard.writeText" in state["_esm"]
    assert "selectAllChildren" in state["_esm"]
    assert ".crmlab-code" in state["_css"]
