"""Lines that show how far a fetch is, drawn again in place: in a terminal or, as widgets, in a notebook."""

from __future__ import annotations

import asyncio
import shutil
import textwrap
import time
from collections.abc import Collection
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tqdm import auto

from crmlab.display import duration, front_end
from crmlab.fetching import Progress

if TYPE_CHECKING:
    from crmlab.notebook.progress_panel import ProgressPanel

#: seconds between two drawings
INTERVAL = 0.2
#: a list of more rows has a line of its own, even where it came with one request
FEW = 500
#: characters of the first column, in a terminal of 80 and in a notebook
_WIDTH, _WIDE = 27, 40
#: characters of a reason; `.failures` and the summary have the rest
_REASON = 80
_COLOURS = {"failed": "#d32f2f", "incomplete": "#d32f2f", "stopped": "#f9a825"}

#: states, the one first that an account is in as soon as one of its lists is
_STATES = ("waiting", "running", "stopped", "failed", "incomplete", "complete")

#: a provider, an account and, for a line of its own, a resource
Key = tuple[str, ...]


class Bars:
    """A line for each account and, below it, for each of its lists that takes longer or does not come whole.

    Use as a context manager, and as the listener of a fetch.

    Parameters
    ----------
    stop
        what the button sets, in a notebook whose clicks arrive in time
    """

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self._accounts: dict[Key, dict[str, Progress]] = {}
        self._bars: dict[Key, _Bar] = {}
        self._drawn: dict[Key, Progress] = {}
        self._panel: ProgressPanel | None = None
        #: not at the first news: until then not all accounts are known
        self._due = time.monotonic() + INTERVAL

    def __enter__(self) -> Self:
        if front_end.kernel() and auto.notebook_tqdm is not auto.std_tqdm:
            from crmlab.notebook.progress_panel import ProgressPanel  # noqa: PLC0415  # only a notebook has widgets

            self._panel = ProgressPanel(self._stop if front_end.hears_while_busy() else None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for lists in self._accounts.values():  # a fetch that was interrupted tells no end
            lists |= {
                name: replace(news, state="stopped")
                for name, news in lists.items()
                if not news.is_over
            }
        self._draw(whole=True)
        for bar in self._bars.values():
            bar.close()
        if self._panel:
            self._panel.close()

    def __call__(self, news: Progress) -> None:
        self._accounts.setdefault((news.provider, news.account), {})[news.resource] = news
        if time.monotonic() >= self._due:
            self._draw()
            self._due = time.monotonic() + INTERVAL

    def _draw(self, *, whole: bool = False) -> None:
        """Draw what changed; where a terminal has too few rows, only at the end what is complete."""
        shown: dict[Key, Progress] = {}
        for account, lists in self._accounts.items():
            shown[account] = together(lists.values())
            if len(lists) > 1:
                shown |= {(*account, name): news for name, news in lists.items() if _has_line(news)}
        if not (whole or self._panel) and len(shown) > shutil.get_terminal_size().lines - 2:
            shown = {
                key: news
                for key, news in shown.items()
                if len(key) == 2 or news.state != "complete"
            }
        if [*shown] != [*self._bars]:
            self._arrange(shown)
        for key, news in shown.items():
            if self._drawn.get(key) != news:
                self._bars[key].show(news, among=shown[key[:2]])
        self._drawn = shown

    def _arrange(self, keys: Collection[Key]) -> None:
        """Draw these lines and no others, in this order."""
        for key, bar in self._bars.items():
            bar.clear()
            if key not in keys:
                bar.leave = False
                bar.close()
        self._bars = {
            key: self._bars.get(key) or _bar(place, self._panel) for place, key in enumerate(keys)
        }
        if self._panel:
            self._panel.show([bar.container for bar in self._bars.values()])
        for place, bar in enumerate(self._bars.values()):
            bar.pos = -place
            bar.refresh()


class _Bar(auto.tqdm):  # type: ignore[misc]
    """One line: what it is about, the share that is there, and words."""

    #: no thread that draws in between
    monitor_interval = 0
    words = ""

    @property
    def format_dict(self) -> dict[str, Any]:
        return {**super().format_dict, "words": self.words}

    def show(self, news: Progress, *, among: Progress) -> None:
        below = news is not among
        self.desc = title(news, _WIDE if self.gui else _WIDTH, below=below)
        self.words = words(news, below=below)
        self.n = share(news, among)
        if news.state in _COLOURS:
            self.colour = _COLOURS[news.state]
        self.refresh()


def _bar(place: int, panel: ProgressPanel | None) -> _Bar:
    if panel:
        return _Bar(total=1, bar_format="{desc}{bar}{words}", display=False)
    return _Bar(total=1, bar_format="{desc} {bar:8} {words}", dynamic_ncols=True, position=place)


def _has_line(news: Progress) -> bool:
    return news.known_requests > 1 or news.rows > FEW or (news.is_over and news.state != "complete")


def together(lists: Collection[Progress]) -> Progress:
    """Return how far an account is with all its lists; of one list, just that."""
    one, *others = lists
    if not others:
        return one
    telling = _telling(lists)
    known_ends = [news.left for news in telling if news.left is not None]
    failed = sum(news.state == "failed" for news in lists)
    return replace(
        one,
        resource="",
        tables=(),
        state=min((news.state for news in telling), key=_STATES.index),
        rows=sum(news.rows for news in lists),
        requests=sum(news.requests for news in lists),
        known_requests=sum(news.known_requests for news in lists),
        seconds=max(news.seconds for news in lists),
        left=max(known_ends, default=None),
        exact=len(known_ends) == len(telling) and all(news.exact for news in telling),
        wait=max(news.wait for news in lists),
        failure=f"{failed} of {len(lists)} lists",
    )


def _telling(lists: Collection[Progress]) -> Collection[Progress]:
    """Return the lists that say how an account is: what goes on, else what went wrong, else all."""
    going_on = [news for news in lists if not news.is_over]
    wrong = [news for news in lists if news.state != "complete"]
    return going_on or wrong or lists


def title(news: Progress, width: int, *, below: bool = False) -> str:
    """Return what a line is about: an account, or below one what it fills, and with which resource."""
    account = news.account if news.account == news.provider else f"{news.provider} {news.account}"
    filled = ", ".join(news.tables)
    if news.tables and not any(name.endswith(news.resource) for name in news.tables):
        filled += f" ({news.resource})"
    text = f"  {filled}" if below else f"{account} {filled}"
    return text.ljust(width) if len(text) <= width else f"{text[: width - 1]}…"


def words(news: Progress, *, below: bool = False) -> str:
    """Return rows, rows a second, and what is to come; waits and time left are those of the account."""
    rows = f"{news.rows:>8,} rows"
    if news.state == "complete":
        return f"{rows} in {duration(news.seconds)}"
    if news.state == "incomplete":
        return f"{rows}, not complete"
    if news.state == "failed":
        return f"{rows}, failed: {textwrap.shorten(news.failure, _REASON, placeholder='…')}"
    if news.state == "stopped":
        return f"{rows}, stopped"
    if news.state == "waiting" and not below:
        rows += f"  waiting for the limit ({duration(news.wait)})"
    else:
        rows += f" {news.rate:>6,.0f}/s"
    if news.left and not below:
        rows += f", {'' if news.exact else 'at least '}{duration(news.left)} left"
    return rows


def share(news: Progress, among: Progress) -> float:
    """Return how much of it is there, from 0 to 1: less than 1 if it is not complete, 0 if nothing tells."""
    if news.state == "complete":
        return 1.0
    if news.left is None:
        return 0.0
    asks = news if news.requests < news.known_requests else among  # its rows come with the others'
    return min(asks.requests / max(1, asks.known_requests), 0.99)
