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
_PARTS = {"p90": "90th percentile", "optin": "opt-in", "optout": "opt-out", "opt": "opt-"}


def numbers_in_words(answer: Answer, inputs: ReportInputs) -> Markup | None:
    """Return the numbers that a chart shows as an HTML table; None where there are none."""
    shorter = _SHORTER.get(answer.entry.name)
    numbers = shorter(answer.numbers) if shorter else answer.numbers
    if numbers.is_empty():
        return None
    title = re.sub("<[^>]*>", "", answer.figure.layout.title.text)
    currency = None if "currency" in numbers.columns else only_currency(inputs["deals"])
    return table(numbers, f"The numbers of: {title}", inputs.time_zone, currency)


def table(numbers: pl.DataFrame, label: str, time_zone: str, currency: str | None) -> Markup:
    """Return numbers as an HTML table in words; amounts are in `currency` where it is known."""
    columns = [_readable(values, time_zone, currency) for values in numbers]
    to_the_right = [
        column.name
        for column, values in zip(columns, numbers, strict=True)
        if values.dtype.is_numeric()
    ]
    return html_table(pl.DataFrame(columns), label=label, absent=_ABSENT, to_the_right=to_the_right)


def _readable(values: pl.Series, time_zone: str, currency: str | None) -> pl.Series:
    """Return a column as text that can be read, with its unit in its name."""
    name = values.name
    head = heading(name)
    if isinstance(values.dtype, pl.List):
        return _as_text(values, head, lambda several: ", ".join(cell(each) for each in several))
    if isinstance(values.dtype, pl.Datetime):
        local = values.dt.convert_time_zone(time_zone) if values.dtype.time_zone else values
        return _as_text(local, head, lambda time: f"{time:%Y-%m-%d %H:%M}")
    if name.endswith("_hours") and values.dtype.is_numeric():
        return _hours(values)
    if values.dtype.is_float() and (name == "days" or name.endswith("_days")):
        return _as_text(values, head, "{:,.1f}".format)
    if values.dtype.is_float() and _IS_SHARE.search(name):
        return _as_text(values, head, "{:.1%}".format)
    if values.dtype.is_float() and currency and _IS_MONEY.search(name):
        return _as_text(values, f"{head} ({currency})", cell)
    return _as_text(values, head, cell)


def _hours(values: pl.Series) -> pl.Series:
    """Return hours as hours, or as days where some are long."""
    name = values.name.removesuffix("_hours")
    longest = values.cast(pl.Float64).max()
    if isinstance(longest, float) and longest > _MAX_HOURS:
        return _as_text(values / _HOURS_A_DAY, heading(f"{name}_days"), "{:,.1f}".format)
    return _as_text(values, heading(values.name), "{:,.1f}".format)


def _as_text(values: pl.Series, head: str, in_words: Callable[..., str]) -> pl.Series:
    texts = [None if value is None else in_words(value) for value in values]
    return pl.Series(head, texts, dtype=pl.String)


def heading(name: str) -> str:
    """Return the name of a column in words.

    >>> heading("p90_days"), heading("overdue_8_to_30_days"), heading("opt_ins")
    ('90th percentile (days)', 'overdue 8 to 30 days', 'opt-ins')
    """
    if name in _WORDS:
        return _WORDS[name]
    *first, last = name.split("_")
    has_unit = bool(first) and last in ("days", "hours") and not first[-1].isdigit()
    parts = first if has_unit else [*first, last]
    words = " ".join(_PARTS.get(part, part) for part in parts).replace("- ", "-")
    return f"{words} ({last})" if has_unit else words


# ---- numbers of which a page shows no more than what can be read, and nobody who is in them -------


def _ages(deals: pl.DataFrame) -> pl.DataFrame:
    """Count by stage: the names of single deals are not for a report."""
    stage = ["pipeline_id", "stage", "stage_label"]
    return (
        deals.group_by(stage)
        .agg(
            pl.len().cast(pl.Int64).alias("open_deals"),
            pl.col("stuck").sum().cast(pl.Int64),
            pl.col("age_days").median().alias("median_age_days"),
        )
        .sort(stage, nulls_last=True)
        .drop("pipeline_id", "stage")
    )


def _touches(deals: pl.DataFrame) -> pl.DataFrame:
    counted = (
        pl.len().cast(pl.Int64).alias("open_deals"),
        pl.col("days").median().alias("median_days"),
    )
    return deals.group_by("state").agg(counted).sort("median_days", "state", nulls_last=True)


def _people_in(found: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Count rows and people: who they are is not for a report."""
    counts = (
        pl.len().cast(pl.Int64).alias("rows"),
        pl.col("person_id").n_unique().cast(pl.Int64).alias("people"),
    )
    return found.group_by(by).agg(counts).sort("rows", *by, descending=[True] + [False] * len(by))


def _week(counts: pl.DataFrame) -> pl.DataFrame:
    """A row for each hour, a column for each weekday."""
    return counts.pivot("weekday", index="hour", values="count").select(
        "hour", *(pl.col(str(number)).alias(name) for number, name in enumerate(_WEEKDAYS, 1))
    )


def _cohorts(cohorts: pl.DataFrame) -> pl.DataFrame:
    """A row for each month of creating, and what was won of it to this day."""
    keys = [name for name in cohorts.columns if name not in ("months", "won", "win_share")]
    last = pl.col("months", "won", "win_share").sort_by("months").last()
    return cohorts.group_by(keys, maintain_order=True).agg(last).rename({"months": "months_since"})


def _survival(curve: pl.DataFrame) -> pl.DataFrame:
    """The last step of each curve at some days; none beyond its end."""
    days = pl.DataFrame({"after_days": _DAYS})
    steps = curve.join(days, how="cross").filter(
        pl.col("after_days") <= pl.col("days").max().over("channel")
    )
    before = pl.col("survival", "lower", "upper").filter(pl.col("days") <= pl.col("after_days"))
    return (
        steps.group_by("channel", "after_days")
        .agg(before.last().fill_null(1.0))
        .sort("channel", "after_days", nulls_last=True)
    )


def _confirmed(curve: pl.DataFrame) -> pl.DataFrame:
    """The share that has confirmed at some days: what is left of the curve of those who wait."""
    waiting = _survival(curve)
    shares = (
        (1 - pl.col("survival")).alias("confirmed_share"),
        (1 - pl.col("upper")).alias("lower"),
        (1 - pl.col("lower")).alias("upper"),
    )
    return waiting.select("channel", "after_days", *shares)


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
