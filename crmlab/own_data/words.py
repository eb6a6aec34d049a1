"""The words that analyses look for: those of the user's data in their place, and those that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from crmlab.errors import UsageError
from crmlab.own_data.naming import did_you_mean, plain
from crmlab.own_data.text import as_text
from crmlab.schema import Column, Table

#: what is replaced by what, by column of the shared table
Values = Mapping[str, Mapping[Any, Any]]
_MAX_SHOWN = 8


def check_values(
    values: Values, frame: pl.DataFrame, table: Table, rename: Mapping[str, str]
) -> None:
    """Refuse replacements for columns that are not there.

    Raises
    ------
    UsageError
        Which column, and what to write.
    """
    for name, words in values.items():
        if not isinstance(words, Mapping):
            raise UsageError(
                f"values: write what becomes what, such as values={{{name!r}: {{'Closed Won': 'won'}}}}"
            )
        if name in rename:
            raise UsageError(
                f"values: {name!r} is called {rename[name]!r} in the table: write {rename[name]!r}"
            )
        if name not in table.columns:
            raise UsageError(
                f"values: {table.name} has no column {name!r}{did_you_mean(name, table.columns)}"
            )
        if name not in frame.columns:
            raise UsageError(
                f"values: no column of the frame fills {name!r}; write rename={{'...': {name!r}}}"
            )


def replaced(texts: pl.Series, words: Mapping[Any, Any]) -> pl.Series:
    """Return the values as text, each that is named replaced: by case first, and else whatever its case and blanks."""
    found = as_text(texts)
    exact = {_written(old): _written(new) for old, new in words.items()}
    loose = {plain(old): new for old, new in exact.items() if old is not None}
    other = {
        word: loose[plain(word)] for word in found.unique().drop_nulls() if plain(word) in loose
    }
    return found.replace({**other, **exact})


def known(texts: pl.Series, column: Column) -> pl.Series:
    """Return the text with the column's own words in their own spelling; others stay as they are."""
    own = {plain(word): word for word in reversed(column.words)}
    spelled = {
        word: own[plain(word)]
        for word in texts.unique().drop_nulls()
        if word not in column.words and plain(word) in own
    }
    return texts.replace(spelled)


def strange(texts: pl.Series, words: Iterable[str]) -> pl.DataFrame:
    """Return the words that are not among `words`, the most frequent first: word (String), rows (UInt32)."""
    counts = texts.drop_nulls().alias("word").value_counts(name="rows")
    return counts.filter(~pl.col("word").is_in(list(words))).sort(
        "rows", "word", descending=[True, False]
    )


def refusal(name: str, found: pl.DataFrame, words: Iterable[str]) -> str:
    """Return what is wrong with words that are not known, and what to write instead."""
    shown = [f"{word!r} ({rows:,})" for word, rows in found.head(_MAX_SHOWN).iter_rows()]
    if found.height > _MAX_SHOWN:
        shown.append(f"and {found.height - _MAX_SHOWN:,} more")
    return (
        f"{name} holds words that are not known: {', '.join(shown)}; known are {', '.join(words)}; "
        f"write values={{{name!r}: {{{_suggestion(found, list(words))}}}}}"
    )


def _suggestion(found: pl.DataFrame, words: list[str]) -> str:
    pairs = []
    for word in found["word"].head(_MAX_SHOWN):
        contained = [known_word for known_word in words if plain(known_word) in plain(word)]
        # "Not won" is not won
        is_clear = contained and not plain(word).startswith(("not", "no", "un"))
        pairs.append(f"{word!r}: {max(contained, key=len)!r}" if is_clear else f"{word!r}: ...")
    return ", ".join(pairs)


def _written(value: Any) -> str | None:
    """Return a value as `as_text` writes it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
