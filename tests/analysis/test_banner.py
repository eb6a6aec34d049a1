"""What visitors chose on the banner: each rate by its own denominator."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import crmlab
from crmlab.analysis.banner import banner_items, banner_rates
from crmlab.errors import UsageError
from crmlab.sandbox.world.generate import generate
from crmlab.schema import TABLES, conform

DAY = date(2026, 1, 1)
COUNTS = ("visitors_exposed", "optin", "explicit_optin", "optout")


def statistics(*rows: tuple[Any, ...], columns: tuple[str, ...] = ()) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["day", "banner_id", *COUNTS, *columns], orient="row")
    return conform(frame, TABLES["consent_statistics"])


def items(*rows: tuple[Any, ...]) -> pl.DataFrame:
    names = ("account", "dimension", "item_id", "optin", "visitors_exposed")
    return conform(
        pl.DataFrame(rows, schema=names, orient="row"), TABLES["consent_statistics_items"]
    )


def test_every_rate_has_the_denominator_of_its_name() -> None:
    found = banner_rates(statistics((DAY, "a", 1000, 600, 500, 200))).row(0, named=True)

    assert found == {
        **dict(zip(COUNTS, (1000, 600, 500, 200), strict=True)),
        "interacted": 700,
        "no_choice": 200,
        "no_optin": 400,
        "optin_per_exposed": 0.6,
        "optin_per_choice": 0.75,
        "optout_per_choice": 0.25,
        "optout_per_exposed": 0.2,
        "interacted_per_exposed": 0.7,
        "explicit_optin_per_interacted": 5 / 7,
        "no_choice_per_exposed": 0.2,
        "no_optin_per_exposed": 0.4,
    }


def test_rates_are_of_sums_and_of_nobody_null() -> None:
    frame = statistics(
        (DAY, "a", 100, 90, 90, 10), (DAY, "b", 300, 90, 0, 90), (date(2026, 2, 1), "a", 0, 0, 0, 0)
    )

    found = banner_rates(frame, by="day", every="1mo")

    assert found.select("day", "optin_per_exposed", "optin_per_choice").rows() == [
        (date(2026, 1, 1), 0.45, 180 / 280),
        (date(2026, 2, 1), None, None),
    ]


def test_devices_stand_for_their_sum_and_the_sum_for_its_devices() -> None:
    frame = statistics(
        (DAY, "a", 100, 50, 40, 20, None, None),
        (DAY, "a", 60, 30, 20, 10, "mobile", None),
        (DAY, "a", 40, 20, 20, 10, "desktop", None),
        (DAY, "a", 30, 20, 20, 10, None, "FR"),
        (DAY, "b", 7, 1, 1, 1, None, None),
        columns=("device", "location"),
    )

    assert banner_rates(frame)["visitors_exposed"].item() == 107
    assert banner_rates(frame, by="device").select("device", "visitors_exposed").rows() == [
        ("desktop", 40),
        ("mobile", 60),
        (None, 7),
    ]
    assert banner_rates(frame, by=["banner_id", "location"]).select(
        "banner_id", "location", "optin"
    ).rows() == [
        ("a", "FR", 20),
        ("b", None, 1),
    ]


def test_what_one_row_does_not_say_is_unknown_for_all() -> None:
    found = banner_rates(statistics((DAY, "a", 10, 5, None, 1), (DAY, "b", 10, 5, 5, 1))).row(
        0, named=True
    )

    assert (found["optin"], found["explicit_optin"], found["interacted"]) == (10, None, None)
    assert (found["optin_per_exposed"], found["interacted_per_exposed"]) == (0.5, None)


COUNT = st.integers(0, 1000)


@given(st.lists(st.tuples(st.integers(0, 3), COUNT, COUNT, COUNT, COUNT), min_size=1, max_size=20))
def test_groups_add_up_to_the_whole(rows: list[tuple[int, ...]]) -> None:
    frame = statistics(*((date(2026, 1, 1 + day), "a", *counts) for day, *counts in rows))

    parts, whole = banner_rates(frame, by="day"), banner_rates(frame)

    for name in (*COUNTS, "interacted", "no_choice", "no_optin"):
        assert parts[name].sum() == whole[name].item()
    exposed, outcomes = (
        whole["visitors_exposed"].item(),
        whole.select("optin", "optout", "no_choice").sum_horizontal(),
    )
    assert outcomes.item() == exposed
    # more opt-ins than visitors are no share of them
    if exposed and whole["optin"].item() <= exposed:
        assert whole["optin_per_exposed"].item() + whole[
            "no_optin_per_exposed"
        ].item() == pytest.approx(1)


def test_no_statistics_are_no_rows_in_groups() -> None:
    empty = TABLES["consent_statistics"].empty()

    assert banner_rates(empty, by="device").is_empty()
    assert banner_rates(empty).select("visitors_exposed", "optin_per_exposed").row(0) == (0, None)


def test_items_are_of_the_visitors_of_the_days_that_tell_them() -> None:
    frame = items(
        ("web", "category", "1", 90, 100),
        ("web", "category", "1", 110, 300),
        ("web", "category", "1", None, 1000),
        ("web", "category", "2", 400, 400),
        ("app", "category", "1", 0, 0),
        ("web", "vendor", "1", 7, 10),
    )

    assert banner_items(frame).drop("provider").rows() == [
        ("web", "2", 400, 400, 1.0),
        ("web", "1", 200, 400, 0.5),
        ("app", "1", 0, 0, None),
    ]
    assert banner_items(frame, dimension="vendor").drop("provider").rows() == [
        ("web", "1", 7, 10, 0.7)
    ]


@pytest.mark.slow
async def test_the_banners_of_a_world_are_counted_as_they_are() -> None:
    world = generate(5, seed=2)
    days = [row for banner in world.banners for row in banner.daily]

    async with crmlab.sandbox(world, services=["commanders_act"]) as accounts:
        since = min(row.day for row in days)
        data = await crmlab.fetch(
            accounts, "consent_statistics", "consent_statistics_items", since=since
        )

    found = banner_rates(data.consent_statistics).row(0, named=True)
    assert found["optin"] == sum(row.optin for row in days)
    assert found["no_choice"] == sum(row.visitors_exposed - row.optin - row.optout for row in days)
    accepted = {item: sum(row.vendors[item] for row in days) for item in days[0].vendors}
    assert (
        dict(
            banner_items(data.consent_statistics_items, dimension="vendor")
            .select("item_id", "optin")
            .iter_rows()
        )
        == accepted
    )


def test_what_is_no_part_of_the_statistics_is_refused() -> None:
    with pytest.raises(
        UsageError,
        match="by='browser': choose one of day, provider, account, banner_id, device, location",
    ):
        banner_rates(statistics((DAY, "a", 1, 1, 1, 1)), by="browser")
    with pytest.raises(UsageError, match="dimension='purpose'"):
        banner_items(items(("web", "category", "1", 1, 1)), dimension="purpose")  # type: ignore[arg-type]
