"""What went wrong in a fetch, in a form that shows itself."""

from __future__ import annotations

from typing import Any

import polars as pl

from crmlab.display import DisplayMixin, Overview, listed, plural
from crmlab.errors import CrmlabError

_COLUMNS = ("account", "resource", "what happened", "what to do")
TABLE = pl.Schema(dict.fromkeys(_COLUMNS, pl.String))


class Failures(tuple[CrmlabError, ...], DisplayMixin):
    """What went wrong, one error for each account and resource."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<Failures {listed(map(str, self)) or 'none'}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self._overview().text())  # IPython knows how tuples look, and asks no further

    def table(self) -> pl.DataFrame:
        """Return a row for each: account, resource, what happened, what to do."""
        rows = []
        for failure in self:
            # what is refused to an account is refused to all of its lists
            resource = failure.resource or "all"
            rows.append((failure.account, resource, _happened(failure), failure.what_to_do))
        return pl.DataFrame(rows, schema=TABLE, orient="row")

    def _overview(self) -> Overview:
        if not self:
            return Overview(title="No failures", words="nothing was refused or cut off.", good=True)
        return Overview(
            title=plural(len(self), "failure"),
            words="what others brought is there.",
            good=False,
            tables=[("", self.table())],
        )


def _happened(failure: CrmlabError) -> str:
    if not failure.tries:
        return failure.what
    return f"{failure.what}; {failure.tries}"
