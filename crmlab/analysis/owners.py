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
    all_rows = whole(frame, "frame")
    columns = list(_WHO)
    if "author" in all_rows.columns and not _is_without_author(all_rows):
        columns.append("author")
    return all_rows.with_columns(owners_of(read(all_rows, "frame", *columns), users))


def _is_without_author(frame: pl.DataFrame) -> bool:
    return any(is_table(frame, name) for name in _WITHOUT_AUTHOR)


def owners_of(rows: pl.DataFrame, users: pl.DataFrame | None) -> pl.Series:
    """Return the owner of each row of a frame of provider, account, owner_id and, perhaps, author."""
    if users is None:
        users = TABLES["users"].empty()
    named_users = read(users, "users", *_ACCOUNT, "id", "name").drop_nulls("name")
    known_users = named_users.unique([*_ACCOUNT, "id"], keep="first", maintain_order=True)
    owners = known_users.select(*_ACCOUNT, pl.col("id").alias("owner_id"), "name")
    owner_key = [*_ACCOUNT, "owner_id"]
    by_id = rows.join(owners, on=owner_key, how="left", nulls_equal=True, maintain_order="left")
    if "author" not in rows.columns:
        return by_id.select(owner=pl.coalesce("name", "owner_id")).to_series()

    # "Ann Berg <ann@example.com>": the address is no part of the name
    author = pl.col("author").str.replace(r"\s*<[^>]*>\s*$", "").str.strip_chars()
    signed = by_id.with_columns(author=pl.when(author != "").then(author))
    author_key = [*_ACCOUNT, "author"]
    by_author = signed.join(
        _by_author(known_users), on=author_key, how="left", nulls_equal=True, maintain_order="left"
    )
    owner = pl.coalesce("name", "full_name", "author", "owner_id").alias("owner")
    return by_author.select(owner).to_series()


def _by_author(users: pl.DataFrame) -> pl.DataFrame:
    """Return the users whom a short name such as "Ann B." can mean, where it means one of the account only."""
    name_words = pl.col("name").str.strip_chars().str.split(" ")
    initial = name_words.list.last().str.slice(0, 1)
    short_name = pl.format("{} {}.", name_words.list.first(), initial)
    several_words = users.filter(name_words.list.len() > 1)
    short_names = several_words.select(*_ACCOUNT, author=short_name, full_name="name")
    is_only_one = pl.len().over(*_ACCOUNT, "author") == 1
    return short_names.unique().filter(is_only_one)
