"""Markdown out of values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a bar in a cell is not the end of the cell."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )


def code(text: str) -> str:
    """Return text as it is typed."""
    return f"`{text}`" if text else "(blank)"


def bullets(lines: Iterable[str]) -> str:
    """Return a list; a paragraph that says so where there is nothing."""
    return "\n".join(f"- {line}" for line in lines) or "Nothing."
