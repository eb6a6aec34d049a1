"""Which sentences of the pages are hard to read: those that are long, and those that semicolons chain together.

``python -m docs.prose`` prints them. It finds no bad sentence by its sense, only by its form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
#: a reader who has got this far has forgotten the beginning
MAX_WORDS = 40
#: one semicolon joins two halves that belong together, two make a chain
MAX_SEMICOLONS = 1

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FENCED = re.compile(r"^([`:]{3,}).*?^\1[`:]*$", re.DOTALL | re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---\n.*?^---\n", re.DOTALL | re.MULTILINE)
_INDENTED_CODE = re.compile(r"(?<=\n\n)(?: {4}.*\n)+")
_INLINE_CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ITEM = re.compile(r"^\s*(?:[-*]|\d+\.)\s+")
_HEADING = re.compile(r"\s*#+ ")
_END = re.compile(r"(?<=[.!?])[)*\"]*\s+")


def pages() -> dict[str, str]:
    """Return the text of every page that is written by hand, by its path."""
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "notebooks").glob("*.md")]
    found = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(files)
    }
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        found[path.relative_to(ROOT).as_posix()] = _markdown_of(path)
    return found


def _markdown_of(notebook: Path) -> str:
    """Return what a notebook says between its cells of code."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a page: those of paragraphs, of items of a list, and of cells of a table."""
    for block in _blocks(_without_code(text)):
        joined = " ".join(block.split())
        yield from (sentence for sentence in _END.split(joined) if sentence)


def _without_code(text: str) -> str:
    """Return the page with one word in the place of each piece of code, and without blocks of code."""
    for not_prose in (_FRONT_MATTER, _COMMENT, _FENCED, _INDENTED_CODE):
        text = not_prose.sub("", text)
    text = _INLINE_CODE.sub("CODE", text)
    return _LINK.sub(r"\1", text)


def _blocks(text: str) -> Iterator[str]:
    """Yield the pieces of a page in which no sentence goes on from one to the next."""
    block: list[str] = []
    for line in text.splitlines():
        begins_anew = not line.strip() or _ITEM.match(line) or _HEADING.match(line)
        if begins_anew or line.startswith("|"):
            yield "\n".join(block)
            block = []
        if line.startswith("|"):
            yield from line.strip("|").split("|")
        else:
            block.append(_ITEM.sub("", line, count=1))
    yield "\n".join(block)


def why_hard(sentence: str) -> str:
    """Return what makes a sentence hard to read, blank where nothing does."""
    words = len(sentence.split())
    if words > MAX_WORDS:
        return f"{words} words"
    semicolons = sentence.count(";")
    return f"{semicolons} semicolons" if semicolons > MAX_SEMICOLONS else ""


def hard(text: str) -> list[str]:
    """Return the hard sentences of a page, each behind what is wrong with it."""
    found = [(why_hard(sentence), sentence) for sentence in sentences(text)]
    return [f"{reason}: {sentence}" for reason, sentence in found if reason]


if __name__ == "__main__":
    for path, text in pages().items():
        for line in hard(text):
            print(f"{path}: {line}")
