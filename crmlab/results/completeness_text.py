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
    accounts = summary.filter(pl.col("account") != "", _READ).n_unique(["provider", "account"])
    rows = plural(sum(heights.values()), "row")
    tables = plural(len(heights), "table")
    came = f"{rows} in {tables} from {plural(accounts, 'account')}"
    bad = summary.filter(~pl.col("complete"))
    wrong = [
        plural(len(failures), "failure") if failures else "",
        f"{plural(rejected, 'record')} rejected" if rejected else "",
        f"{plural(misfits, 'value')} not read" if misfits and not bad.is_empty() else "",
        ""
        if failures or rejected or misfits or bad.is_empty()
        else "not all was seen that the services have",
    ]
    if not any(wrong):
        if not any(heights.values()):
            return f"{came}: there is nothing of that period, or nothing at all."
        return (
            f"{came}. {plural(misfits, 'value')} could not be read: see .misfits."
            if misfits
            else f"{came}."
        )
    why = ", ".join(part for part in wrong if part)
    lacking = [name for name in heights if name in bad["table"]]
    if not lacking:
        return f"a list that others look into was not read whole ({why}). {came} came."
    what = "ids or amounts" if misfits and not (failures or rejected) else "rows"
    return (
        f"{listed(lacking)} {'lacks' if len(lacking) == 1 else 'lack'} {what} ({why}), "
        f"so that counts and sums are too low. {came} came."
    )


def tables(heights: Mapping[str, int], summary: pl.DataFrame) -> pl.DataFrame:
    """Return a line for each table: rows, where they are from, and whether they are all."""
    lines = {name: summary.filter(pl.col("table") == name) for name in heights}
    return pl.DataFrame(
        {
            "table": list(heights),
            "rows": list(heights.values()),
            "from": [listed(_accounts(lines[name].filter(_READ))) for name in heights],
            "state": [_state(lines[name]) for name in heights],
        },
        schema_overrides={"rows": pl.Int64},
    )


def _state(lines: pl.DataFrame) -> str:
    if not _accounts(lines):
        return listed(lines["note"].unique(maintain_order=True))
    if lines["complete"].all():
        return "; ".join(["\N{CHECK MARK} complete", *_notes(lines)])
    bad = lines.filter(~pl.col("complete"))
    what = "values" if _lacks_values_only(bad) else "rows"
    return f"\N{BALLOT X} lacks {what} of {listed(_accounts(bad))}"


def _lacks_values_only(lines: pl.DataFrame) -> bool:
    """Whether every record came, and only ids or amounts of some could not be read."""
    if "misfits" not in lines.columns:
        return False
    only_values = (pl.col("misfits").fill_null(0) > 0) & (pl.col("rejected") == 0)
    return bool(lines.select(only_values.all()).item())


def _accounts(lines: pl.DataFrame) -> list[str]:
    return [name for name in lines["account"].unique(maintain_order=True) if name]


def _notes(lines: pl.DataFrame) -> list[str]:
    """Return what is said of them, but for how they were asked for."""
    said = [part for note in lines["note"] for part in note.split("; ")]
    return [
        part for part in dict.fromkeys(said) if part and not part.startswith(("inside ", "within "))
    ]


def missing(summary: pl.DataFrame, failures: Failures) -> pl.DataFrame:
    """Return a line for all that keeps the tables from being complete, with what to do about it."""
    failed = pl.Series([[str(failure) for failure in failures]], dtype=pl.List(pl.String))
    unread = pl.col("misfits") > 0 if "misfits" in summary.columns else pl.lit(value=False)
    others = (
        summary.filter(~pl.col("complete"), ~pl.col("note").str.contains_any(pl.lit(failed)))
        .unique(["provider", "account", "resource"], keep="first", maintain_order=True)
        .select(
            pl.format("{} account '{}'", "provider", "account").alias("account"),
            "resource",
            pl.col("note").alias("what happened"),
            pl.when(pl.col("rejected") > 0)
            .then(pl.lit(_LOOK))
            .when(unread)
            .then(pl.lit(_LOOK_AT_VALUES))
            .otherwise(pl.lit(_AGAIN))
            .alias("what to do"),
        )
    )
    return pl.concat([failures.table(), others])
