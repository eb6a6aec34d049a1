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
    values: Values,
    frame: pl.DataFrame,
    table: Table,
    rename: Mapping[str, str],
) -> None:
    """Refuse replacements for columns that are not there.

    Raises
    ------
    UsageError
        Which column, and what to write.
    """
    for column, words in values.items():
        if not isinstance(words, Mapping):
            raise UsageError(
                f"values: write what becomes what, such as values={{{column!r}: {{'Closed Won': 'won'}}}}"
            )
        if column in rename:
            raise UsageError(
                f"values: {column!r} is called {rename[column]!r} in the table: write {rename[column]!r}"
            )
        if column not in table.columns:
            raise UsageError(
                f"values: {table.name} has no column {column!r}{did_you_mean(column, table.columns)}"
            )
        if column not in frame.columns:
            raise UsageError(
                f"values: no column of the frame fills {column!r}; write rename={{'...': {column!r}}}"
            )


def replaced(texts: pl.Series, words: Mapping[Any, Any]) -> pl.Series:
    """Return the values as text, each that is named replaced: by case first, and else whatever its case and blanks."""
    written = as_text(texts)
    exact_words = {_written(old): _written(new) for old, new in words.items()}
    loose_words = {plain(old): new for old, new in exact_words.items() if old is not None}
    replacements = {}
    for word in written.unique().drop_nulls():
        if plain(word) in loose_words:
            replacements[word] = loose_words[plain(word)]
    # what was named as it is written goes before what only reads alike
    return written.replace({**replacements, **exact_words})


def known(texts: pl.Series, column: Column) -> pl.Series:
    """Return the text with the column's own words in their own spelling; others stay as they are."""
    # of two spellings that read alike the first is the schema's
    own_words = {plain(word): word for word in reversed(column.words)}
    spellings = {}
    for word in texts.unique().drop_nulls():
        if word not in column.words and plain(word) in own_words:
            spellings[word] = own_words[plain(word)]
    return texts.replace(spellings)


def strange(texts: pl.Series, words: Iterable[str]) -> pl.DataFrame:
    """Return the words that are not among `words`, the most frequent first: word (String), rows (UInt32)."""
    counts = texts.drop_nulls().alias("word").value_counts(name="rows")
    is_known = pl.col("word").is_in(list(words))
    unknown = counts.filter(~is_known)
    return unknown.sort("rows", "word", descending=[True, False])


def refusal(
    name: str,
    found: pl.DataFrame,
    words: Iterable[str],
) -> str:
    """Return what is wrong with words that are not known, and what to write instead."""
    shown_words = [
        f"{word!r} ({row_count:,})" for word, row_count in found.head(_MAX_SHOWN).iter_rows()
    ]
    if found.height > _MAX_SHOWN:
        shown_words.append(f"and {found.height - _MAX_SHOWN:,} more")
    return (
        f"{name} holds words that are not known: {', '.join(shown_words)}; known are {', '.join(words)}; "
        f"write values={{{name!r}: {{{_suggestion(found, list(words))}}}}}"
    )


def _suggestion(found: pl.DataFrame, words: list[str]) -> str:
    suggestions = []
    for word in found["word"].head(_MAX_SHOWN):
        contained = [known_word for known_word in words if plain(known_word) in plain(word)]
        # "Not won" is not won
        is_clear = contained and not plain(word).startswith(("not", "no", "un"))
        suggestions.append(
            f"{word!r}: {max(contained, key=len)!r}" if is_clear else f"{word!r}: ..."
        )
    return ", ".join(suggestions)


def _written(value: Any) -> str | None:
    """Return a value as `as_text` writes it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
