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
from crmlab.report.quality import not_complete
from crmlab.report.questions import ReportInputs
from crmlab.schema import Asked, Needs, Period, day_at, unread_note

_MAX_KINDS = 5


def bad_news(summary: pl.DataFrame, failures: Sequence[str]) -> Iterator[Markup]:
    """Say first what the numbers below lack."""
    partial = not_complete(summary)
    if partial.height:
        known = partial.select(pl.col("table", "account").cast(pl.String).fill_null("?"))
        table_of_account = pl.format("{} of {}", "table", "account")
        # a table that comes from two lists of an account has two rows
        places = known.select(table_of_account).unique().to_series().sort()
        yield _warning(f"Not complete: {', '.join(places)}.", "See data quality.")
    if failures:
        yield _warning(f"{plural(len(failures), 'failure')}.", "See data quality.")
    rejected = int(summary["rejected"].sum())
    if rejected:
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
    if line.needs == "everything":
        lacking = inputs.asked.why_not_whole(line.tables)
        if lacking:
            return f"not said, for this needs {lacking}."

    said: Markup = line.say(inputs)
    period_note = inputs.asked.period_note(line.tables)
    not_read = unread_note(inputs.summary, line.tables)
    for further_note in filter(None, (period_note, not_read)):
        said += f" {further_note}."
    return said


def _bold(template: str, *values: object) -> Markup:
    """Return a line of which the template marks parts as bold; the values are escaped."""
    return Markup(template).format(*values)  # noqa: S704  # templates stand in this file


def _closed(inputs: ReportInputs) -> Markup:
    deals = inputs["deals"]
    # the analysis has a row for each currency
    rates = analysis.win_rate(deals)
    won, lost = rates.select(pl.col("won", "lost").sum()).row(0)
    closed = won + lost
    rate_in_words: str = "None closed."
    if closed:
        rate_in_words = _bold(
            "Win rate <b>{:.0%}</b> ({:,} of {:,} closed).", won / closed, won, closed
        )
    won_amounts = _amounts(deals, pipeline.WON)
    lost_amounts = _amounts(deals, pipeline.LOST)
    return _bold(
        "<b>{:,}</b> won{}, {:,} lost{}. {}", won, won_amounts, lost, lost_amounts, rate_in_words
    )


def _open(inputs: ReportInputs) -> Markup:
    deals = inputs["deals"]
    count = plural(deals.filter(pipeline.OPEN).height, "deal")
    return _bold("<b>{}</b> open{}.", count, _amounts(deals, pipeline.OPEN))


def _amounts(deals: pl.DataFrame, state: pl.Expr) -> str:
    """Return " (1,000 EUR and 500 USD)": one sum for each currency."""
    of_state = deals.filter(state)
    if of_state.is_empty():
        return ""
    # deals that name no currency are in the only one, where there is but one
    first_currency = of_state["currency"].drop_nulls().first()
    currency = pl.lit(first_currency, pl.String)
    if pipeline.currencies(of_state):
        currency = pl.col("currency")
    by_currency = of_state.group_by(currency.alias("currency"))
    sums = by_currency.agg(pipeline.VALUE.sum().alias("amount"))
    sums = sums.sort("currency", nulls_last=True)
    words = [f"{amount:,.0f} {name or 'without currency'}" for name, amount in sums.iter_rows()]
    return f" ({' and '.join(words)})"


def _activities(inputs: ReportInputs) -> Markup:
    activities = inputs["activities"]
    happened = activities.select(touches.HAPPENED).to_series()
    # one row may be of several activities
    counts = touches.with_count(activities, "kind")
    return _kinds(counts) + _span(happened, inputs.time_zone)


def _consent_events(inputs: ReportInputs) -> Markup:
    events = inputs["consent_events"]
    counts = events.select("kind", pl.lit(1).alias("count"))
    said_at = events.select(consent.SAID).to_series()
    return _kinds(counts) + _span(said_at, inputs.time_zone)


def _kinds(frame: pl.DataFrame) -> Markup:
    """Return how many there are of each kind. Reads kind, count."""
    total = pl.col("count").sum().alias("n")
    totals = frame.group_by("kind").agg(total)
    counts = totals.sort("n", "kind", descending=[True, False])
    number_shown = counts.height
    # "and 1 other kind" would be no shorter than the kind
    if counts.height > _MAX_KINDS + 1:
        number_shown = _MAX_KINDS
    shown = counts.head(number_shown)
    others = counts.slice(number_shown)
    named = [f"{count:,} {kind or 'without kind'}" for kind, count in shown.iter_rows()]
    if others.height:
        named.append(f"{int(others['n'].sum()):,} of {others.height} other kinds")

    in_brackets = ""
    if named:
        in_brackets = f" ({', '.join(named)})"
    return _bold("<b>{:,}</b>{}", int(counts["n"].sum()), in_brackets)


def _span(time: pl.Series, time_zone: str) -> str:
    first_time, last_time = time.min(), time.max()
    if not isinstance(first_time, dt.datetime) or not isinstance(last_time, dt.datetime):
        return "."
    return f", {day_at(first_time, time_zone)} to {day_at(last_time, time_zone)} ({time_zone})."


def _across(inputs: ReportInputs) -> Markup:
    contacts = plural(inputs["contacts"].height, "contact")
    if inputs.people is None:
        return _bold("{}; which of them are one person, masked data do not tell.", contacts)
    person_count = inputs.people["person_id"].n_unique()
    people_in_words = plural(person_count, "person", "people")
    said = _bold("{} are <b>{}</b>", contacts, people_in_words)
    if "consent_events" not in inputs or "activities" not in inputs:
        return said + "."

    evidence = (inputs["activities"], inputs["consent_events"], inputs.people)
    late = analysis.activities_after_opt_out(
        *evidence, as_of=inputs.as_of, contacts=inputs["contacts"]
    )
    mailed = analysis.mailed_but_objected(
        inputs["contacts"], inputs["subscriptions"], *evidence, as_of=inputs.as_of
    )
    return _bold(
        "{}; <b>{:,}</b> of them contacted on a channel after opting out of it, "
        "<b>{:,}</b> mailed although they object.",
        said,
        late["person_id"].n_unique(),
        mailed["person_id"].n_unique(),
    )


def _banner(inputs: ReportInputs) -> Markup:
    counts = ["visitors_exposed", "optin", "optout"]
    # a day that does not tell all three would make the rates too low
    days = analysis.consent_banner(inputs["consent_statistics"]).drop_nulls(counts)
    sums = days.select(pl.col(counts).sum())
    exposed, opted_in, opted_out = map(int, sums.row(0))
    if not exposed:
        return Markup("no visitor saw it.")
    return _bold(
        "opt-in rate <b>{:.0%}</b> ({:,} of {:,} exposed visitors), opt-out rate {:.0%}, over {}.",
        opted_in / exposed,
        opted_in,
        exposed,
        opted_out / exposed,
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
