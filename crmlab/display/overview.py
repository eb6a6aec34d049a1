"""How results show themselves: one `Overview`, as HTML in a notebook and as text elsewhere.

The style is for what is inside the overview and nothing else of the page; where it is taken away (GitHub, notebooks
that are not trusted) headings and tables are left. Text has the colour of its surroundings; the two colours
here stand beside words that say the same, and with the grey of the lines can be seen on white and on black.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from crmlab.display.html import render
from crmlab.display.tables import html_table, text_table

if TYPE_CHECKING:
    from markupsafe import Markup

_TEMPLATE = Path(__file__).parent / "templates" / "overview.html.jinja"
_COLOURS = {True: "#009E73", False: "#D55E00", None: "#808080"}
#: marks beside the words: a colour alone does not reach everybody
_MARKS = {True: "\N{CHECK MARK} ", False: "\N{BALLOT X} ", None: ""}

#: a frame with its heading, which may be empty
Table = tuple[str, pl.DataFrame]


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """What an object shows of itself, what matters first.

    `good`: whether all is well, where that can be said. `tables` stand below the words. `folded` tables
    are for a second look: HTML opens them on a click, plain text leaves them out. Empty tables are not shown.
    """

    title: str
    words: str
    good: bool | None = None
    tables: Sequence[Table] = ()
    folded: Sequence[Table] = ()

    def text(self) -> str:
        """Return it as lines of text."""
        paragraphs = [f"{self._head}: {self.words}"]
        for heading, frame in self.tables:
            if frame.height:
                paragraphs.append(f"{heading}\n{text_table(frame)}".strip("\n"))
        return "\n\n".join(paragraphs)

    def html(self) -> str:
        """Return it as HTML."""
        page = render(
            _TEMPLATE,
            head=self._head,
            words=self.words,
            colour=_COLOURS[self.good],
            tables=_as_html(self.tables),
            folded=_as_html(self.folded),
        )
        return str(page)  # Markup would escape what somebody puts before or after it

    @property
    def _head(self) -> str:
        return _MARKS[self.good] + self.title


def _as_html(tables: Sequence[Table]) -> list[tuple[str, Markup]]:
    """Return the tables that have rows, each with its heading."""
    html_tables = []
    for heading, frame in tables:
        if frame.height:
            html_tables.append((heading, html_table(frame)))
    return html_tables


class DisplayMixin(ABC):
    """Shows itself as its `_overview` says."""

    __slots__ = ()

    @abstractmethod
    def _overview(self) -> Overview: ...

    def _repr_html_(self) -> str:
        return self._overview().html()

    def _repr_mimebundle_(self, **options: object) -> Mapping[str, str]:
        overview = self._overview()
        return {"text/plain": overview.text(), "text/html": overview.html()}
