"""The numbers of a question as a page shows them: in words, with their units, and without single people and deals."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import polars as pl

from crmlab.analysis.pipeline import only_currency
from crmlab.display import cell, html_table
from crmlab.report.questions import Answer, ReportInputs

if TYPE_CHECKING:
    from markupsafe import Markup

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: days at which the table tells the curve of survival
_DAYS = (1, 7, 30, 90, 180, 365, 730, 1095)
_ABSENT = "-"
_HOURS_A_DAY = 24
#: longer times are in days
_MAX_HOURS = 48

#: columns that hold a part of a whole, 0 to 1; what is "per day" is none
_IS_SHARE = re.compile(
    r"(^|_)(rate|share|coverage|survival|lower|upper|low|high)(_|$)|_per_(?!day)"
)
_IS_MONEY = re.compile(r"amount$|^velocity_per_day$")
#: names and parts of names that are no words
_WORDS = {
    "of": "of how many",
    "survival": "still in force",
    "lower": "lower bound (95 %)",
    "low": "lower bound (95 %)",
    "upper": "upper bound (95 %)",
    "high": "upper bound (95 %)",
}
_PARTS = {
    "p90": "90th percentile",
    "optin": "opt-in",
    "optout": "opt-out",
    "opt": "opt-",
}


def numbers_in_words(answer: Answer, inputs: ReportInputs) -> Markup | None:
    """Return the numbers that a chart shows as an HTML table; None where there are none."""
    numbers = answer.numbers
    shorten = _SHORTER.get(answer.entry.name)
    if shorten:
        numbers = shorten(numbers)
    if numbers.is_empty():
        return None

    title = re.sub("<[^<>]*>", "", answer.figure.layout.title.text)
    currency = None
    # with a column for it the amounts are of several
    if "currency" not in numbers.columns:
        currency = only_currency(inputs["deals"])
    return table(numbers, f"The numbers of: {title}", inputs.time_zone, currency)


def table(
    numbers: pl.DataFrame,
    label: str,
    time_zone: str,
    currency: str | None,
) -> Markup:
    """Return numbers as an HTML table in words; amounts are in `currency` where it is known."""
    columns = []
    to_the_right = []
    for values in numbers:
        readable = _readable(values, time_zone, currency)
        columns.append(readable)
        # asked of the values: what can be read is text
        if values.dtype.is_numeric():
            to_the_right.append(readable.name)
    readable_numbers = pl.DataFrame(columns)
    return html_table(
        readable_numbers,
        label=label,
        absent=_ABSENT,
        to_the_right=to_the_right,
    )


def _readable(
    values: pl.Series,
    time_zone: str,
    currency: str | None,
) -> pl.Series:
    """Return a column as text that can be read, with its unit in its name."""
    if isinstance(values.dtype, pl.List):
        return _as_text(values, heading(values.name), _list_in_words)
    if isinstance(values.dtype, pl.Datetime):
        return _times(values, time_zone)
    if values.name.endswith("_hours") and values.dtype.is_numeric():
        return _hours(values)
    if values.dtype.is_float():
        return _floats(values, currency)
    return _as_text(values, heading(values.name), cell)


def _list_in_words(values: pl.Series) -> str:
    return ", ".join(cell(value) for value in values)


def _times(values: pl.Series, time_zone: str) -> pl.Series:
    """Return times by the clock of the report; those without a zone stay as they are."""
    local = values
    if getattr(values.dtype, "time_zone", None):
        local = values.dt.convert_time_zone(time_zone)
    return _as_text(local, heading(values.name), lambda time: f"{time:%Y-%m-%d %H:%M}")


def _floats(values: pl.Series, currency: str | None) -> pl.Series:
    """Return days, shares and amounts each as such: the name of the column tells which they are."""
    name = values.name
    words = heading(name)
    if name == "days" or name.endswith("_days"):
        return _as_text(values, words, "{:,.1f}".format)
    if _IS_SHARE.search(name):
        return _as_text(values, words, "{:.1%}".format)
    if currency and _IS_MONEY.search(name):
        return _as_text(values, f"{words} ({currency})", cell)
    return _as_text(values, words, cell)


def _hours(values: pl.Series) -> pl.Series:
    """Return hours as hours, or as days where some are long."""
    name = values.name.removesuffix("_hours")
    longest = values.cast(pl.Float64).max()
    in_words = "{:,.1f}".format
    if isinstance(longest, float) and longest > _MAX_HOURS:
        days = values / _HOURS_A_DAY
        return _as_text(days, heading(f"{name}_days"), in_words)
    return _as_text(values, heading(values.name), in_words)


def _as_text(
    values: pl.Series,
    name: str,
    in_words: Callable[..., str],
) -> pl.Series:
    texts = []
    for value in values:
        text = None
        if value is not None:
            text = in_words(value)
        texts.append(text)
    return pl.Series(name, texts, dtype=pl.String)


def heading(name: str) -> str:
    """Return the name of a column in words.

    >>> heading("p90_days"), heading("overdue_8_to_30_days"), heading("opt_ins")
    ('90th percentile (days)', 'overdue 8 to 30 days', 'opt-ins')
    """
    if name in _WORDS:
        return _WORDS[name]
    *first_parts, last_part = name.split("_")
    # "overdue_8_to_30_days" has its unit in its words
    is_unit = last_part in ("days", "hours")
    has_unit = is_unit and bool(first_parts) and not first_parts[-1].isdigit()
    unit = ""
    parts = [*first_parts, last_part]
    if has_unit:
        unit = f" ({last_part})"
        parts = first_parts
    words = [_PARTS.get(part, part) for part in parts]
    # "opt_ins" came apart at its underscore
    return " ".join(words).replace("- ", "-") + unit


# ---- numbers of which a page shows no more than what can be read, and nobody who is in them -------


def _ages(deals: pl.DataFrame) -> pl.DataFrame:
    """Count by stage: the names of single deals are not for a report."""
    stage = ["pipeline_id", "stage", "stage_label"]
    row_count = pl.len().cast(pl.Int64)
    stuck_count = pl.col("stuck").sum().cast(pl.Int64)
    counts = deals.group_by(stage).agg(
        row_count.alias("open_deals"),
        stuck_count,
        pl.col("age_days").median().alias("median_age_days"),
    )
    # in the order of the stages, of which a page shows the names only
    return counts.sort(stage, nulls_last=True).drop("pipeline_id", "stage")


def _touches(deals: pl.DataFrame) -> pl.DataFrame:
    by_state = deals.group_by("state").agg(
        open_deals=pl.len().cast(pl.Int64),
        median_days=pl.col("days").median(),
    )
    return by_state.sort("median_days", "state", nulls_last=True)


def _people_in(found: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Count rows and people: who they are is not for a report."""
    row_count = pl.len().cast(pl.Int64)
    people_count = pl.col("person_id").n_unique().cast(pl.Int64)
    counts = found.group_by(by).agg(
        row_count.alias("rows"),
        people_count.alias("people"),
    )
    most_first = [True] + [False] * len(by)
    return counts.sort("rows", *by, descending=most_first)


def _week(counts: pl.DataFrame) -> pl.DataFrame:
    """A row for each hour, a column for each weekday."""
    by_hour = counts.pivot("weekday", index="hour", values="count")
    # weekdays are numbers, the first is Monday
    numbers = map(str, range(1, len(_WEEKDAYS) + 1))
    names = dict(zip(numbers, _WEEKDAYS, strict=True))
    return by_hour.select("hour", *names).rename(names)


def _cohorts(cohorts: pl.DataFrame) -> pl.DataFrame:
    """A row for each month of creating, and what was won of it to this day."""
    of_a_month = ("months", "won", "win_share")
    key_columns = [column for column in cohorts.columns if column not in of_a_month]
    latest = pl.col(of_a_month).sort_by("months").last()
    by_cohort = cohorts.group_by(key_columns, maintain_order=True).agg(latest)
    return by_cohort.rename({"months": "months_since"})


def _survival(curve: pl.DataFrame) -> pl.DataFrame:
    """The last step of each curve at some days; none beyond its end."""
    shown_days = pl.DataFrame({"after_days": _DAYS})
    last_day = pl.col("days").max().over("channel")
    is_within = pl.col("after_days") <= last_day
    steps = curve.join(shown_days, how="cross").filter(is_within)
    is_before = pl.col("days") <= pl.col("after_days")
    estimates = pl.col("survival", "lower", "upper")
    reached = estimates.filter(is_before).last()
    # before the first step everybody is there
    shares = steps.group_by("channel", "after_days").agg(reached.fill_null(1.0))
    return shares.sort("channel", "after_days", nulls_last=True)


def _confirmed(curve: pl.DataFrame) -> pl.DataFrame:
    """The share that has confirmed at some days: what is left of the curve of those who wait."""
    waiting = _survival(curve)
    # the more still wait at most, the fewer have confirmed at least: the bounds change places
    return waiting.select(
        "channel",
        "after_days",
        confirmed_share=1 - pl.col("survival"),
        lower=1 - pl.col("upper"),
        upper=1 - pl.col("lower"),
    )


_SHORTER: Mapping[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "ageing": _ages,
    "days_since_last_touch": _touches,
    "win_cohorts": _cohorts,
    "activity_heatmap": _week,
    "email_engagement": lambda campaigns: campaigns.drop("provider", "campaign_id"),
    "email_engagement_over_time": lambda periods: periods.drop("provider"),
    "consent_survival": _survival,
    "time_to_confirm": _confirmed,
    "activities_after_opt_out": lambda done: _people_in(done, "provider", "channel", "kind"),
    "mailed_but_objected": lambda mailed: _people_in(mailed, "objected_provider", "objection"),
}
