"""Single objects in place of lists of objects: read as fast as the lists would be."""

from __future__ import annotations

from typing import Any

import polars as pl


def is_single(dtype: Any, documented: Any) -> bool:
    """Return whether a type is that of one object where a list of objects is documented."""
    return isinstance(dtype, pl.Struct) and isinstance(documented, pl.List)


def lists_of_one(objects: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return each object as a list of one, null where no field of it is given, and the rows of such objects."""
    is_bare = objects.struct.unnest().select(pl.all_horizontal(pl.all().is_null())).to_series()
    lists = objects.to_frame("each").select(pl.when(~is_bare).then(pl.concat_list("each")))
    bare_rows = (is_bare & objects.is_not_null()).arg_true()
    return lists.to_series().alias(objects.name), bare_rows
