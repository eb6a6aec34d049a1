"""Whether the tables of a fetch can be trusted, in words: what came, what is missing, why, and what to do."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from crmlab.display import listed, plural
from crmlab.results.failures import Failures

_AGAIN = "fetch again when less is being changed there"
_LOOK = "look at .rejected: each with its reason"
_LOOK_AT_VALUES = "look at .misfits: each value with its reason"
#: a list of which all came, or some
_READ = pl.col("complete") | (pl.col("rows") > 0)


def in_words(
    heights: Mapping[str, int],
    summary: pl.DataFrame,
    *,
    rejected: int,
    misfits: int,
    failures: Failures,
) -> str:
    """Return what came, or what is wrong with it, in a sentence or two."""
    readable = summary.filter(pl.col("account") != "", _READ)
    account_count = readable.n_unique(["provider", "account"])
    row_words = plural(sum(heights.values()), "row")
    table_words = plural(len(heights), "table")
    what_came = f"{row_words} in {table_words} from {plural(account_count, 'account')}"

    partial = summary.filter(~pl.col("complete"))
    reasons = _reasons(partial, rejected=rejected, misfits=misfits, failures=failures)
    if not reasons:
        return _all_came(what_came, heights, misfits)
    reasons_in_words = ", ".join(reasons)
    lacking = [table for table in heights if table in partial["table"]]
    if not lacking:
        return f"a list that others look into was not read whole ({reasons_in_words}). {what_came} came."

    what_is_lacking = "ids or amounts" if misfits and not (failures or rejected) else "rows"
    verb = "lacks" if len(lacking) == 1 else "lack"
    return (
        f"{listed(lacking)} {verb} {what_is_lacking} ({reasons_in_words}), "
        f"so that counts and sums are too low. {what_came} came."
    )


def _reasons(
    partial: pl.DataFrame,
    *,
    rejected: int,
    misfits: int,
    failures: Failures,
) -> list[str]:
    """Return what is wrong, in words. Reads the lines of the tables that are not complete."""
    reasons = []
    if failures:
        reasons.append(plural(len(failures), "failure"))
    if rejected:
        reasons.append(f"{plural(rejected, 'record')} rejected")
    if partial.is_empty():
        return reasons

    # values that nobody needs to count may be unread in a table that is complete
    if misfits:
        reasons.append(f"{plural(misfits, 'value')} not read")
    if not reasons:
        reasons.append("not all was seen that the services have")
    return reasons


def _all_came(
    came: str,
    heights: Mapping[str, int],
    misfits: int,
) -> str:
    """Return what came, and that some of its values could not be read."""
    if not any(heights.values()):
        return f"{came}: there is nothing of that period, or nothing at all."
    if not misfits:
        return f"{came}."
    return f"{came}. {plural(misfits, 'value')} could not be read: see .misfits."


def tables(heights: Mapping[str, int], summary: pl.DataFrame) -> pl.DataFrame:
    """Return a line for each table: rows, where they are from, and whether they are all."""
    accounts = []
    states = []
    for table in heights:
        table_lines = summary.filter(pl.col("table") == table)
        accounts.append(listed(_accounts(table_lines.filter(_READ))))
        states.append(_state(table_lines))
    return pl.DataFrame(
        {
            "table": list(heights),
            "rows": list(heights.values()),
            "from": accounts,
            "state": states,
        },
        # without tables there is no row to take it from
        schema_overrides={"rows": pl.Int64},
    )


def _state(lines: pl.DataFrame) -> str:
    # no account has such a list: the note says why
    if not _accounts(lines):
        return listed(lines["note"].unique(maintain_order=True))
    if lines["complete"].all():
        return "; ".join(["\N{CHECK MARK} complete", *_notes(lines)])
    partial = lines.filter(~pl.col("complete"))
    what = "values" if _lacks_values_only(partial) else "rows"
    return f"\N{BALLOT X} lacks {what} of {listed(_accounts(partial))}"


def _lacks_values_only(lines: pl.DataFrame) -> bool:
    """Whether every record came, and only ids or amounts of some could not be read."""
    if "misfits" not in lines.columns:
        return False
    has_misfits = pl.col("misfits").fill_null(0) > 0
    has_rejected_none = pl.col("rejected") == 0
    only_values = (has_misfits & has_rejected_none).all()
    return bool(lines.select(only_values).item())


def _accounts(lines: pl.DataFrame) -> list[str]:
    return [account for account in lines["account"].unique(maintain_order=True) if account]


def _notes(lines: pl.DataFrame) -> list[str]:
    """Return what is said of them, but for how they were asked for."""
    parts: list[str] = []
    for noted in lines["note"]:
        parts += noted.split("; ")
    # several accounts may say the same
    each_once = dict.fromkeys(parts)
    return [part for part in each_once if part and not part.startswith(("inside ", "within "))]


def missing(summary: pl.DataFrame, failures: Failures) -> pl.DataFrame:
    """Return a line for all that keeps the tables from being complete, with what to do about it."""
    # what failed is a line of its own, with what to do about that failure
    failures_said = list(map(str, failures))
    one_list = pl.Series([failures_said], dtype=pl.List(pl.String))
    is_failure = pl.col("note").str.contains_any(pl.lit(one_list))
    partial = summary.filter(~pl.col("complete"), ~is_failure)
    # a list that fills several tables is one line
    partial_lists = partial.unique(
        ["provider", "account", "resource"], keep="first", maintain_order=True
    )
    has_unread = pl.lit(value=False)
    if "misfits" in summary.columns:
        has_unread = pl.col("misfits") > 0
    to_do = (
        pl.when(pl.col("rejected") > 0)
        .then(pl.lit(_LOOK))
        .when(has_unread)
        .then(pl.lit(_LOOK_AT_VALUES))
        .otherwise(pl.lit(_AGAIN))
    )
    others = partial_lists.select(
        pl.format("{} account '{}'", "provider", "account").alias("account"),
        "resource",
        pl.col("note").alias("what happened"),
        to_do.alias("what to do"),
    )
    return pl.concat([failures.table(), others])
