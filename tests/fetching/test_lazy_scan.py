"""`crmlab.scan` against the sandbox: the rows of a fetch, whatever was pushed, with fewer requests."""

from __future__ import annotations

import _thread
import asyncio
import datetime as dt
import os
import pickle
import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import crmlab
from crmlab.errors import AuthError, CrmlabError, ServerError, UsageError
from crmlab.fetching.lazy_scan import _Source, in_thread
from crmlab.fetching.predicates import terms_of
from crmlab.fetching.query import as_query
from crmlab.sandbox.faults import Fault
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import NOW

#: how many filters are tried at random: CRMLAB_PREDICATES=300 tries more
PREDICATES = int(os.environ.get("CRMLAB_PREDICATES", "24"))
Engine = Literal["in-memory", "streaming"]
ENGINES: tuple[Engine, ...] = ("in-memory", "streaming")
each_engine = pytest.mark.parametrize("engine", ENGINES)
modified_at = pl.col("modified_at")


class Served:
    """A sandbox in a thread of its own, so that it answers while this one waits."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Any:
        self._thread.start()
        self.accounts = asyncio.run_coroutine_threadsafe(self._started(), self._loop).result()
        return self.accounts

    async def _started(self) -> Any:
        return await crmlab.sandbox(**self._options)

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.accounts.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(scope="module")
def crm() -> Iterator[Any]:
    with Served(world=generate(3_500, seed=3, now=NOW), services=["onepagecrm"]) as accounts:
        yield accounts


@pytest.fixture(scope="module")
def deals(crm: Any) -> pl.DataFrame:
    return asyncio.run(crmlab.fetch(crm, "deals")).deals


def asked(crm: Any, query: pl.LazyFrame, engine: Engine = "in-memory") -> tuple[pl.DataFrame, int]:
    """Return what a query brings, and how many requests for deals it sends."""
    crm.requests.clear()
    frame = query.collect(engine=engine)
    return frame, sum(path == "/deals" for _, path in crm.requests.elements())


# ---- what is pushed -----------------------------------------------------------------------------


@each_engine
@pytest.mark.fast
def test_what_changed_lately_takes_a_twentieth_of_the_requests(
    crm: Any, deals: pl.DataFrame, engine: Engine
) -> None:
    scan = crmlab.scan(crm, "deals")
    lately = deals["modified_at"].sort(descending=True)[deals.height // 25]

    every, all_requests = asked(crm, scan, engine)
    few, few_requests = asked(crm, scan.filter(modified_at >= lately), engine)

    assert all_requests == -(-deals.height // 100) >= 20
    assert few_requests == 1
    assert_frame_equal(every.sort("id"), deals.sort("id"))
    assert_frame_equal(few.sort("id"), deals.filter(modified_at >= lately).sort("id"))


def test_owner_status_pipeline_and_stage_go_into_requests(crm: Any, deals: pl.DataFrame) -> None:
    told: list[str] = []
    scan = crmlab.scan(crm, "deals", tell=told.append)
    owner, pipeline = deals["owner_id"][0], deals["pipeline_id"][0]

    for query in (
        scan.filter(pl.col("owner_id") == owner, pl.col("status") == "won"),
        scan.filter(pl.col("status").is_in(["won", "lost"]) & (pl.col("amount") > 100)),
        scan.filter(pipeline_id=pipeline, status="pending", stage=20),
        scan.filter(pl.col("stage") == 20),  # won deals have a stage, and are not asked for by it
        scan.filter((pl.col("status") == "won") | (pl.col("stage") == 20)),
        scan.filter(pl.col("provider") == "relenta"),
    ):
        query.collect()

    assert [line.rpartition("': ")[2] for line in told] == [
        f"asked for owner_id={owner}, status=won",
        "asked for status=closed",
        f"asked for pipeline_id={pipeline}, status=pending, stage=20",
        "asked for all of it",
        "asked for all of it",
        "not asked",
    ]


@each_engine
def test_a_head_takes_the_pages_that_it_needs(
    crm: Any, deals: pl.DataFrame, engine: Engine
) -> None:
    scan = crmlab.scan(crm, "deals")

    for rows, requests in ((10, 1), (100, 1), (250, 3), (10**6, -(-deals.height // 100))):
        frame, sent = asked(crm, scan.head(rows), engine)
        assert (frame.height, sent) == (min(rows, deals.height), requests)
        assert frame["id"].is_unique().all()
        assert frame["id"].is_in(deals["id"].implode()).all()


def test_a_head_is_whole_where_several_records_make_one_row() -> None:
    """Of Complero's contacts each has several events, so that enough records are not enough rows."""
    with Served(rows=150, services=["complero", "relenta"]) as accounts:
        every = asyncio.run(crmlab.fetch(accounts, "contacts")).contacts

        frame = crmlab.scan(accounts, "contacts").head(every.height).collect()

    assert frame.height == every.height


def test_columns_are_those_that_the_query_names(crm: Any, deals: pl.DataFrame) -> None:
    query = crmlab.scan(crm, "deals").filter(pl.col("status") == "won").select("amount", "name")

    assert_frame_equal(
        query.collect().sort("name", "amount"),
        deals.filter(pl.col("status") == "won").select("amount", "name").sort("name", "amount"),
    )


# ---- whatever was pushed, the rows are those of a fetch -----------------------------------------


def _leaf(lot: random.Random, deals: pl.DataFrame) -> pl.Expr:
    column = lot.choice(["modified_at", "modified_at", "modified_at", "created_at"])
    moment = lot.choice(deals[column].drop_nulls().to_list())
    moment += dt.timedelta(microseconds=lot.choice([0, 0, 1, -1, 999_999]))
    moment = moment.astimezone(dt.timezone(dt.timedelta(hours=lot.choice([0, 2, -5]))))
    later = moment + dt.timedelta(days=lot.randint(0, 90))
    time = pl.col(column)
    status = lot.choice(["won", "lost", "pending", "other"])
    owner, pipeline, stage, amount = (
        lot.choice(deals[name].to_list()) for name in ("owner_id", "pipeline_id", "stage", "amount")
    )
    return lot.choice(
        [
            time >= moment,
            time > moment,
            time < moment,
            time <= moment,
            time == moment,
            pl.lit(moment) <= time,
            time.is_between(moment, later, closed=lot.choice(["both", "left", "right", "none"])),
            time.dt.date() >= moment.date(),
            time >= moment.date(),
            time.is_in([moment, later]),
            pl.col("status") == status,
            pl.col("status") != status,
            pl.col("status").eq_missing(status),
            pl.col("status").is_in(lot.sample(["won", "lost", "pending"], 2)),
            pl.col("status").is_in([status, None]),
            pl.col("owner_id") == owner,
            pl.col("pipeline_id") == pipeline,
            pl.col("stage") == stage,
            pl.col("stage") == float(stage or 0),
            (pl.col("stage") == stage) & (pl.col("status") == "pending"),
            pl.col("amount") > amount,
            pl.col("close_date").is_null(),
            pl.col("name").str.contains("a"),
            pl.col("provider") == lot.choice(["onepagecrm", "onepagecrm", "relenta"]),
            pl.lit(value=lot.random() < 0.9),
        ]
    )


def _predicate(lot: random.Random, deals: pl.DataFrame, depth: int = 3) -> pl.Expr:
    if depth == 0 or lot.random() < 0.3:
        return _leaf(lot, deals)
    first, second = (_predicate(lot, deals, depth - 1) for _ in range(2))
    return lot.choice([first & second, first & second, first & second, first | second, ~first])


@pytest.mark.parametrize("seed", range(PREDICATES))
def test_any_filter_brings_the_rows_that_it_brings_of_the_whole(
    crm: Any, deals: pl.DataFrame, seed: int
) -> None:
    lot = random.Random(seed)
    predicate = _predicate(lot, deals)

    found = crmlab.scan(crm, "deals").filter(predicate).collect(engine=ENGINES[seed % 2])

    assert_frame_equal(found.sort("id"), deals.filter(predicate).sort("id"))


@pytest.mark.parametrize(
    "table", ["contacts", "activities", "consent_events", "users", "consent_statistics"]
)
def test_tables_of_several_services_are_those_of_a_fetch(table: str) -> None:
    time = "occurred_at" if table == "consent_events" else "modified_at"
    with Served(world=generate(80, seed=4, now=NOW)) as accounts:
        every = asyncio.run(crmlab.fetch(accounts, table))[table]
        known = every[time].drop_nulls().sort()
        scan = crmlab.scan(accounts, table)

        assert_frame_equal(scan.collect().sort("provider", "id"), every.sort("provider", "id"))
        if known.len():
            some = pl.col(time).is_between(known[known.len() // 3], known[known.len() // 2])
            filtered = scan.filter(some).collect()
            assert_frame_equal(
                filtered.sort("provider", "id"), every.filter(some).sort("provider", "id")
            )
            assert filtered.height


# ---- where it runs, and what goes wrong ---------------------------------------------------------


async def test_it_is_collected_in_a_running_loop_both_ways(crm: Any, deals: pl.DataFrame) -> None:
    won = crmlab.scan(crm, "deals").filter(pl.col("status") == "won")

    waited_for = won.collect()  # as in a cell of a notebook
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    ticking = asyncio.create_task(tick())
    awaited = await won.collect_async()
    ticking.cancel()

    assert waited_for.height == awaited.height == deals.filter(pl.col("status") == "won").height
    assert ticks > 1


@each_engine
@pytest.mark.parametrize(("status", "error"), [(401, AuthError), (500, ServerError)])
def test_a_failure_is_crmlabs_own_error(
    engine: Engine, status: int, error: type[CrmlabError]
) -> None:
    fault = Fault(kind="status", match="/deals", status=status, times=99)
    with Served(rows=20, services=["onepagecrm"], faults=[fault]) as accounts:
        scan = crmlab.scan(accounts, "deals", timeouts=crmlab.Timeouts(total=20))

        with pytest.raises(error):
            scan.collect(engine=engine)


@each_engine
def test_a_list_that_is_not_complete_is_an_error_and_no_frame(engine: Engine) -> None:
    with Served(rows=40, services=["onepagecrm"]) as accounts:
        (account,) = accounts
        lists = tuple(
            replace(each, total=lambda page: 10**6) if each.name == "deals" else each
            for each in account.provider.resources
        )
        account.provider = replace(account.provider, resources=lists)

        with pytest.raises(
            CrmlabError, match=r"deals of onepagecrm .* is not complete \(.*1,000,000.*crmlab.fetch"
        ):
            crmlab.scan(account, "deals").collect(engine=engine)


def test_an_interrupt_ends_the_work_as_well() -> None:
    ended = threading.Event()

    async def work() -> None:
        try:
            threading.Timer(0.1, _thread.interrupt_main).start()
            await asyncio.sleep(60)
        finally:
            ended.set()

    with pytest.raises(KeyboardInterrupt):
        in_thread(work())

    assert ended.is_set()


def test_no_key_is_shown_or_written_down() -> None:
    account = crmlab.Account("onepagecrm", user_id="me", api_key="a-secret-key")
    scan = crmlab.scan(account, "deals").filter(pl.col("status") == "won")
    source = _Source(
        as_query(account, ["deals"], since=None, until=None), "deals", None, None, None
    )

    shown = [repr(scan), str(scan), scan.explain(), scan.explain(optimized=False), repr(source)]

    assert not any("a-secret-key" in text for text in shown)
    assert "deals of onepagecrm" in scan.explain()
    with pytest.raises(UsageError, match="holds the keys of its accounts"):
        pickle.dumps(source)
    with pytest.raises((UsageError, pl.exceptions.ComputeError)):
        scan.serialize()


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("deal", "unknown table 'deal'"),
        ("onepagecrm.deals", "scan takes shared tables.*fetch 'onepagecrm.deals'"),
    ],
)
def test_what_cannot_be_scanned_is_refused_at_once(table: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        crmlab.scan(crmlab.Account("onepagecrm", user_id="me", api_key="key"), table)


# ---- filters ------------------------------------------------------------------------------------

NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("predicate", "values", "since", "until"),
    [
        (pl.col("a") == "x", {"a": {"x"}}, None, None),
        (pl.lit("x") == pl.col("a"), {"a": {"x"}}, None, None),
        ((pl.col("a") == "x") & (pl.col("b") == 1), {"a": {"x"}, "b": {1}}, None, None),
        (pl.col("a").is_in(["x", "y"]) & (pl.col("a") == "y"), {"a": {"y"}}, None, None),
        (pl.col("a") != "x", {}, None, None),
        (~(pl.col("a") == "x"), {}, None, None),
        (pl.col("a").is_in(["x", None]), {}, None, None),
        (pl.col("a").is_in([]), {}, None, None),
        ((pl.col("a") == "x") & (pl.col("a") == "y"), {"a": {"y"}}, None, None),
        (pl.col("a") == pl.col("b"), {}, None, None),
        (pl.col("a").str.to_lowercase() == "x", {}, None, None),
        (pl.col("t") > NOON, {}, NOON - SECOND, None),
        (pl.lit(NOON) > pl.col("t"), {}, None, NOON + SECOND),
        (pl.col("t").is_between(NOON, NOON + SECOND), {}, NOON - SECOND, NOON + 2 * SECOND),
        ((pl.col("t") >= NOON) & (pl.col("t") > NOON + SECOND), {}, NOON, None),
        (pl.col("t") == NOON, {}, NOON - SECOND, NOON + SECOND),
        (pl.col("t") > dt.datetime(2026, 1, 31), {}, None, None),  # noqa: DTZ001  # it says no zone
    ],
)
def test_a_filter_is_told_as_far_as_it_is_understood(
    predicate: pl.Expr,
    values: dict[str, set[Any]],
    since: dt.datetime | None,
    until: dt.datetime | None,
) -> None:
    terms = terms_of(predicate)

    assert {column: set(each) for column, each in terms.values.items()} == values
    assert (terms.since.get("t"), terms.until.get("t")) == (since, until)


def test_a_filter_of_another_form_pushes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for changed in (
        "[]",
        "7",
        "not json",
        '{"BinaryExpr": 3}',
        '{"Function": {"function": "new"}}',
        "[" * 10_000,
    ):
        monkeypatch.setattr(
            "polars.expr.meta.ExprMetaNameSpace.serialize", lambda *_, text=changed, **__: text
        )
        assert terms_of(pl.col("a") == "x").values == {}
