"""What the way of deals through the stages says: the funnel, how long stages take, and what they promise."""

from __future__ import annotations

import polars as pl

from crmlab.analysis.fetches import answers
from crmlab.analysis.history import COLUMNS, DEAL_KEYS
from crmlab.analysis.inputs import read
from crmlab.analysis.pipeline import PIPELINE, PLACE, with_stage_names
from crmlab.analysis.rates import number_of, ratio, row_count
from crmlab.analysis.survival import kaplan_meier, time_until

__all__ = ["funnel", "stage_durations", "stage_win_rates"]

#: how a stay in a stage ends; every stay ends in one of these ways
EXITS = ("advanced", "back", "moved", "won", "lost", "gone", "still there")
_DAY_US = 86_400_000_000


@answers("everything")
def funnel(history: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """Return how many deals reached each stage, how many of them the next, and how every stay ended.

    ``reached(s) = deals that were seen in s or in a later stage of the pipeline, or were won from it``, so a
    stage that was skipped counts as reached, and going back takes nothing away;
    ``conversion = reached(next stage) / reached(s)``, for the last stage ``won deals / reached(s)``. And
    ``entries = advanced + back + moved + won + lost + gone + still_there``.

    Parameters
    ----------
    history
        What `stage_history` returns. Select stays beforehand, such as deals created since the first fetch, to
        ask about a cohort: deals that were on their way at the first fetch had been selected by not being lost.
    stages
        Reads provider, account, pipeline_id, pipeline_name, stage, label. May be empty.

    Returns
    -------
    pl.DataFrame
        Sorted, one row per stage, also of stages that none entered: pipeline_name, stage, label as in
        `crmlab.analysis.pipeline_snapshot`; reached, reached_next (Int64, deals; null without a stage number);
        conversion (Float64, 0-1); entries, advanced, back, moved, won, lost, gone, still_there (Int64, stays: a deal
        that comes back enters again).

    Raises
    ------
    UsageError
        A column is missing.

    Notes
    -----
    "Any stage" of https://support.watermarkinsights.com (11699225612571); Close counts so too
    (https://help.close.com/docs/opportunity-funnels-report).

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.analysis.history import stage_history
    >>> from crmlab.schema.tables import TABLES, conform
    >>> def fetched(*rows):
    ...     columns = ["id", "stage", "status"]
    ...     return conform(pl.DataFrame(rows, schema=columns, orient="row"), TABLES["deals"])
    >>> history = stage_history([("2026-01-01", fetched(("a", 10, "pending"), ("b", 10, "pending"))),
    ...                          ("2026-01-08", fetched(("a", 50, "pending"), ("b", 10, "lost")))])
    >>> funnel(history, TABLES["stages"].empty()).select("stage", "reached", "conversion", "advanced", "lost")
    shape: (2, 5)
    ┌───────┬─────────┬────────────┬──────────┬──────┐
    │ stage ┆ reached ┆ conversion ┆ advanced ┆ lost │
    │ ---   ┆ ---     ┆ ---        ┆ ---      ┆ ---  │
    │ i64   ┆ i64     ┆ f64        ┆ i64      ┆ i64  │
    ╞═══════╪═════════╪════════════╪══════════╪══════╡
    │ 10    ┆ 2       ┆ 0.5        ┆ 1        ┆ 1    │
    │ 50    ┆ 1       ┆ 0.0        ┆ 0        ┆ 0    │
    └───────┴─────────┴────────────┴──────────┴──────┘
    """
    stays = read_history(history)
    # keys of one dtype: services' stages and what history keeps of them meet in a join
    all_stages = read(stages, "stages", *PLACE)
    known_places = all_stages.select(pl.col(name).cast(stays.schema[name]) for name in PLACE)
    exit_columns = {name: name.replace(" ", "_") for name in EXITS}
    exit_counts = [
        number_of(pl.col("exit") == name, column) for name, column in exit_columns.items()
    ]
    entered = stays.group_by(PLACE).agg(
        row_count("entries"),
        *exit_counts,
        own_label=pl.col("stage_label").drop_nulls().last(),
    )
    places = pl.concat([entered.select(PLACE), known_places]).unique()
    counts = ["entries", *exit_columns.values()]
    with_counts = (
        places.join(entered, on=PLACE, how="left", nulls_equal=True)
        .join(_reached(stays, places), on=PLACE, how="left", nulls_equal=True)
        .with_columns(pl.col(counts).fill_null(0))
    )
    named = with_stage_names(with_counts, stages, [])
    conversion = ratio("reached_next", "reached").alias("conversion")
    return named.select(
        "pipeline_name", "stage", "label", "reached", "reached_next", conversion, *counts
    )


def _reached(history: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Return how many deals reached each place that has a stage number, and how many the next one, or were won."""
    is_won = (pl.col("exit").last() == "won").alias("is_won")
    in_time = history.sort(*DEAL_KEYS, "entered_at")
    by_deal = in_time.group_by(*PIPELINE, "deal_id", maintain_order=True)
    furthest = by_deal.agg(pl.col("stage").max(), is_won)
    won_deals = furthest.group_by(PIPELINE).agg(number_of(pl.col("is_won"), "won_deals"))
    stopped_deals = furthest.filter(~pl.col("is_won")).group_by(PLACE).agg(row_count("stopped"))
    with_deals = (
        places.drop_nulls("stage")
        .join(stopped_deals, on=PLACE, how="left", nulls_equal=True)
        .join(won_deals, on=PIPELINE, how="left", nulls_equal=True)
        .sort(PLACE)
    )

    # a deal that was won reached every stage of its pipeline, those that it skipped included
    won_in_pipeline = pl.col("won_deals").fill_null(0)
    stopped_here_or_later = pl.col("stopped").fill_null(0).cum_sum(reverse=True).over(PIPELINE)
    reached = (stopped_here_or_later + won_in_pipeline).alias("reached")
    reached_next = pl.col("reached").shift(-1).over(PIPELINE).fill_null(won_in_pipeline)
    with_reached = with_deals.with_columns(reached)
    return with_reached.select(*PLACE, "reached", reached_next=reached_next)


@answers("everything")
def stage_durations(history: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """Return how many days deals stay in each stage: the time by which half, and nine of ten, have left it.

    The median and the 90 % quantile of Kaplan and Meier: stays that have not ended count for as long as they have
    lasted, so that the slow ones are not forgotten.

    Parameters
    ----------
    history
        What `crmlab.analysis.stage_history` returns.
    stages
        Reads provider, account, pipeline_id, pipeline_name, stage, label. May be empty.

    Returns
    -------
    pl.DataFrame
        Sorted, one row per stage, also of stages that none entered: pipeline_name, stage, label as in `funnel`;
        stays, ended (Int64, the others have not ended, or the deal vanished); left_out (Int64, stays that were under
        way at the first fetch: their beginning is not known); median_days, p90_days (Float64; null where fewer have
        left so far).

    Raises
    ------
    UsageError
        A column is missing.

    Notes
    -----
    Kaplan-Meier: https://rdrr.io/cran/epitools/man/kapmeier.html. A deal came and left somewhere between two
    fetches; the middle is taken, so each end is known to within half the time between them.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.analysis.history import stage_history
    >>> from crmlab.schema.tables import TABLES, conform
    >>> def fetched(*stages):
    ...     rows = {"id": ["a", "b"][:len(stages)], "stage": stages, "status": ["pending"] * len(stages)}
    ...     return conform(pl.DataFrame(rows, schema_overrides={"id": pl.String}), TABLES["deals"])
    >>> fetches = [fetched(10), fetched(20, 20), fetched(20, 20), fetched(30, 20)]
    >>> history = stage_history(zip(["2026-01-01", "2026-01-11", "2026-01-21", "2026-01-31"], fetches))
    >>> stage_durations(history, TABLES["stages"].empty()).select("stage", "stays", "ended", "left_out", "median_days")
    shape: (3, 5)
    ┌───────┬───────┬───────┬──────────┬─────────────┐
    │ stage ┆ stays ┆ ended ┆ left_out ┆ median_days │
    │ ---   ┆ ---   ┆ ---   ┆ ---      ┆ ---         │
    │ i64   ┆ i64   ┆ i64   ┆ i64      ┆ f64         │
    ╞═══════╪═══════╪═══════╪══════════╪═════════════╡
    │ 10    ┆ 0     ┆ 0     ┆ 1        ┆ null        │
    │ 20    ┆ 2     ┆ 1     ┆ 0        ┆ 20.0        │
    │ 30    ┆ 1     ┆ 0     ┆ 0        ┆ null        │
    └───────┴───────┴───────┴──────────┴─────────────┘
    """
    lengths = stay_lengths(history)
    counts = pl.col("stays", "ended", "left_out").fill_null(0)
    return with_stage_names(lengths, stages, []).select(
        "pipeline_name", "stage", "label", counts, "median_days", "p90_days"
    )


def stay_lengths(history: pl.DataFrame) -> pl.DataFrame:
    """Return the numbers of `stage_durations` for each place that was entered: keys, own_label and measures.

    Raises
    ------
    UsageError
        A column is missing.
    """
    stays = read_history(history)
    # where a deal that is gone went, and when, nobody saw
    has_ended = pl.col("left_at").is_not_null() & (pl.col("exit") != "gone")
    began_at = _middle("entered_after", "entered_at")
    seen_until = _middle("last_seen_at", "left_at")
    ended_at = pl.when(has_ended).then(seen_until).otherwise("last_seen_at")
    duration_us = (ended_at - began_at).dt.total_microseconds().clip(lower_bound=0)
    # what was there at the first fetch may have been there for years
    is_known = pl.col("entry") != "first fetch"
    durations = stays.filter(is_known).select(
        *PLACE, duration=duration_us / _DAY_US, ended=has_ended
    )
    curve = kaplan_meier(durations, by=PLACE)
    quantiles = curve.group_by(PLACE).agg(median_days=time_until(0.5), p90_days=time_until(0.9))
    counts = stays.group_by(PLACE).agg(
        number_of(is_known, "stays"),
        number_of(is_known & has_ended, "ended"),
        number_of(~is_known, "left_out"),
        own_label=pl.col("stage_label").drop_nulls().last(),
    )
    return counts.join(quantiles, on=PLACE, how="left", nulls_equal=True)


def _middle(first: str, last: str) -> pl.Expr:
    """Return the moment halfway between two, or the second where the first is not known."""
    between = (pl.col(last) - pl.col(first)).fill_null(pl.duration())
    return pl.col(last) - between / 2


@answers("everything")
def stage_win_rates(history: pl.DataFrame) -> pl.DataFrame:
    """Return, of the deals that stood in each stage and are closed now, which share was won.

    ``probability = won / (won + lost)``. Of all deals that passed, not only of those that were closed from there:
    no deal is won straight from an early stage, but many that passed it are. (Those closed from the stage itself are
    `won` and `lost` of `funnel`.)

    Parameters
    ----------
    history
        What `crmlab.analysis.stage_history` returns.

    Returns
    -------
    pl.DataFrame
        Sorted, one row per stage that was entered: provider, account, pipeline_id, stage; won, lost (Int64, deals,
        each once per stage); probability (Float64, 0-1, null where none is closed yet);
        probability_from (String, ``"history"``). What `crmlab.analysis.weighted_pipeline` takes.

    Raises
    ------
    UsageError
        A column is missing.

    Notes
    -----
    In place of probabilities that the service does not keep (https://docs.quartzhq.com/quartz/metrics-reference).
    Deals that close fast are closed first: in a young history the shares are theirs.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.analysis.history import stage_history
    >>> from crmlab.schema.tables import TABLES, conform
    >>> def fetched(*rows):
    ...     columns = ["id", "pipeline_id", "stage", "status"]
    ...     return conform(pl.DataFrame(rows, schema=columns, orient="row"), TABLES["deals"])
    >>> history = stage_history([("2026-01-01", fetched(("a", "p", 10, "pending"), ("b", "p", 10, "pending"))),
    ...                          ("2026-01-08", fetched(("a", "p", 50, "pending"), ("b", "p", 10, "lost"))),
    ...                          ("2026-01-15", fetched(("a", "p", 50, "won"), ("b", "p", 10, "lost")))])
    >>> stage_win_rates(history).drop("provider", "account", "pipeline_id")
    shape: (2, 5)
    ┌───────┬─────┬──────┬─────────────┬──────────────────┐
    │ stage ┆ won ┆ lost ┆ probability ┆ probability_from │
    │ ---   ┆ --- ┆ ---  ┆ ---         ┆ ---              │
    │ i64   ┆ i64 ┆ i64  ┆ f64         ┆ str              │
    ╞═══════╪═════╪══════╪═════════════╪══════════════════╡
    │ 10    ┆ 1   ┆ 1    ┆ 0.5         ┆ history          │
    │ 50    ┆ 1   ┆ 0    ┆ 1.0         ┆ history          │
    └───────┴─────┴──────┴─────────────┴──────────────────┘
    """
    stays = read_history(history)
    in_time = stays.sort(*DEAL_KEYS, "entered_at")
    last_exits = in_time.group_by(DEAL_KEYS).agg(end=pl.col("exit").last())
    # a deal that came back to a stage stood in it once
    visited = stays.select(*DEAL_KEYS, "pipeline_id", "stage").unique()
    by_place = visited.join(last_exits, on=DEAL_KEYS, nulls_equal=True).group_by(PLACE)
    counts = by_place.agg(
        number_of(pl.col("end") == "won", "won"), number_of(pl.col("end") == "lost", "lost")
    )
    closed = pl.col("won") + pl.col("lost")
    return counts.sort(PLACE, nulls_last=True).with_columns(
        probability=ratio("won", closed), probability_from=pl.lit("history")
    )


def read_history(history: pl.DataFrame) -> pl.DataFrame:
    """Return what is read of a frame that `stage_history` returned.

    Raises
    ------
    UsageError
        It is not what `stage_history` returns.
    """
    return read(history, "history", *COLUMNS)
