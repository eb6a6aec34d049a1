"""The summary of the report: what the tables say, in words and numbers, some of them in bold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from crmlab import analysis
from crmlab.analysis import consent, pipeline, touches
from crmlab.display import plural
from crmlab.report.questions import ReportInputs
from crmlab.schema import Asked, Needs, Period, day_at, unread_note

_MAX_KINDS = 5


def bad_news(summary: pl.DataFrame, failures: Sequence[str]) -> Iterator[Markup]:
    """Say first what the numbers below lack."""
    partial = summary.filter(~pl.col("complete").fill_null(value=False))
    if partial.height:
        names = (
            partial.select(
                pl.format(
                    "{} of {}",
                    *(pl.col(name).cast(pl.String).fill_null("?") for name in ("table", "account")),
                )
            )
            .unique()
            .to_series()
        )
        yield _warning(f"Not complete: {', '.join(names.sort())}.", "See data quality.")
    if failures:
        yield _warning(f"{plural(len(failures), 'failure')}.", "See data quality.")
    if rejected := int(summary["rejected"].sum()):
        yield _warning(f"{plural(rejected, 'record')} rejected.", "They are in no number here.")


def _warning(what: str, then: str) -> Markup:
    return Markup('<span class="warn">{}</span> {}').format(what, then)


def period_in_words(asked: Asked) -> Iterator[Markup]:
    """Say of which period the tables are, where one was asked for."""
    period = Period(since=asked.since, until=asked.until)
    if period.is_bounded:
        yield _warning(
            f"Only what was changed or happened {period.in_words()}.",
            "What needs everything is not in this report.",
        )


def in_words(inputs: ReportInputs) -> Iterator[Markup]:
    """Say one line for each table of the report, also for those that are not there."""
    for line in _SAYS:
        yield _bold("<b>{}</b>: {}", line.label, _said(line, inputs))


def _said(line: _Line, inputs: ReportInputs) -> Markup | str:
    if line.tables[0] not in inputs:
        return f"absent, the table {line.tables[0]} was not fetched."
    lacking = inputs.asked.why_not_whole(line.tables) if line.needs == "everything" else ""
    if lacking:
        return f"not said, for this needs {lacking}."
    notes = [inputs.asked.period_note(line.tables), unread_note(inputs.summary, line.tables)]
    return line.say(inputs) + "".join(f" {note}." for note in notes if note)


def _bold(template: str, *values: object) -> Markup:
    """Return a line of which the template marks parts as bold; the values are escaped."""
    return Markup(template).format(*values)  # noqa: S704  # templates stand in this file


def _closed(inputs: ReportInputs) -> Markup:
    deals = inputs["deals"]
    won, lost = analysis.win_rate(deals).select(pl.col("won", "lost").sum()).row(0)
    rate: str = "None closed."
    if won + lost:
        rate = _bold(
            "Win rate <b>{:.0%}</b> ({:,} of {:,} closed).", won / (won + lost), won, won + lost
        )
    won_sum, lost_sum = (_amounts(deals, state) for state in (pipeline.WON, pipeline.LOST))
    return _bold("<b>{:,}</b> won{}, {:,} lost{}. {}", won, won_sum, lost, lost_sum, rate)


def _open(inputs: ReportInputs) -> Markup:
    deals = inputs["deals"]
    count = plural(deals.filter(pipeline.OPEN).height, "deal")
    return _bold("<b>{}</b> open{}.", count, _amounts(deals, pipeline.OPEN))


def _amounts(deals: pl.DataFrame, state: pl.Expr) -> str:
    """Return " (1,000 EUR and 500 USD)": one sum for each currency."""
    deals = deals.filter(state)
    if deals.is_empty():
        return ""
    group = (
        pl.col("currency")
        if pipeline.currencies(deals)
        else pl.lit(deals["currency"].drop_nulls().first(), pl.String)
    )
    sums = (
        deals.group_by(group.alias("currency"))
        .agg(pipeline.VALUE.sum().alias("amount"))
        .sort("currency", nulls_last=True)
    )
    words = (
        f"{amount:,.0f} {currency or 'without currency'}" for currency, amount in sums.iter_rows()
    )
    return f" ({' and '.join(words)})"


def _activities(inputs: ReportInputs) -> Markup:
    activities = inputs["activities"]
    times = activities.select(touches.HAPPENED).to_series()
    return _kinds(touches.with_count(activities, "kind")) + _span(times, inputs.time_zone)


def _consent_events(inputs: ReportInputs) -> Markup:
    events = inputs["consent_events"]
    said = events.select("kind", pl.lit(1).alias("count"))
    return _kinds(said) + _span(events.select(consent.SAID).to_series(), inputs.time_zone)


def _kinds(frame: pl.DataFrame) -> Markup:
    """Return how many there are of each kind. Reads kind, count."""
    counts = (
        frame.group_by("kind")
        .agg(n=pl.col("count").sum())
        .sort("n", "kind", descending=[True, False])
    )
    shown = _MAX_KINDS if counts.height > _MAX_KINDS + 1 else counts.height
    named = [f"{n:,} {kind or 'without kind'}" for kind, n in counts.head(shown).iter_rows()]
    if counts.height > shown:
        named.append(f"{int(counts['n'][shown:].sum()):,} of {counts.height - shown} other kinds")
    return _bold("<b>{:,}</b>{}", int(counts["n"].sum()), f" ({', '.join(named)})" if named else "")


def _span(time: pl.Series, time_zone: str) -> str:
    first, last = time.min(), time.max()
    if not isinstance(first, dt.datetime) or not isinstance(last, dt.datetime):
        return "."
    return f", {day_at(first, time_zone)} to {day_at(last, time_zone)} ({time_zone})."


def _across(inputs: ReportInputs) -> Markup:
    contacts = plural(inputs["contacts"].height, "contact")
    if inputs.people is None:
        return _bold("{}; which of them are one person, masked data do not tell.", contacts)
    known = inputs.people["person_id"].n_unique()
    said = _bold("{} are <b>{}</b>", contacts, plural(known, "person", "people"))
    if "consent_events" not in inputs or "activities" not in inputs:
        return said + "."
    done = inputs["activities"], inputs["consent_events"], inputs.people
    late = analysis.activities_after_opt_out(*done, as_of=inputs.as_of, contacts=inputs["contacts"])
    contacted = late["person_id"].n_unique()
    mailed = analysis.mailed_but_objected(
        inputs["contacts"], inputs["subscriptions"], *done, as_of=inputs.as_of
    )
    objected = mailed["person_id"].n_unique()
    return _bold(
        "{}; <b>{:,}</b> of them contacted on a channel after opting out of it, "
        "<b>{:,}</b> mailed although they object.",
        said,
        contacted,
        objected,
    )


def _banner(inputs: ReportInputs) -> Markup:
    days = analysis.consent_banner(inputs["consent_statistics"]).drop_nulls(
        ["visitors_exposed", "optin", "optout"]
    )
    shown, yes, no = (
        int(number)
        for number in days.select(pl.col("visitors_exposed", "optin", "optout").sum()).row(0)
    )
    if not shown:
        return Markup("no visitor saw it.")
    return _bold(
        "opt-in rate <b>{:.0%}</b> ({:,} of {:,} exposed visitors), opt-out rate {:.0%}, over {}.",
        yes / shown,
        yes,
        shown,
        no / shown,
        plural(days.height, "day"),
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the summary: the first of its tables must be there."""

    label: str
    tables: tuple[str, ...]
    needs: Needs
    say: Callable[[ReportInputs], Markup]


_SAYS = (
    _Line("Closed deals", ("deals",), "period", _closed),
    _Line("Open pipeline", ("deals",), "everything", _open),
    _Line("Activities", ("activities",), "period", _activities),
    _Line("Consent events", ("consent_events",), "period", _consent_events),
    _Line("Consent banner", ("consent_statistics",), "period", _banner),
    _Line(
        "Across services",
        ("contacts", "consent_events", "activities", "subscriptions"),
        "everything",
        _across,
    ),
)
