"""Who did it: one name for each user, however the services write it."""

from __future__ import annotations

import polars as pl

from crmlab.analysis.given import need
from crmlab.tables import TABLES

__all__ = ["with_owner"]

_ACCOUNT = ("provider", "account")


def with_owner(frame: pl.DataFrame, users: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return the frame with a column `owner` (String): the name of the user it belongs to.

    The name is that of the user whose id `owner_id` is; without one, the author as written, without
    e-mail address. An author written as "Ann B." is the one user of the account called so: of two, neither.
    What has no name keeps its id; what has neither is null. People of the same name are one owner.

    Parameters
    ----------
    frame
        Reads provider, account, owner_id and, where there is one, author: activities, contacts, deals.
    users
        Reads provider, account, id, name. None: nobody's name is known.

    Raises
    ------
    PlanError
        A column is missing.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab.tables import TABLES, conform
    >>> users = conform(pl.DataFrame({"id": ["u1"], "name": ["Ann Bee"]}), TABLES["users"])
    >>> rows = {"owner_id": ["u1", "u2", None], "author": [None, None, "Ann B."]}
    >>> with_owner(conform(pl.DataFrame(rows), TABLES["activities"]), users)["owner"].to_list()
    ['Ann Bee', 'u2', 'Ann Bee']
    """
    need(frame, "activities", *_ACCOUNT, "owner_id")
    users = TABLES["users"].empty() if users is None else users
    need(users, "users", *_ACCOUNT, "id", "name")
    known = users.drop_nulls("name").unique([*_ACCOUNT, "id"], keep="first", maintain_order=True)
    by_id = known.select(*_ACCOUNT, pl.col("id").alias("owner_id"), pl.col("name").alias("_name"))
    joined = frame.join(by_id, on=[*_ACCOUNT, "owner_id"], how="left", nulls_equal=True, maintain_order="left")
    if "author" not in frame.columns:
        return joined.with_columns(pl.coalesce("_name", "owner_id").alias("owner")).drop("_name")
    words = pl.col("name").str.strip_chars().str.split(" ")
    short = pl.format("{} {}.", words.list.first(), words.list.last().str.slice(0, 1))
    by_author = (
        known.filter(words.list.len() > 1)
        .select(*_ACCOUNT, short.alias("_author"), pl.col("name").alias("_full"))
        .unique()
        .filter(pl.len().over(*_ACCOUNT, "_author") == 1)
    )
    author = pl.col("author").str.replace(r"\s*<[^>]*>\s*$", "").str.strip_chars()
    return (
        joined.with_columns(pl.when(author != "").then(author).alias("_author"))
        .join(by_author, on=[*_ACCOUNT, "_author"], how="left", nulls_equal=True, maintain_order="left")
        .with_columns(pl.coalesce("_name", "_full", "_author", "owner_id").alias("owner"))
        .drop("_name", "_author", "_full")
    )
