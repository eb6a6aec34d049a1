"""The way of deals through the stages, against histories written by hand and the sandbox's known one."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crmlab.analysis.history import slippage, stage_history
from crmlab.analysis.stages import EXITS, funnel, stage_durations, stage_win_rates
from crmlab.errors import UsageError
from crmlab.sandbox.world import World
from crmlab.sandbox.world.generate import generate
from crmlab.schema import TABLES, conform

NO_STAGES = TABLES["stages"].empty()
START = datetime(2026, 1, 1, tzinfo=UTC)


def deals(
    *rows: tuple[str, int | None, str], account: str = "sales", **columns: Any
) -> pl.DataFrame:
    frame = pl.DataFrame(
        rows, schema={"id": pl.String, "stage": pl.Int64, "status": pl.String}, orient="row"
    ).with_columns(provider=pl.lit("onepagecrm"), account=pl.lit(account), pipeline_id=pl.lit("p"))
    return conform(frame.with_columns(**columns), TABLES["deals"])


def weekly(*frames: pl.DataFrame) -> list[tuple[datetime, pl.DataFrame]]:
    return [(START + timedelta(weeks=week), frame) for week, frame in enumerate(frames)]


def ways(history: pl.DataFrame) -> list[tuple[Any, ...]]:
    return history.select("deal_id", "stage", "entry", "exit").rows()


def test_a_deal_that_goes_on_back_and_is_won_stays_four_times() -> None:
    steps = [
        (10, "pending"),
        (50, "pending"),
        (50, "pending"),
        (10, "pending"),
        (90, "pending"),
        (90, "won"),
    ]

    history = stage_history(weekly(*(deals(("a", stage, status)) for stage, status in steps)))

    assert ways(history) == [
        ("a", 10, "first fetch", "advanced"),
        ("a", 50, "advanced", "back"),
        ("a", 10, "back", "advanced"),
        ("a", 90, "advanced", "won"),
    ]
    second = history.row(1, named=True)
    weeks = [
        (second[name] - START).days // 7
        for name in ("entered_after", "entered_at", "last_seen_at", "left_at")
    ]
    assert weeks == [0, 1, 2, 3]


def test_the_order_of_the_snapshots_does_not_matter() -> None:
    snapshots = weekly(
        deals(("a", 10, "pending")), deals(("a", 20, "pending")), deals(("a", 20, "lost"))
    )

    assert_frame_equal(stage_history(snapshots[::-1]), stage_history(snapshots))


def test_a_deal_that_is_in_no_later_fetch_is_gone_and_one_missed_in_between_is_not() -> None:
    both = deals(("a", 10, "pending"), ("b", 10, "pending"))

    history = stage_history(weekly(both, deals(("b", 10, "pending")), deals(("b", 10, "pending"))))
    missed = stage_history(weekly(both, deals(("b", 10, "pending")), both))

    assert ways(history) == [
        ("a", 10, "first fetch", "gone"),
        ("b", 10, "first fetch", "still there"),
    ]
    assert history["left_at"].to_list() == [START + timedelta(weeks=1), None]
    assert ways(missed) == [
        ("a", 10, "first fetch", "still there"),
        ("b", 10, "first fetch", "still there"),
    ]


def test_a_fetch_without_an_account_says_nothing_about_its_deals() -> None:
    mine, other = deals(("a", 10, "pending")), deals(("b", 10, "pending"), account="resale")

    history = stage_history(weekly(pl.concat([mine, other]), mine))

    assert set(history["exit"]) == {"still there"}


def test_a_deal_first_seen_closed_was_in_its_stage_since_its_creation() -> None:
    created = START + timedelta(days=2)
    later = deals(("old", 10, "pending"), ("new", 50, "won"), created_at=pl.lit(created))

    history = stage_history(weekly(deals(("old", 10, "pending"), ("past", 90, "lost")), later))

    new = history.filter(pl.col("deal_id") == "new").row(0, named=True)
    assert (new["stage"], new["entry"], new["exit"]) == (50, "created", "won")
    assert (new["entered_at"], new["left_at"]) == (created, START + timedelta(weeks=1))
    assert "past" not in history["deal_id"]


def test_a_deal_that_is_opened_again_enters_again() -> None:
    steps = [(50, "pending"), (50, "lost"), (50, "pending"), (50, "won")]

    history = stage_history(weekly(*(deals(("a", stage, status)) for stage, status in steps)))

    assert ways(history) == [("a", 50, "first fetch", "lost"), ("a", 50, "reopened", "won")]
    found = funnel(history, NO_STAGES).row(0, named=True)
    assert (found["entries"], found["won"], found["lost"]) == (2, 1, 1)
    assert (found["reached"], found["reached_next"]) == (1, 1)


def test_another_pipeline_or_no_stage_is_a_move() -> None:
    elsewhere = deals(
        ("a", 10, "pending"), ("b", None, "pending"), pipeline_id=pl.Series(["q", "p"])
    )

    history = stage_history(weekly(deals(("a", 50, "pending"), ("b", 50, "pending")), elsewhere))

    assert set(history["exit"]) == {"moved", "still there"}
    assert sorted(ways(history.filter(pl.col("entry") == "moved")), key=str) == [
        ("a", 10, "moved", "still there"),
        ("b", None, "moved", "still there"),
    ]


@pytest.mark.parametrize(
    ("snapshots", "message"),
    [
        ([], "there is no snapshot"),
        ([(START, deals()), (START, deals())], "two snapshots are of 2026-01-01"),
        ([(datetime(2026, 1, 1), deals())], "has no time zone"),  # noqa: DTZ001
        ([(START, deals().drop("stage"))], "no column stage"),
    ],
)
def test_snapshots_that_say_nothing_are_refused(snapshots: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        stage_history(snapshots)


def test_no_deals_are_no_history_and_an_empty_funnel() -> None:
    history = stage_history([(START, deals())])

    assert history.is_empty()
    assert funnel(history, NO_STAGES).is_empty()
    assert stage_durations(history, NO_STAGES).is_empty()
    assert stage_win_rates(history).is_empty()


def test_what_is_no_history_is_refused() -> None:
    with pytest.raises(UsageError, match=r"give what crmlab\.analysis\.stage_history\("):
        funnel(deals(), NO_STAGES)


def test_a_skipped_stage_counts_as_reached_and_the_last_leads_to_won() -> None:
    first = deals(
        ("a", 10, "pending"), ("b", 10, "pending"), ("c", 10, "pending"), ("d", 10, "pending")
    )
    then = deals(("a", 90, "pending"), ("b", 50, "pending"), ("c", 10, "lost"), ("d", 10, "won"))
    last = deals(("a", 90, "won"), ("b", 10, "pending"), ("c", 10, "lost"), ("d", 10, "won"))
    named = conform(
        pl.DataFrame(
            {
                "provider": "onepagecrm",
                "account": "sales",
                "pipeline_id": "p",
                "pipeline_name": "Sales",
            }
            | {"stage": [10, 30, 50, 90], "label": ["Lead", "Call", "Offer", "Deal"]}
        ),
        TABLES["stages"],
    )

    found = funnel(stage_history(weekly(first, then, last)), named)

    columns = (
        "label",
        "reached",
        "reached_next",
        "conversion",
        "entries",
        "advanced",
        "back",
        "won",
        "lost",
    )
    # a won deal reached every stage: d was won from the first
    assert found.select(columns).rows() == [
        ("Lead", 4, 3, 0.75, 5, 2, 0, 1, 1),
        ("Call", 3, 3, 1.0, 0, 0, 0, 0, 0),
        ("Offer", 3, 2, 2 / 3, 1, 0, 1, 0, 0),
        ("Deal", 2, 2, 1.0, 1, 0, 0, 1, 0),
    ]


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from("abcdef"),
            st.tuples(
                st.sampled_from([10, 20, 30, None]), st.sampled_from(["pending", "won", "lost"])
            ),
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=200)
def test_every_stay_ends_in_one_way_and_no_stage_is_reached_by_fewer_than_the_next(
    fetches: Any,
) -> None:
    frames = [deals(*((name, *place) for name, place in fetch.items())) for fetch in fetches]

    history = stage_history(weekly(*frames))
    found = funnel(history, NO_STAGES)

    ends = [name.replace(" ", "_") for name in EXITS]
    assert (found["entries"] == found.select(pl.sum_horizontal(ends)).to_series()).all()
    assert found["entries"].sum() == history.height
    known = found.drop_nulls("reached")
    assert (known["reached_next"] <= known["reached"]).all()
    assert known["reached"].is_sorted(descending=True)
    order = history.select("deal_id", "entered_at", "last_seen_at", "left_at")
    assert (order["entered_at"] <= order["last_seen_at"]).all()
    assert (
        order.drop_nulls("left_at")["last_seen_at"] < order.drop_nulls("left_at")["left_at"]
    ).all()
    assert history.filter(pl.col("exit") != "still there")["left_at"].null_count() == 0


@pytest.fixture(scope="module")
def world() -> World:
    return generate(400, seed=5)


def deals_at(world: World, at: datetime) -> pl.DataFrame:
    """Return the deals as a fetch at that moment would have shown them."""
    rows = []
    for deal in world.deals:
        if deal.created_at > at:
            continue
        closed = deal.status != "pending" and deal.modified_at <= at
        rows.append(
            {
                "id": deal.id,
                "provider": "onepagecrm",
                "account": "sales",
                "pipeline_id": deal.pipeline_id,
                "created_at": deal.created_at,
                "stage": [stage for since, stage in deal.stage_history if since <= at][-1],
                "status": deal.status if closed else "pending",
            }
        )
    return conform(pl.DataFrame(rows), TABLES["deals"]) if rows else TABLES["deals"].empty()


def test_fetching_at_every_change_finds_the_way_that_the_sandbox_knows(world: World) -> None:
    sample = world.deals[::4]
    world.deals = sample
    changes = {at for deal in sample for at, _ in deal.stage_history} | {
        deal.modified_at for deal in sample
    }

    history = stage_history((at, deals_at(world, at)) for at in sorted(changes))

    truth = {deal.id: [stage for _, stage in deal.stage_history] for deal in sample}
    found: defaultdict[str, list[int]] = defaultdict(list)
    for name, stage in history.select("deal_id", "stage").iter_rows():
        found[name].append(stage)
    last = dict(history.group_by("deal_id").agg(pl.col("exit").last()).iter_rows())
    assert found == truth
    assert last == {d.id: d.status.replace("pending", "still there") for d in sample}
    # walks of the sandbox only go on: each deal reaches what its last stage says, or all if won
    reached = funnel(history, NO_STAGES).select(
        pl.col("reached").first().over("pipeline_name"), "pipeline_name"
    )
    assert reached.unique()["reached"].sum() == len(sample)


def test_the_share_won_is_that_of_all_deals_that_passed_the_stage() -> None:
    first = deals(("a", 10, "pending"), ("b", 10, "pending"), ("c", 10, "pending"))
    then = deals(("a", 50, "pending"), ("b", 10, "lost"), ("c", 50, "pending"))
    last = deals(("a", 50, "won"), ("b", 10, "lost"), ("c", 50, "pending"))

    rates = stage_win_rates(stage_history(weekly(first, then, last)))

    assert rates.select("stage", "won", "lost", "probability", "probability_from").rows() == [
        (10, 1, 1, 0.5, "history"),
        (50, 1, 0, 1.0, "history"),
    ]


def test_stays_that_go_on_make_the_median_longer_than_those_that_ended() -> None:
    """Stays of 2 and 4 weeks have ended, two of 6 go on: half have never left (S = 3/4, then 1/2)."""
    frames = [deals()] + [
        deals(
            *(
                (name, 20 if week > end else 10, "pending")
                for name, end in (("a", 2), ("b", 4), ("c", 9), ("d", 9))
            )
        )
        for week in range(1, 8)
    ]
    # a deal of another kind makes the first fetch one of the account
    frames[0] = deals(("z", 90, "pending"))

    found = stage_durations(stage_history(weekly(*frames)), NO_STAGES)

    stage = found.filter(pl.col("stage") == 10).row(0, named=True)
    assert (stage["stays"], stage["ended"], stage["left_out"]) == (4, 2, 0)
    # seen in weeks 1 to 4, so from the middle of 0 and 1 to that of 4 and 5
    assert stage["median_days"] == 28
    assert stage["p90_days"] is None
    assert found.filter(pl.col("stage") == 90)["left_out"].item() == 1


def test_the_expected_close_slips_only_while_the_deal_is_open_and_has_one() -> None:
    def fetched(status: str, *expected: date | None) -> pl.DataFrame:
        return deals(
            *((name, 10, status) for name in "abc"),
            expected_close_date=pl.Series([*expected], dtype=pl.Date),
        )

    first, later, never = date(2028, 2, 28), date(2028, 3, 1), None
    history = weekly(
        fetched("pending", first, first, never),
        fetched("pending", later, never, never),
        fetched("pending", first, first, never),
        fetched("pending", later, first, never),
        fetched("won", date(2029, 1, 1), first, first),
    )

    found = slippage(history[::-1])

    columns = ("deal_id", "first_expected", "last_expected", "changes", "later", "slipped_days")
    assert found.select(columns).rows() == [
        ("a", first, later, 3, 2, 2),
        ("b", first, first, 0, 0, 0),
    ]
    assert slippage([(START, deals())]).is_empty()
    with pytest.raises(UsageError, match="no column expected_close_date"):
        slippage([(START, deals().drop("expected_close_date"))])
