"""One self-contained HTML report: summary in words, charts, and how good the data is."""

from __future__ import annotations

import datetime as dt
import html
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path

import plotly.graph_objects as go
import polars as pl

from crmlab import plots
from crmlab._report_page import PAGE, STYLE
from crmlab.analysis import activity, consent, pipeline
from crmlab.errors import PlanError

_NEEDED = ("deals", "activities", "consent_events", "consent_statistics")
_MAX_ROWS = 200


def write(
    path: str | os.PathLike[str],
    tables: Mapping[str, pl.DataFrame],
    summary: pl.DataFrame,
    *,
    rejected: pl.DataFrame | None = None,
    failures: Sequence[str] = (),
    as_of: dt.datetime,
    title: str = "CRM and consent report",
    time_zone: str = "UTC",
) -> Path:
    """Write the report and return its path; a file that is there is replaced at once or not at all.

    The file holds everything it needs, plotly.js included (4.8 MB), and forbids itself to load
    anything. Names of owners are in it; contacts, rejected records and free text are not.

    Parameters
    ----------
    path
        Where to; the folder must exist.
    tables
        Shared tables by name. Of deals, stages, activities, consent_events and consent_statistics
        those that are missing are said to be.
    summary
        The account of the fetch, a row for each account, resource and table: account, provider,
        resource, table, rows, rejected, requests, retries, seconds, complete, note.
    rejected
        Records that did not fit: provider, account, resource, reason. Reasons are counted, without
        the values they quote.
    failures
        What went wrong, in words.
    as_of
        When the data was fetched, with a time zone.
    title
        Heading of the report.
    time_zone
        IANA name of the clock that the hours of the day are shown in.

    Raises
    ------
    PlanError
        `as_of` has no time zone, or `time_zone` is not known.
    """
    if as_of.tzinfo is None:
        raise PlanError("as_of needs a time zone, such as datetime.now(timezone.utc)")
    path = Path(path)
    page = PAGE.format(
        title=_text(title),
        style=STYLE,
        as_of=_text(as_of.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")),
        sources=_sources(summary),
        summary="".join(f"<li>{line}</li>" for line in _in_words(tables)),
        charts=_charts(tables, time_zone),
        quality=_quality(summary, rejected, failures),
    )
    _replace(path, page)
    return path


def _replace(path: Path, page: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(page)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# ------------------------------------------------------------------------------------------- summary


def _in_words(tables: Mapping[str, pl.DataFrame]) -> list[str]:
    says = {
        "deals": _deals_in_words,
        "activities": _activities_in_words,
        "consent_events": _consent_in_words,
        "consent_statistics": _banner_in_words,
    }
    return [
        say(tables[name]) if name in tables else f"<b>{_words(name)}</b>: not in this report, the table was not fetched."
        for name, say in says.items()
    ]


def _deals_in_words(deals: pl.DataFrame) -> str:
    total = pipeline.win_rate(deals).select(pl.col("won", "lost").sum()).row(0, named=True)
    closed = total["won"] + total["lost"]
    won_sum, open_sum = (_money(deals.filter(state)) for state in (pipeline.WON, pipeline.OPEN))
    n_open = deals.filter(pipeline.OPEN).height
    rate = f"win rate <b>{total['won'] / closed:.0%}</b> ({total['won']:,} of {closed:,} closed)" if closed else "no win rate"
    return (
        f"<b>Deals</b>: {deals.height:,}, of which won <b>{total['won']:,}</b> ({won_sum}), lost {total['lost']:,}: {rate}. "
        f"Open pipeline: <b>{n_open:,}</b> ({open_sum})."
    )


def _money(deals: pl.DataFrame) -> str:
    """Return the sums of the deals' values, one for each currency."""
    if deals.is_empty():
        return "nothing"
    money = pipeline.currencies(deals)
    amount = pipeline.VALUE.sum().alias("amount")
    if not money:
        only = deals["currency"].drop_nulls().first()
        return f"{deals.select(amount).item():,.0f} {_text(only or '(currency not given)')}"
    sums = deals.group_by(money).agg(amount).sort(money, nulls_last=True)
    return " and ".join(f"{row[1]:,.0f} {_text(row[0] or '(currency not given)')}" for row in sums.iter_rows())


def _activities_in_words(activities: pl.DataFrame) -> str:
    return f"<b>Activities</b>: {_kinds(activities)}{_span(activities.select(activity.HAPPENED).to_series())}."


def _consent_in_words(events: pl.DataFrame) -> str:
    return f"<b>Consent events</b>: {_kinds(events)}{_span(events.select(consent.SAID).to_series())}."


def _kinds(frame: pl.DataFrame) -> str:
    kinds = frame["kind"].fill_null("(no kind)").value_counts(sort=True, name="n").sort("n", "kind", descending=[True, False])
    named = [f"{_text(kind)} {n:,}" for kind, n in kinds.head(5).iter_rows()]
    if kinds.height > 5:
        named.append(f"{kinds.height - 5} other kinds {kinds['n'][5:].sum():,}")
    return f"<b>{frame.height:,}</b>" + (f" ({', '.join(named)})" if named else "")


def _span(time: pl.Series) -> str:
    first, last = time.min(), time.max()
    return f", from {first:%Y-%m-%d} to {last:%Y-%m-%d}" if isinstance(first, dt.datetime) else ""


def _banner_in_words(statistics: pl.DataFrame) -> str:
    days = consent.banner(statistics)
    known = days.drop_nulls(["visitors_exposed", "optin", "optout"]).filter(pl.col("visitors_exposed") > 0)
    shown, yes, no = known.select(pl.col("visitors_exposed", "optin", "optout").sum()).row(0)
    if not shown:
        return "<b>Consent banner</b>: no visitor saw one."
    return (
        f"<b>Consent banner</b>: opt-in rate <b>{yes / shown:.0%}</b> ({yes:,} of {shown:,} exposed visitors), "
        f"opt-out rate {no / shown:.0%}, on {known.height:,} days."
    )


# -------------------------------------------------------------------------------------------- charts


def _charts(tables: Mapping[str, pl.DataFrame], time_zone: str) -> str:
    stages = tables.get("stages")
    draw: Sequence[tuple[str, str, Sequence[Callable[[pl.DataFrame], go.Figure]]]] = (
        (
            "Pipeline",
            "deals",
            (
                lambda deals: plots.pipeline_snapshot(deals, _NO_STAGES if stages is None else stages),
                lambda deals: plots.win_rate(deals, by="owner_name"),
                plots.closed_by_month,
            ),
        ),
        (
            "Activity",
            "activities",
            (
                lambda activities: plots.activity_volume(activities, time_zone=time_zone),
                lambda activities: plots.activity_heatmap(activities, time_zone),
            ),
        ),
        ("Consent", "consent_events", (lambda events: plots.consent_trend(events, time_zone=time_zone),)),
        ("Consent banner", "consent_statistics", (plots.consent_banner,)),
    )
