"""How long consents last: by hand, by brute force, by another library's numbers, and for very many."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import exp, log, sqrt
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.analysis import consent_duration
from crmlab.analysis.consent_duration import consent_survival, curve, median_days
from crmlab.errors import UsageError
from crmlab.schema import TABLES, conform
from tests.analysis.words import decided

START = datetime(2026, 1, 1, tzinfo=UTC)
#: days, how many ended, how many were censored -> survival, lower, upper: lifelines 0.30.3,
#: KaplanMeierFitter(alpha=0.05).fit(days, ended)
DAYS = (3, 5, 5, 8, 10, 10, 10, 13, 17, 20, 20, 25, 31, 31, 40)
ENDED = (1, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1)
LIFELINES = {
    3: (0.9333333333333331, 0.6126412437748727, 0.9903322366500168),
    5: (0.8666666666666667, 0.5639120057089515, 0.9648844959164715),
    8: (0.7944444444444445, 0.4879051957243935, 0.9288700887839273),
    10: (0.6500000000000001, 0.3512710897929294, 0.837461893936473),
    13: (0.5687500000000001, 0.2772894173051081, 0.7801515090148639),
    17: (0.5687500000000001, 0.2772894173051081, 0.7801515090148639),
    20: (0.37916666666666676, 0.12726636494461468, 0.6336784423991323),
    25: (0.37916666666666676, 0.12726636494461468, 0.6336784423991323),
    31: (0.12638888888888894, 0.007887486630989617, 0.4133409508382635),
}


def durations(days: Any, ended: Any) -> pl.DataFrame:
    return pl.DataFrame(
        {"days": days, "ended": ended}, schema={"days": pl.Float64, "ended": pl.Boolean}
    )


def events(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """Return Altcraft's events of contact, channel, kind, day."""
    frame = pl.DataFrame(
        [(who, channel, kind, START + timedelta(days=day)) for who, channel, kind, day in rows],
        schema={
            "contact_id": pl.String,
            "channel": pl.String,
            "kind": pl.String,
            "occurred_at": pl.Datetime("us", "UTC"),
        },
        orient="row",
    )
    return decided(
        conform(
            frame.with_columns(provider=pl.lit("altcraft"), account=pl.lit("a")),
            TABLES["consent_events"],
        )
    )


def test_the_curve_and_its_band_are_those_of_lifelines() -> None:
    found = curve(durations(DAYS, [each == 1 for each in ENDED]))

    for row in found.iter_rows(named=True):
        if row["days"] < 40:
            assert (row["survival"], row["lower"], row["upper"]) == pytest.approx(
                LIFELINES[row["days"]], rel=1e-9
            )
    assert found.row(-1) == (40.0, 1, 1, 0, 0.0, None, None)
    assert median_days(found).item() == 20.0


def test_counts_whose_products_need_more_than_32_bits_give_the_right_band() -> None:
    # 90,000 consents, of which 100 end on each of 300 days: at_risk * (at_risk - ended) is beyond 2**32
    count, daily = 90_000, 100
    ends = pl.DataFrame(
        {"days": [float(day) for day in range(1, 301) for _ in range(daily)]}
    ).with_columns(ended=True)
    rest = pl.DataFrame({"days": [301.0] * (count - 300 * daily)}).with_columns(
        ended=pl.lit(value=False)
    )

    found = curve(pl.concat([ends, rest]))

    share, greenwood, at_risk = Fraction(1), Fraction(0), count
    for row in found.head(300).iter_rows(named=True):
        share *= 1 - Fraction(daily, at_risk)
        greenwood += Fraction(daily, at_risk * (at_risk - daily))
        at_risk -= daily
        spread = 1.959963984540054 * sqrt(greenwood) / -log(share)
        assert row["survival"] == pytest.approx(float(share), rel=1e-12)
        assert row["lower"] == pytest.approx(float(share) ** exp(spread), rel=1e-9)
        assert row["upper"] == pytest.approx(float(share) ** exp(-spread), rel=1e-9)
    assert found["at_risk"].to_list()[:2] == [90_000, 89_900]


LASTED = st.lists(st.tuples(st.integers(0, 20).map(float), st.booleans()), min_size=1, max_size=40)


@given(LASTED)
def test_the_curve_is_the_product_of_what_stays(rows: list[tuple[float, bool]]) -> None:
    found = curve(durations(*map(list, zip(*rows, strict=True))))

    share = Fraction(1)
    for row in found.iter_rows(named=True):
        at_risk = sum(days >= row["days"] for days, _ in rows)
        ended = sum(days == row["days"] and is_end for days, is_end in rows)
        share *= 1 - Fraction(ended, at_risk)
        assert (row["at_risk"], row["ended"]) == (at_risk, ended)
        assert row["survival"] == pytest.approx(float(share), abs=1e-12)
        if row["lower"] is not None:
            assert 0 <= row["lower"] <= row["survival"] <= row["upper"] <= 1
    assert found["ended"].sum() + found["censored"].sum() == len(rows)


@given(LASTED)
def test_where_none_is_censored_it_is_the_share_that_lasts_longer(
    rows: list[tuple[float, bool]],
) -> None:
    days = [each for each, _ in rows]

    found = curve(durations(days, [True] * len(days)))

    for at, share in found.select("days", "survival").iter_rows():
        assert share == pytest.approx(sum(each > at for each in days) / len(days), abs=1e-12)


def test_groups_are_estimated_apart() -> None:
    frame = durations([1, 2, 1, 9], [True, False, False, True]).with_columns(
        channel=pl.Series(["a", "a", None, None])
    )

    found = curve(frame, "channel")

    for channel in ("a", None):
        own = frame.filter(pl.col("channel").eq_missing(pl.lit(channel)))
        part = found.filter(pl.col("channel").eq_missing(pl.lit(channel))).drop("channel")
        assert part.equals(curve(own))
    assert median_days(found, by="channel").rows() == [("a", 1.0), (None, 9.0)]


def test_a_consent_lasts_to_the_next_opt_out_and_repeats_do_not_begin_another() -> None:
    frame = events(
        ("1", "email", "subscribe", 0),
        ("1", "email", "confirm", 5),
        ("1", "email", "unsubscribe", 10),
        ("1", "email", "complaint", 12),
        ("2", "email", "unsubscribe", 0),
        ("2", "email", "subscribe", 11),
        ("3", "email", "hardbounce", 0),
    )

    found = consent_survival(frame, as_of=START + timedelta(days=31))

    assert found.select("days", "at_risk", "ended", "censored", "survival").rows() == [
        (10.0, 2, 1, 0, 0.5),
        (20.0, 1, 0, 1, 0.5),
    ]


def test_only_the_first_consent_of_a_person_counts_unless_all_are_asked_for() -> None:
    frame = events(
        ("1", "email", "subscribe", 0),
        ("1", "email", "unsubscribe", 1),
        ("1", "email", "subscribe", 2),
        ("1", "sms", "subscribe", 5),
        ("2", "letter", "subscribe", 7),
        ("2", "sms", "subscribe", 4),
    )
    as_of = START + timedelta(days=10)

    assert consent_survival(frame, as_of=as_of)["days"].to_list() == [1.0, 6.0]
    assert consent_survival(frame, as_of=as_of, by="channel").select("channel", "days").rows() == [
        ("email", 1.0),
        ("letter", 3.0),
        ("sms", 5.0),
        ("sms", 6.0),
    ]
    assert consent_survival(frame, as_of=as_of, which="all")["days"].to_list() == [
        1.0,
        3.0,
        5.0,
        6.0,
        8.0,
    ]


def test_what_comes_after_is_not_read() -> None:
    frame = events(
        ("1", "email", "subscribe", 0),
        ("1", "email", "unsubscribe", 9),
        ("2", "email", "subscribe", 5),
    )

    found = consent_survival(frame, as_of=START + timedelta(days=4))

    assert found.select("days", "ended", "censored").rows() == [(4.0, 0, 1)]
    assert found.select("survival", "lower", "upper").row(0) == (1.0, 1.0, 1.0)


def test_no_events_are_an_empty_curve_without_a_median() -> None:
    found = consent_survival(events(), as_of=date(2026, 1, 1))

    assert found.is_empty()
    assert found.schema == {
        "days": pl.Float64,
        "at_risk": pl.Int64,
        "ended": pl.Int64,
        "censored": pl.Int64,
        **dict.fromkeys(("survival", "lower", "upper"), pl.Float64),
    }
    assert median_days(found).item() is None


@pytest.mark.parametrize(
    ("name", "value"), [("confidence", 95), ("which", "last"), ("by", "reason")]
)
def test_what_cannot_be_asked_is_refused(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"{name}="):
        consent_survival(events(), as_of=date(2026, 1, 1), **{name: value})


lots = st.lists(
    st.tuples(st.integers(0, 30), st.booleans(), st.sampled_from("ab")), min_size=1, max_size=80
)


@given(lots, st.booleans())
def test_a_thinned_curve_is_exact_where_it_stands(
    rows: list[tuple[int, bool, str]], has_groups: bool
) -> None:
    schema = {"days": pl.Float64, "ended": pl.Boolean, "group": pl.String}
    durations = pl.DataFrame(rows, schema=schema, orient="row")
    keys = ["group"] if has_groups else []
    whole = consent_duration.curve(durations, keys)
    counts = [
        consent_duration.times_counted(part, keys) for part in (durations[::2], durations[1::2])
    ]

    thinned = consent_duration.thinned_curve(counts, keys, confidence=0.95, max_times=4)

    exact = ["days", "at_risk", "survival", "lower", "upper", *keys]
    assert (
        thinned.select(exact)
        .join(whole.select(exact), on=exact, how="anti", nulls_equal=True)
        .is_empty()
    )
    totals = pl.col("ended", "censored").sum()
    assert thinned.select(totals).equals(whole.select(totals))
    median = pl.col("days").filter(pl.col("survival") <= 0.5).min()
    ends = [
        pl.col("days").first().alias("first"),
        pl.col("days").last().alias("last"),
        median.alias("median"),
    ]
    by = keys or [pl.lit(0).alias("all")]
    whole_ends = whole.group_by(by).agg(ends).select(pl.all().exclude("all"))
    lengths = {tuple(group): height for *group, height in whole.group_by(by).len().rows()}
    falls = whole.filter(pl.col("ended") > 0).select("days", *keys)
    other_times = thinned.select("days", *keys).join(falls, on=["days", *keys], how="anti")
    for row in other_times.iter_rows(named=True):  # that is none of the ends, and no median
        if lengths[tuple(row[key] for key in keys) or (0,)] <= 4:  # it stays as it is
            continue
        of_group = [
            ends for ends in whole_ends.to_dicts() if all(ends[key] == row[key] for key in keys)
        ]
        assert row["days"] in of_group[0].values()
    assert (
        thinned.group_by(by)
        .agg(ends)
        .sort(pl.first())
        .equals(whole.group_by(by).agg(ends).sort(pl.first()))
    )
