"""How results show themselves: one `Sheet`, as HTML in a notebook and as text elsewhere.

The style is for what is inside the sheet and nothing else of the page; where it is taken away (GitHub, notebooks
that are not trusted) headings and tables are left. Text has the colour of its surroundings; the two colours
here stand beside words that say the same, and with the grey of the lines can be seen on white and on black.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from crmlab.display.wording import plural

#: what a table shows at most
_MOST_ROWS = 200
#: characters: longer text may be wrapped in HTML, and stands below its row in plain text
_LONG = 40
_BELOW = 60
_COLOURS = {True: "#009E73", False: "#D55E00", None: "#808080"}
_STYLE = """<style>
div.crmlab p {margin:.6em 0 0; overflow-wrap:anywhere}
div.crmlab p.head {border-left:.4em solid; padding:.2em .8em}
div.crmlab div.scroll {overflow:auto; max-height:26em}
div.crmlab div.scroll table {border-collapse:collapse; margin:.4em 0}
div.crmlab div.scroll tr :is(th,td) {text-align:left; vertical-align:top; white-space:nowrap; padding:.2em .6em; \
border-bottom:1px solid rgba(128,128,128,.35)}
div.crmlab div.scroll tr .number {text-align:right; font-variant-numeric:tabular-nums}
div.crmlab div.scroll tr .long {white-space:normal; min-width:18em; max-width:40em; overflow-wrap:anywhere}
div.crmlab summary {cursor:pointer; margin:.6em 0 0}
</style>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What an object shows of itself, what matters first.

    `good`: whether all is well, where that can be said. `tables` by heading (which may be empty), `folded`
    those that are for a second look: HTML opens them on a click, plain text leaves them out. Empty ones are not shown.
    """

    title: str
    words: str
    good: bool | None = None
    tables: Sequence[tuple[str, pl.DataFrame]] = ()
    folded: Sequence[tuple[str, pl.DataFrame]] = ()

    def text(self) -> str:
        """Return it as lines of text."""
        parts = [f"{self._head}: {self.words}"]
        parts += [f"{heading}\n{text_table(frame)}".strip("\n") for heading, frame in self.tables if frame.height]
        return "\n\n".join(parts)

    def html(self) -> str:
        """Return it as HTML."""
        return (
            f"{_STYLE}<div class='crmlab'><p class='head' style='border-color:{_COLOURS[self.good]}'>"
            f"<strong>{escaped(self._head)}</strong>: {escaped(self.words)}</p>"
            + "".join(f"{_paragraph(heading)}{html_table(frame)}" for heading, frame in self.tables if frame.height)
            + "".join(
                f"<details><summary>{escaped(heading)}</summary>{html_table(frame)}</details>"
                for heading, frame in self.folded
                if frame.height
            )
            + "</div>"
        )

    @property
    def _head(self) -> str:
        """A mark beside the words: a colour alone does not reach everybody."""
        return {True: "\N{CHECK MARK} ", False: "\N{BALLOT X} ", None: ""}[self.good] + self.title


class Shown:
    """Shows itself as its `_sheet` says."""

    __slots__ = ()

    def _sheet(self) -> Sheet:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return self._sheet().html()

    def _repr_mimebundle_(self, **options: object) -> Mapping[str, str]:
        sheet = self._sheet()
        return {"text/plain": sheet.text(), "text/html": sheet.html()}


def escaped(text: str) -> str:
    """Return text from the data made harmless; one that runs from right to left keeps to its place."""
    return html.escape(text) if text.isascii() else f"<bdi>{html.escape(text)}</bdi>"


# ---- HTML ---------------------------------------------------------------------------------------


def html_table(frame: pl.DataFrame) -> str:
    """Return a frame as a table that scrolls by itself: numbers to the right, in groups of thousands."""
    numeric = [dtype.is_numeric() for dtype in frame.dtypes]
    head = "".join(
        f"<th scope='col'{_class(name, is_number)}>{escaped(name)}</th>"
        for name, is_number in zip(frame.columns, numeric, strict=True)
    )
    rows = "".join(
        "<tr>" + "".join(_html_cell(value, is_number) for value, is_number in zip(row, numeric, strict=True)) + "</tr>"
        for row in frame.head(_MOST_ROWS).iter_rows()
    )
    return (
        f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"{_paragraph(_more(frame))}</div>"
    )


def _html_cell(value: object, is_number: bool) -> str:
    words = cell(value)
    marked = f"<strong>{words}</strong>" if value is False else escaped(words)
    return f"<td{_class(words, is_number)}>{marked}</td>"


def _class(words: str, is_number: bool) -> str:
    return " class='number'" if is_number else " class='long'" if len(words) > _LONG else ""


def _paragraph(text: str) -> str:
    return f"<p>{escaped(text)}</p>" if text else ""


# ---- text ---------------------------------------------------------------------------------------


def text_table(frame: pl.DataFrame) -> str:
    """Return a frame as lines: columns of short values side by side, long text below its row."""
    cells = {name: [_line(cell(value)) for value in frame[name].head(_MOST_ROWS)] for name in frame.columns}
    long = [name for name, column in cells.items() if max(map(len, column), default=0) > _BELOW]
    columns = [
        _aligned([name, *column], to_the_right=frame.schema[name].is_numeric())
        for name, column in cells.items()
        if name not in long
    ]
    head, *rows = ["  ".join(row).rstrip() for row in zip(*columns, strict=True)] or [""] * (frame.height + 1)
    lines = [head]
    for number, row in enumerate(rows):
        lines.append(row)
        lines += [f"    {name}: {text}" for name in long if (text := cells[name][number])]
    return "\n".join(line for line in (*lines, _more(frame)) if line)


def _aligned(column: Sequence[str], *, to_the_right: bool) -> list[str]:
    width = max(map(len, column))
    return [text.rjust(width) if to_the_right else text.ljust(width) for text in column]


def _line(text: str) -> str:
    """Return text as one line, without what would turn or colour the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


# ---- both ---------------------------------------------------------------------------------------


def cell(value: object, *, absent: str = "") -> str:
    """Return a value of a table for the eye: numbers in groups of thousands."""
    match value:
        case None:
            return absent
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.2f}"
        case _:
            return str(value)


def _more(frame: pl.DataFrame) -> str:
    return f"{plural(frame.height - _MOST_ROWS, 'more row')} not shown" if frame.height > _MOST_ROWS else ""
