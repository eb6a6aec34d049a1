"""How long consents last, of which some have not ended yet."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import polars as pl

from crmlab.analysis import survival
from crmlab.analysis.consent_state import state_of_part
from crmlab.analysis.decisions import OPT_IN, SUBJECT_KEYS, consent_periods, dated_events
from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import By, answer, keys_of, names_of, read
from crmlab.analysis.subject_parts import Evidence, in_parts
from crmlab.analysis.subjects import Subject
from crmlab.errors import UsageError
from crmlab.schema import TimeLike, as_instant

__all__ = ["consent_survival"]

DAY_US = 86_400_000_000
#: of so many times a curve of one group is made at most: more cannot be told apart
MAX_TIMES = 1_000
_HALF = 0.5


def curve(
    durations: pl.DataFrame, keys: Sequence[str] = (), *, confidence: float = 0.95
) -> pl.DataFrame:
    """Return the share that lasts longer than each duration, those that have not ended counted as long as seen.

    ``survival(t)`` = the product of ``1 - ended / at_risk`` over all durations up to t. The band is that of
    ``log(-log(survival))`` with Greenwood's variance, the sum of ``ended / (at_risk * (at_risk - ended))``: it
    stays within 0 and 1.

    Parameters
    ----------
    durations
        Reads days (Float64, how long it lasted or has lasted), ended (Boolean, false: it still lasts) and
        the columns of `by`.
    keys
        Columns to estimate apart, by their names in `durations`.
    confidence
        Of the band, between 0 and 1; pointwise.

    Returns
    -------
    pl.DataFrame
        Sorted; one row per duration: the columns of `by`, days (Float64), at_risk (Int64, that lasted as long
        at least), ended, censored (Int64, at that duration), survival (Float64, 0-1), lower, upper (Float64;
        1 while none ended, null once none is left).

    Raises
    ------
    UsageError
        `confidence` is not between 0 and 1, or a column of `by` is missing.

    Notes
    -----
    https://rdrr.io/cran/epitools/man/kapmeier.html. The periods of one person are not independent: give one each.

    Examples
    --------
    >>> import polars as pl
    >>> with pl.Config(tbl_cols=-1, tbl_width_chars=100):
    ...     curve(pl.DataFrame({"days": [1.0, 2.0, 2.0, 5.0], "ended": [True, True, False, False]}))
    shape: (3, 7)
    ┌──────┬─────────┬───────┬──────────┬──────────┬──────────┬──────────┐
    │ days ┆ at_risk ┆ ended ┆ censored ┆ survival ┆ lower    ┆ upper    │
    │ ---  ┆ ---     ┆ ---   ┆ ---      ┆ ---      ┆ ---      ┆ ---      │
    │ f64  ┆ i64     ┆ i64   ┆ i64      ┆ f64      ┆ f64      ┆ f64      │
    ╞══════╪═════════╪═══════╪══════════╪══════════╪══════════╪══════════╡
    │ 1.0  ┆ 4       ┆ 1     ┆ 0        ┆ 0.75     ┆ 0.127947 ┆ 0.960549 │
    │ 2.0  ┆ 3       ┆ 1     ┆ 1        ┆ 0.5      ┆ 0.057847 ┆ 0.844861 │
    │ 5.0  ┆ 1       ┆ 0     ┆ 1        ┆ 0.5      ┆ 0.057847 ┆ 0.844861 │
    └──────┴─────────┴───────┴──────────┴──────────┴──────────┴──────────┘
    """
    names = names_of(keys)
    return _curve([times_counted(durations, names)], names, confidence)


def times_counted(durations: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return how many durations ended at each time and how many were last seen then. Reads days, ended and the keys."""
    return survival.times_counted(
        durations.select(*keys, pl.col("days").alias("duration"), "ended"), keys
    )


def thinned_curve(
    counts: Iterable[pl.DataFrame],
    keys: Sequence[str],
    *,
    confidence: float,
    max_times: int = MAX_TIMES,
) -> pl.DataFrame:
    """Return the curve of what `times_counted` returned for the parts of the durations, at `max_times` of each group.

    Shares, bands and who is at risk are exact at the times that are kept: the first, the last, the median and others
    evenly among those at which something ended. Who ended or was censored since the time before stands there as well,
    so that the sums are those of all durations.
    """
    if not keys:
        return _thinned(_curve([*counts], [], confidence), max_times)
    # one group after the other: millions of durations have nearly as many times
    names_of_parts: list[pl.DataFrame] = []
    without_rows: list[pl.DataFrame] = []
    times_by_group: defaultdict[tuple[object, ...], list[pl.DataFrame]] = defaultdict(list)
    for part in counts:
        names_of_parts.append(part.select(keys).unique())
        without_rows.append(part.clear())
        for group, times in part.partition_by(keys, as_dict=True, include_key=False).items():
            times_by_group[group].append(times)
    groups = pl.concat(names_of_parts).unique().sort(keys, nulls_last=True)
    curves = [_curve(without_rows, keys, confidence)]  # there may be no group at all
    for place, group in enumerate(groups.rows()):
        curve_of_group = _thinned(_curve(times_by_group.pop(group), [], confidence), max_times)
        curves.append(groups[place].join(curve_of_group, how="cross"))
    return pl.concat(curves)


def _thinned(whole_curve: pl.DataFrame, max_times: int) -> pl.DataFrame:
    """Return the curve of one group at about so many of its times."""
    if whole_curve.height <= max_times:
        return whole_curve
    both_counts = pl.col("ended", "censored")
    # which are kept is decided by who ended at each, before that becomes a sum
    with_sums = whole_curve.with_columns(both_counts.cum_sum(), is_kept=_is_kept(max_times))
    at_kept = with_sums.filter("is_kept").drop("is_kept")
    # a time that is kept also counts those before it that are not
    return at_kept.with_columns(both_counts - both_counts.shift(1, fill_value=0))


def _is_kept(max_times: int) -> pl.Expr:
    """Return which times of a long curve are kept: its ends, its median, and falls at equal distances."""
    is_fall = pl.col("ended") > 0
    fall_number = is_fall.cum_sum() - 1
    every_so_many = (is_fall.sum() + max_times - 1) // max_times
    is_half = pl.col("survival") <= _HALF
    is_median = is_half & ~is_half.shift(1, fill_value=False)
    position = pl.int_range(pl.len())
    is_end = (position == 0) | (position == pl.len() - 1)
    return is_end | is_median | (is_fall & (fall_number % every_so_many == 0))


def _curve(counts: Sequence[pl.DataFrame], keys: Sequence[str], confidence: float) -> pl.DataFrame:
    surviving = survival.curve_of(counts, keys)
    banded = survival.banded(surviving, keys, confidence)
    return banded.rename({"time": "days", "surviving": "survival"})


def median_days(curve: pl.DataFrame, *, by: By = None) -> pl.DataFrame:
    """Return the duration that half outlast: the first at which survival is 0.5 or less.

    Parameters
    ----------
    curve
        What `curve` returns. Reads days, survival and the columns of `by`.
    by
        As given to `curve`.

    Returns
    -------
    pl.DataFrame
        One row per group: the columns of `by`, median_days (Float64, null where more than half still last).

    Raises
    ------
    UsageError
        A column of `by` is missing.

    Notes
    -----
    https://rdrr.io/cran/epitools/man/kapmeier.html.

    Examples
    --------
    >>> import polars as pl
    >>> median_days(curve(pl.DataFrame({"days": [1.0, 2.0, 9.0], "ended": [True, True, False]}))).item()
    2.0
    """
    return answer(medians(curve, by))


def medians(curve: pl.DataFrame, by: By) -> pl.DataFrame:
    """Return `median_days`, with the columns of `by` under their private names: they may be called like anything."""
    known_curve = read(curve, "curve", "days", "survival", by=by)
    keys = keys_of(by)
    median = pl.col("days").filter(pl.col("survival") <= _HALF).min().alias("median_days")
    if not keys:
        return known_curve.select(median)
    return known_curve.group_by(keys).agg(median).sort(keys, nulls_last=True)


@answers("everything")
def consent_survival(
    consent_events: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    subject: Subject = "contact",
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
    which: Literal["first", "all"] = "first",
    confidence: float = 0.95,
    time_zone: str = "UTC",
) -> pl.DataFrame:
    """Return the share of consents that last longer than each number of days.

    A consent lasts from an opt-in to the next opt-out of the same person, channel and purpose; opt-ins in between are
    repeats. What lasts at `as_of` is censored there: it counts for as long as it was seen. What a subscription or
    `do_not_contact` ended is left out, for they do not say when; so is what only they tell of.

    Parameters
    ----------
    consent_events
        As of `crmlab.analysis.current_consent`.
    as_of
        The moment to look from; a date is the beginning of that day in `time_zone`. Later events are not
        read.
    by
        Columns to estimate apart: channel, purpose, source (of the opt-in), provider, account.
    subject
        ``"contact"`` or ``"email"``, see `crmlab.analysis.current_consent`.
    subscriptions, contacts
        As of `crmlab.analysis.current_consent`.
    which
        ``"first"``: the first consent of each person in each group, since several of one person are not
        independent and the band would be too narrow; ``"all"``.
    confidence
        Of the band.
    time_zone
        IANA name; read where `as_of` is a date.

    Returns
    -------
    pl.DataFrame
        As `curve`: the columns of `by`, days (Float64, of 24 hours), at_risk, ended, censored
        (Int64, consents), survival, lower, upper (Float64, 0-1). Of more than 1,000 times about 1,000 are kept for each
        group: the first, the last, the median and others evenly. What stands there is exact; ended and censored count
        what was since the time before.

    Raises
    ------
    UsageError
        `as_of`, `by`, `subject`, `which` or `confidence` is not known.

    Notes
    -----
    https://rdrr.io/cran/epitools/man/kapmeier.html. Consents from before the events that were fetched are not seen.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"provider": ["altcraft"] * 3, "opted_in": [True, True, False],
    ...         "contact_id": ["1", "2", "1"], "occurred_at": [datetime(2026, 1, day) for day in (1, 1, 11)]}
    >>> frame = pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> consent_survival(conform(frame, TABLES["consent_events"]), as_of=date(2026, 1, 31)).drop("lower", "upper")
    shape: (2, 5)
    ┌──────┬─────────┬───────┬──────────┬──────────┐
    │ days ┆ at_risk ┆ ended ┆ censored ┆ survival │
    │ ---  ┆ ---     ┆ ---   ┆ ---      ┆ ---      │
    │ f64  ┆ i64     ┆ i64   ┆ i64      ┆ f64      │
    ╞══════╪═════════╪═══════╪══════════╪══════════╡
    │ 10.0 ┆ 2       ┆ 1     ┆ 0        ┆ 0.5      │
    │ 30.0 ┆ 1       ┆ 0     ┆ 1        ┆ 0.5      │
    └──────┴─────────┴───────┴──────────┴──────────┘
    """
    if which not in ("first", "all"):
        raise UsageError(f"which={which!r}: give 'first' (one consent of each person) or 'all'")
    now = as_instant(as_of, "as_of", time_zone)
    keys = keys_of(by)

    def counts() -> Iterator[pl.DataFrame]:
        for part in in_parts(Evidence(consent_events, subscriptions, contacts), subject, by):
            periods = _periods(part, now, subject, by)
            if which == "first":
                in_time = periods.sort("start")
                one_of_each = ["subject", *keys]
                periods = in_time.unique(one_of_each, keep="first", maintain_order=True)
            yield times_counted(lasting(periods, now), keys)

    return answer(thinned_curve(counts(), keys, confidence=confidence))


def _periods(evidence: Evidence, now: dt.datetime, subject: Subject, by: By) -> pl.DataFrame:
    """Return the consents whose beginning and end are known, or that last."""
    events, subscriptions, contacts = evidence
    periods = consent_periods(dated_events(events, now, subject, contacts=contacts, by=by))
    if subscriptions is None and contacts is None:
        return periods
    return without_undated_ends(periods, state_of_part(evidence, now, subject))


def without_undated_ends(periods: pl.DataFrame, state: pl.DataFrame) -> pl.DataFrame:
    """Return the periods of consent but those that a state without a time ended, which do not say when.

    Parameters
    ----------
    periods
        What `consent_periods` returns.
    state
        What `state_of` returns for the same moment.
    """
    in_force = state.filter(pl.col("decision") == OPT_IN)
    has_no_end = pl.col("end").is_null()
    still_in_force = periods.filter(has_no_end).join(
        in_force, on=SUBJECT_KEYS, how="semi", nulls_equal=True
    )
    return pl.concat([periods.filter(~has_no_end), still_in_force])


def lasting(periods: pl.DataFrame, as_of: dt.datetime) -> pl.DataFrame:
    """Return the periods of consent (start, end, null while it lasts) with days and ended."""
    # what has not ended has lasted up to now
    duration = pl.col("end").fill_null(as_of) - pl.col("start")
    return periods.with_columns(
        days=duration.dt.total_microseconds() / DAY_US,
        ended=pl.col("end").is_not_null(),
    )
