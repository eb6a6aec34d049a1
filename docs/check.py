"""Look through a built site: every link inside it leads somewhere, and nothing is loaded from elsewhere.

Run by ``make docs``; says what is wrong and returns 1.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: attributes that make a browser load something; the href of <a> and of these links does not
_LOADS = {
    "script": "src",
    "img": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "video": "src",
}
_HARMLESS = {"canonical", "index", "search", "next", "prev", "author", "copyright"}
_IN_CSS = re.compile(r"""(?:@import\s+|url\()\s*["']?((?:https?:)?//[^"')\s]+)""")


class _Page(HTMLParser):
    """What a page loads, links to, and can be linked at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors.update(found[name] for name in ("id", "name") if name in found)
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag in _LOADS and found.get(_LOADS[tag]) and found.get("rel") not in _HARMLESS:
            self.loads.append(found[_LOADS[tag]])


def wrong(site: Path) -> Iterator[str]:
    """Yield a line for everything that is wrong."""
    paths = [
        path.resolve() for path in site.rglob("*.html") if "_static" not in path.parts
    ]  # there: the theme's
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in paths}
    for path, page in sorted(pages.items()):
        where = path.relative_to(site.resolve())
        for target in page.loads:
            if urlsplit(target).netloc:
                yield f"{where} loads {target}"
        for target in [*page.links, *page.loads]:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not to.is_file():
                yield f"{where} links to {target}, which is not there"
            elif (
                parts.fragment and to in pages and unquote(parts.fragment) not in pages[to].anchors
            ):
                yield f"{where} links to {target}, which has no such place"
    for path in sorted(site.rglob("*.css")):
        for target in _IN_CSS.findall(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(site)} loads {target}"


def main(site: Path) -> int:
    """Print what is wrong with the site and return the exit code."""
    found = list(wrong(site))
    print("\n".join(found) or f"{len(list(site.rglob('*.html')))} pages in {site.resolve()}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
