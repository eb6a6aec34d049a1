"""What went wrong in a fetch, in a form that shows itself."""

from __future__ import annotations

from typing import Any

import polars as pl

from crmlab.display import DisplayMixin, Overview, listed, plural
from crmlab.errors import CrmlabError

TABLE = pl.Schema(dict.fromkeys(("account", "resource", "what happened", "what to do"), pl.String))


class Failures(tuple[CrmlabError, ...], DisplayMixin):
    """What went wrong, one error for each account and resource."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<Failures {listed(map(str, self)) or 'none'}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self._overview().text())  # IPython knows how tuples look, and asks no further

    def table(self) -> pl.DataFrame:
        """Return a row for each: account, resource, what happened, what to do."""
        rows = [
            (each.account, each.resource or "all", _happened(each), each.what_to_do)
            for each in self
        ]
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
    return f"{failure.what}; {failure.tries}" if failure.tries else failure.what
