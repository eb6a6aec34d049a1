"""Who did it: one name for each user, however the services write it."""

from __future__ import annotations

import polars as pl

from crmlab.analysis.fetches import answers
from crmlab.analysis.inputs import is_table, read, whole
from crmlab.schema import TABLES

__all__ = ["with_owner"]

_ACCOUNT = ("provider", "account")
_WHO = (*_ACCOUNT, "owner_id")
#: tables with an owner in which nothing is signed: a column `author` of theirs is the user's own
_WITHOUT_AUTHOR = ("deals", "contacts")


@answers("period")
def with_owner(frame: pl.DataFrame, users: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return the frame with a column `owner` (String): the name of the user it belongs to.

    The name is that of the user whose id `owner_id` is; without one, the author as written, without
    e-mail address. An author written as "Ann B." is the one user of the account called so: of two, neither.
    What has no name keeps its id; what has neither is null. People of the same name are one owner.

    Parameters
    ----------
    frame
        Reads provider, account, owner_id and, but of the tables deals and contacts, author where there is one. All
        columns stay; one called `owner` is replaced.
    users
        Reads provider, account, id, name. None: nobody's name is known.

    Raises
    ------
    UsageError
        A column is missing.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.schema.tables import TABLES, conform
    >>> users = conform(pl.DataFrame({"id": ["u1"], "name": ["Ann Bee"]}), TABLES["users"])
    >>> rows = {"owner_id": ["u1", "u2", None], "author": [None, None, "Ann B."]}
    >>> with_owner(conform(pl.DataFrame(rows), TABLES["activities"]), users)["owner"].to_list()
    ['Ann Bee', 'u2', 'Ann Bee']
    """
    frame = whole(frame, "frame")
    has_author = "author" in frame.columns and not any(
        is_table(frame, name) for name in _WITHOUT_AUTHOR
    )
    columns = [*_WHO, "author"] if has_author else list(_WHO)
    return frame.with_columns(owners_of(read(frame, "frame", *columns), users))


def owners_of(rows: pl.DataFrame, users: pl.DataFrame | None) -> pl.Series:
    """Return the owner of each row of a frame of provider, account, owner_id and, perhaps, author."""
    users = TABLES["users"].empty() if users is None else users
    named = read(users, "users", *_ACCOUNT, "id", "name").drop_nulls("name")
    known = named.unique([*_ACCOUNT, "id"], keep="first", maintain_order=True)
    by_id = known.select(*_ACCOUNT, pl.col("id").alias("owner_id"), "name")
    joined = rows.join(
        by_id, on=[*_ACCOUNT, "owner_id"], how="left", nulls_equal=True, maintain_order="left"
    )
    if "author" not in rows.columns:
        return joined.select(pl.coalesce("name", "owner_id").alias("owner")).to_series()
    written = pl.col("author").str.replace(r"\s*<[^>]*>\s*$", "").str.strip_chars()
    authors = joined.with_columns(pl.when(written != "").then(written).alias("author"))
    return (
        authors.join(
            _by_author(known),
            on=[*_ACCOUNT, "author"],
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )
        .select(pl.coalesce("name", "full_name", "author", "owner_id").alias("owner"))
        .to_series()
    )


def _by_author(users: pl.DataFrame) -> pl.DataFrame:
    """Return the users whom a short name such as "Ann B." can mean, where it means one of the account only."""
    words = pl.col("name").str.strip_chars().str.split(" ")
    short = pl.format("{} {}.", words.list.first(), words.list.last().str.slice(0, 1))
    return (
        users.filter(words.list.len() > 1)
        .select(*_ACCOUNT, short.alias("author"), pl.col("name").alias("full_name"))
        .unique()
        .filter(pl.len().over(*_ACCOUNT, "author") == 1)
    )
