"""What the command line prints: frames as plain lines, and how far each account is."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

import polars as pl
from tqdm import tqdm

from crmlab.progress import Progress


def print_frame(frame: pl.DataFrame) -> None:
    """Print a whole frame as plain lines."""
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=200,
        fmt_str_lengths=100,
        tbl_formatting="NOTHING",
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
    ):
        print("\n".join(line.rstrip() for line in str(frame).splitlines()))


class Lines:
    """One live line for each account; where output is no terminal, a line when it is done."""

    def __init__(self) -> None:
        self._resources: dict[tuple[str, str], dict[str, Progress]] = {}
        self._bars: dict[tuple[str, str], tqdm] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for bar in self._bars.values():
            bar.close()
        for (provider, account), resources in self._resources.items():
            if not sys.stderr.isatty():
                print(f"  {provider:<16}{account:<16}{_count(resources)}", file=sys.stderr)

    def __call__(self, news: Progress) -> None:
        key = news.provider, news.account
        resources = self._resources.setdefault(key, {})
        resources[news.resource] = news
        bar = self._bars.get(key)
        if bar is None:
            bar = self._bars[key] = tqdm(
                desc=f"{news.provider} {news.account}"[:32].ljust(32),
                unit=" requests",
                position=len(self._bars),
                disable=not sys.stderr.isatty(),
                bar_format="{desc} {bar:12} {n_fmt}/{total_fmt} requests{postfix}",
            )
        bar.total = sum(one.planned for one in resources.values())
        bar.n = sum(one.requests for one in resources.values())
        bar.set_postfix_str(_count(resources))


def _count(resources: dict[str, Progress]) -> str:
    rows = sum(one.rows for one in resources.values())
    bad = [one.resource for one in resources.values() if one.state in ("failed", "incomplete")]
    return f"{rows:>9,} records" + (f", not complete: {', '.join(bad)}" if bad else "")
