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
_TERMINAL_WIDTH = 27
_NOTEBOOK_WIDTH = 40
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
    interval
        seconds between two drawings
    """

    def __init__(self, stop: asyncio.Event, *, interval: float = INTERVAL) -> None:
        self._stop = stop
        self._interval = interval
        self._accounts: dict[Key, dict[str, Progress]] = {}
        self._bars: dict[Key, _Bar] = {}
        self._drawn: dict[Key, Progress] = {}
        self._panel: ProgressPanel | None = None
        #: not at the first news: until then not all accounts are known
        self._due = time.monotonic() + self._interval

    def __enter__(self) -> Self:
        if front_end.kernel() and auto.notebook_tqdm is not auto.std_tqdm:
            from crmlab.notebook.progress_panel import ProgressPanel  # noqa: PLC0415  # only a notebook has widgets

            stop = None
            # a button whose clicks arrive when all is over would stop nothing
            if front_end.hears_while_busy():
                stop = self._stop
            self._panel = ProgressPanel(stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for lists in self._accounts.values():
            for resource, progress in lists.items():
                # a fetch that was interrupted tells no end
                if not progress.is_over:
                    lists[resource] = replace(progress, state="stopped")
        self._draw(whole=True)
        for drawn_bar in self._bars.values():
            drawn_bar.close()
        if self._panel:
            self._panel.close()

    def __call__(self, news: Progress) -> None:
        account_key = (news.provider, news.account)
        self._accounts.setdefault(account_key, {})[news.resource] = news
        if time.monotonic() >= self._due:
            self._draw()
            self._due = time.monotonic() + self._interval

    def _draw(self, *, whole: bool = False) -> None:
        """Draw what changed; where a terminal has too few rows, only at the end what is complete."""
        lines = self._lines()
        # two rows are left for what stands above and for the cursor
        max_lines = shutil.get_terminal_size().lines - 2
        if self._panel is None and not whole and len(lines) > max_lines:
            lines = _unfinished(lines)
        if [*lines] != [*self._bars]:
            self._arrange(lines)
        for line_key, progress in lines.items():
            if self._drawn.get(line_key) != progress:
                of_account = lines[line_key[:2]]
                self._bars[line_key].show(progress, among=of_account)
        self._drawn = lines

    def _lines(self) -> dict[Key, Progress]:
        """Return what each line is about: an account, and below it those of its lists that have one."""
        lines: dict[Key, Progress] = {}
        for account_key, lists in self._accounts.items():
            lines[account_key] = together(lists.values())
            # of one list the account's line says all
            if len(lists) == 1:
                continue
            for resource, progress in lists.items():
                if _has_line(progress):
                    lines[(*account_key, resource)] = progress
        return lines

    def _arrange(self, keys: Collection[Key]) -> None:
        """Draw these lines and no others, in this order."""
        for line_key, drawn_bar in self._bars.items():
            drawn_bar.clear()
            if line_key not in keys:
                drawn_bar.leave = False
                drawn_bar.close()
        arranged = {}
        for position, line_key in enumerate(keys):
            arranged[line_key] = self._bars.get(line_key) or _bar(position, self._panel)
        self._bars = arranged
        if self._panel:
            self._panel.show([drawn_bar.container for drawn_bar in arranged.values()])
        for position, drawn_bar in enumerate(arranged.values()):
            # tqdm keeps a place that it was given as a negative number
            drawn_bar.pos = -position
            drawn_bar.refresh()


class _Bar(auto.tqdm):  # type: ignore[misc]
    """One line: what it is about, the share that is there, and words."""

    #: no thread that draws in between
    monitor_interval = 0
    words = ""

    @property
    def format_dict(self) -> dict[str, Any]:
        return {**super().format_dict, "words": self.words}

    def show(self, news: Progress, *, among: Progress) -> None:
        is_below = news is not among
        width = _TERMINAL_WIDTH
        if self.gui:
            width = _NOTEBOOK_WIDTH
        self.desc = title(news, width, below=is_below)
        self.words = words(news, below=is_below)
        self.n = share(news, among)
        if news.state in _COLOURS:
            self.colour = _COLOURS[news.state]
        self.refresh()


def _bar(place: int, panel: ProgressPanel | None) -> _Bar:
    if panel:
        return _Bar(total=1, bar_format="{desc}{bar}{words}", display=False)
    return _Bar(total=1, bar_format="{desc} {bar:8} {words}", dynamic_ncols=True, position=place)


def _has_line(news: Progress) -> bool:
    """Return whether a list has a line of its own: it takes longer, or did not come whole."""
    if news.known_requests > 1 or news.rows > FEW:
        return True
    return news.is_over and news.state != "complete"


def _unfinished(lines: dict[Key, Progress]) -> dict[Key, Progress]:
    """Return the lines of accounts, and of those lists that are not complete."""
    unfinished = {}
    for line_key, progress in lines.items():
        is_account = len(line_key) == 2
        if is_account or progress.state != "complete":
            unfinished[line_key] = progress
    return unfinished


def together(lists: Collection[Progress]) -> Progress:
    """Return how far an account is with all its lists; of one list, just that."""
    first_list, *other_lists = lists
    if not other_lists:
        return first_list
    total = replace(first_list, resource="", tables=(), failure="")
    failed = 0
    for progress in other_lists:
        total = replace(
            total,
            rows=total.rows + progress.rows,
            requests=total.requests + progress.requests,
            known_requests=total.known_requests + progress.known_requests,
            # they run at the same time
            seconds=max(total.seconds, progress.seconds),
            wait=max(total.wait, progress.wait),
        )
    for progress in lists:
        failed += progress.state == "failed"
    telling = _telling(lists)
    states = [progress.state for progress in telling]
    known_ends = [progress.left for progress in telling if progress.left is not None]
    all_ends_known = len(known_ends) == len(telling)
    return replace(
        total,
        state=min(states, key=_STATES.index),
        left=max(known_ends, default=None),
        exact=all_ends_known and all(progress.exact for progress in telling),
        failure=f"{failed} of {len(lists)} lists",
    )


def _telling(lists: Collection[Progress]) -> Collection[Progress]:
    """Return the lists that say how an account is: what goes on, else what went wrong, else all."""
    going_on = [progress for progress in lists if not progress.is_over]
    incomplete = [progress for progress in lists if progress.state != "complete"]
    return going_on or incomplete or lists


def title(news: Progress, width: int, *, below: bool = False) -> str:
    """Return what a line is about: an account, or below one what it fills, and with which resource."""
    filled = ", ".join(news.tables)
    if news.tables and not any(table_name.endswith(news.resource) for table_name in news.tables):
        filled += f" ({news.resource})"
    account_name = f"{news.provider} {news.account}"
    # an account without a name of its own is called as its provider
    if news.account == news.provider:
        account_name = news.account
    line_title = f"{account_name} {filled}"
    if below:
        line_title = f"  {filled}"
    if len(line_title) > width:
        return f"{line_title[: width - 1]}…"
    return line_title.ljust(width)


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
    if below:
        return f"{rows} {news.rate:>6,.0f}/s"
    if news.state == "waiting":
        line_words = f"{rows}  waiting for the limit ({duration(news.wait)})"
    else:
        line_words = f"{rows} {news.rate:>6,.0f}/s"
    if not news.left:
        return line_words
    if news.exact:
        return f"{line_words}, {duration(news.left)} left"
    return f"{line_words}, at least {duration(news.left)} left"


def share(news: Progress, among: Progress) -> float:
    """Return how much of it is there, from 0 to 1: less than 1 if it is not complete, 0 if nothing tells."""
    if news.state == "complete":
        return 1.0
    if news.left is None:
        return 0.0
    counted = news
    # it asks for nothing more: its rows come with the others'
    if news.requests >= news.known_requests:
        counted = among
    return min(counted.requests / max(1, counted.known_requests), 0.99)
