"""Consent banners: the services' rates, each with its denominator in its name.

=============================  =======================  ================  ================
column                         Commanders Act           Didomi            Usercentrics
=============================  =======================  ================  ================
optin_per_exposed              global consent rate      opt-in rate
optin_per_choice                                        consent rate
optout_per_choice                                       opt-out rate
interacted_per_exposed         interaction rate                           interaction rate
explicit_optin_per_interacted  explicit consent
no_choice_per_exposed          no choice                no-choice rate    ignores
no_optin_per_exposed           estimated tracking loss
=============================  =======================  ================  ================

Sources: https://doc.commandersact.com/features/consent-management/user-guides/consent-analysis,
https://support.didomi.io/cmp-notice-metrics-indicators,
https://usercentrics.com/docs/web/features/interaction-analytics/dashboards. The words are alike, the
numbers are not: Didomi and Usercentrics count notices and clicks, Commanders Act visitors, and where a site takes
going on to a second page as consent, its opt-ins hold those too.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from crmlab.analysis.consent import complete_sum, without_parts
from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import By, answer, keys_of, names_of, read
from crmlab.analysis.period import chosen_grain, period_of
from crmlab.analysis.rates import counted, share
from crmlab.errors import UsageError

__all__ = ["banner_items", "banner_rates"]

_COUNTS = ("visitors_exposed", "optin", "explicit_optin", "optout")
#: what rows may be split by; what they are not split by is taken as a whole
_PARTS = ("device", "location")
_BY = ("day", "provider", "account", "banner_id", *_PARTS)


@answers("period")
def banner_rates(
    consent_statistics: pl.DataFrame, *, by: By = None, every: str | None = None
) -> pl.DataFrame:
    """Return what became of the visitors who saw a banner, and every service's rates of it.

    All from summed counts, rates are never averaged: ``interacted = explicit_optin + optout`` (who chose by a
    click), ``no_choice = visitors_exposed - optin - optout``, ``no_optin = visitors_exposed - optin`` (refused or
    no choice: the tracking loss).

    Parameters
    ----------
    consent_statistics
        Reads provider, account, day, banner_id, device, location, visitors_exposed, optin, explicit_optin,
        optout. Where a banner's day has both a row for all devices and rows for single ones, either the
        former or, grouped by device, the latter count; the same for location.
    by
        Columns to group by: day, device, location, banner_id, provider, account.
    every
        With ``by="day"``: ``"1d"`` or a longer period, of which `day` is then the first.

    Returns
    -------
    pl.DataFrame
        One row per group, sorted, nulls last: the columns of `by` (device null: the service split nothing);
        visitors_exposed, optin, explicit_optin, optout, interacted, no_choice, no_optin (Int64, visitors; null where
        a row of the group does not say it); optin_per_exposed, optin_per_choice, optout_per_choice,
        optout_per_exposed, interacted_per_exposed, explicit_optin_per_interacted, no_choice_per_exposed,
        no_optin_per_exposed (Float64, null of nobody). A choice is an opt-in or an opt-out.

    Raises
    ------
    UsageError
        `by` or `every` is not known.

    Notes
    -----
    A visitor of two days or two banners is two, and one who opted in and out on a day is in both: then
    no_choice is too small, and may be below 0. Who only opened the settings is not in `interacted`: the API's
    count of that is not in the table. Definitions: the head of this module, and
    https://doc.commandersact.com/features/consent-management/user-guides/consent-analysis.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"day": [date(2026, 1, 1)], "visitors_exposed": [1000], "optin": [600], "explicit_optin": [500],
    ...         "optout": [200]}
    >>> rates = banner_rates(conform(pl.DataFrame(rows), TABLES["consent_statistics"]))
    >>> rates.select("no_choice", "optin_per_exposed", "optin_per_choice", "interacted_per_exposed").row(0)
    (200, 0.6, 0.75, 0.7)
    """
    names = names_of(by)
    strange = [name for name in names if name not in _BY]
    if strange:
        raise UsageError(f"by={strange[0]!r}: choose one of {', '.join(_BY)}")
    statistics = read(consent_statistics, "consent_statistics", *_BY, *_COUNTS)
    for part in _PARTS:
        # rows of all devices and rows of each of them would count a visitor twice
        without_doubles = _only_parts if part in names else without_parts
        statistics = without_doubles(statistics, part)
    grain = chosen_grain(every, statistics["day"])
    statistics = statistics.with_columns(period_of(pl.col("day"), grain))

    private_names = dict(zip(names, keys_of(by), strict=True))
    sums = [complete_sum(name) for name in _COUNTS]
    return answer(_rates(counted(statistics.rename(private_names), keys_of(by), *sums)))


def _rates(counts: pl.DataFrame) -> pl.DataFrame:
    """Return the counts of visitors with what follows from them, and with the rates of all services."""
    exposed = pl.col("visitors_exposed")
    optin = pl.col("optin")
    optout = pl.col("optout")
    explicit_optin = pl.col("explicit_optin")
    with_rest = counts.with_columns(
        interacted=explicit_optin + optout,
        no_choice=exposed - optin - optout,
        no_optin=exposed - optin,
    )
    return with_rest.with_columns(
        optin_per_exposed=share(optin, exposed),
        optin_per_choice=share(optin, optin + optout),
        optout_per_choice=share(optout, optin + optout),
        optout_per_exposed=share(optout, exposed),
        interacted_per_exposed=share("interacted", exposed),
        explicit_optin_per_interacted=share(explicit_optin, "interacted"),
        no_choice_per_exposed=share("no_choice", exposed),
        no_optin_per_exposed=share("no_optin", exposed),
    )


def _only_parts(statistics: pl.DataFrame, part: str) -> pl.DataFrame:
    """Drop the rows of all devices or locations where rows of single ones are there."""
    is_part = pl.col(part).is_not_null()
    parts_are_there = is_part.any().over("provider", "account", "day", "banner_id")
    return statistics.filter(is_part | ~parts_are_there)


@answers("period")
def banner_items(
    consent_statistics_items: pl.DataFrame, *, dimension: Literal["category", "vendor"] = "category"
) -> pl.DataFrame:
    """Return which share of exposed visitors accepted each category or vendor.

    ``optin_per_exposed = optin / visitors_exposed`` from summed counts, over the days that tell both.

    Parameters
    ----------
    consent_statistics_items
        Reads provider, account, dimension, item_id, optin, visitors_exposed.
    dimension
        ``"category"`` or ``"vendor"``.

    Returns
    -------
    pl.DataFrame
        Sorted, the highest share first, null last: provider, account (numbers mean something else in each
        account), item_id (String, the service's number), optin, visitors_exposed (Int64, visitors of the
        days and banners that have the item), optin_per_exposed (Float64, 0-1, null of nobody).

    Raises
    ------
    UsageError
        `dimension` is neither.

    Notes
    -----
    https://doc.commandersact.com/features/consent-management/user-guides/consent-analysis. A day on which the
    service says nothing of an item is not in its denominator: it is not known whether it was 0.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> rows = {"account": ["web"] * 2, "dimension": ["category"] * 2, "item_id": ["1"] * 2, "optin": [90, 110],
    ...         "visitors_exposed": [100, 300]}
    >>> banner_items(conform(pl.DataFrame(rows), TABLES["consent_statistics_items"])).row(0)
    (None, 'web', '1', 200, 400, 0.5)
    """
    if dimension not in ("category", "vendor"):
        raise UsageError(f"dimension={dimension!r}: give 'category' or 'vendor'")
    item_key = ["provider", "account", "item_id"]
    columns = (*item_key, "dimension", "optin", "visitors_exposed")
    items = read(consent_statistics_items, "consent_statistics_items", *columns)
    # a row that lacks either would change the one sum and not the other
    counted_items = items.filter(pl.col("dimension") == dimension).drop_nulls(
        ["optin", "visitors_exposed"]
    )
    sums = counted_items.group_by(item_key).agg(pl.col("optin", "visitors_exposed").sum())
    rates = sums.with_columns(optin_per_exposed=share("optin", "visitors_exposed"))
    most_first = [True, False, False, False]
    return rates.sort("optin_per_exposed", *item_key, descending=most_first, nulls_last=True)
