"""How long the explorer takes to answer: every question of the catalogue, and its filters.

python -m benchmarks.explore [--rows 1000000] [--runs 3]

Seconds from a change of a widget until the figure is there, and until the numbers are: with the 0.15 s that the
panel waits for a further change, without what the browser takes to draw. Each run is a new panel, whose first
question counts from its making, and whose first question across services finds out who is who.
"""

import argparse
import asyncio
import datetime as dt
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from resource import RUSAGE_SELF, getrusage

import plotly.io

import crmlab
from benchmarks.million import before, fetched
from crmlab.catalogue import CATALOGUE
from crmlab.notebook.explorer import Explorer

#: seconds until the figure and until the numbers
Seconds = tuple[float, float]
SINCE = dt.date(2025, 6, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    plotly.io.renderers.default = (
        "plotly_mimetype"  # as in JupyterLab: elsewhere a figure shows nothing
    )
    data = fetched(options.rows)
    chosen, filtered = defaultdict[str, list[Seconds]](list), defaultdict[str, list[Seconds]](list)

    async def run() -> None:
        made = partial(crmlab.explore, data, earlier=before(data), quota={"EUR": 1e9, "USD": 1e9})
        async for name, is_filter, seconds in answers(made):
            (filtered if is_filter else chosen)[name].append(seconds)

    for _ in range(options.runs):
        asyncio.run(run())
    print(f"medians of {options.runs} runs, s{'figure':>19}{'numbers':>10}{'filter':>10}")
    for name, answered in chosen.items():
        figure, numbers = map(statistics.median, zip(*answered, strict=True))
        narrowed = [first for first, _ in filtered[name]]
        print(
            f"{name:30}{figure:10.2f}{numbers:10.2f}{f'{statistics.median(narrowed):.2f}' if narrowed else '':>10}"
        )
    for what, of_each in (("a question", chosen), ("a filter", filtered)):
        figures = sorted(figure for answered in of_each.values() for figure, _ in answered)
        print(
            f"{what}: median {statistics.median(figures):.2f} s, p90 {figures[int(0.9 * len(figures))]:.2f} s"
        )
    print(f"peak memory {getrusage(RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


async def answers(made: Callable[[], Explorer]) -> AsyncIterator[tuple[str, bool, Seconds]]:
    """Ask all that the panel answers: yield the question, whether a filter was changed, and the seconds."""
    shown: dict[str, float] = {}

    async def seconds(change: Callable[[], object]) -> Seconds | None:
        """Change something and wait for the answer; None: it is the one that was shown before."""
        shown.clear()
        started = time.perf_counter()
        change()
        await asyncio.sleep(0.01)  # the panel hears of it in the loop
        await panel._answering
        return (shown["figure"] - started, shown["numbers"] - started) if len(shown) == 2 else None

    began = time.perf_counter()
    panel = made()
    panel.figure.observe(lambda _: shown.update(figure=time.perf_counter()), "outputs")
    panel.numbers.observe(lambda _: shown.update(numbers=time.perf_counter()), "outputs")
    making = time.perf_counter() - began
    for section in panel.section.options:
        # with a section comes its first question
        found = await seconds(partial(setattr, panel.section, "value", section))
        for _, name in panel.question.options:
            if name != panel.question.value:
                found = await seconds(partial(setattr, panel.question, "value", name))
            if found:
                yield name, False, (found[0] + making, found[1] + making)
            making = 0.0
            for change in changes(panel):
                if found := await seconds(change):
                    yield name, True, found
            await seconds(panel.reset.click)


def changes(panel: Explorer) -> Iterator[Callable[[], None]]:
    """Yield what the filters of the question can be changed to."""
    if "period" in CATALOGUE[panel.question.value].filters:
        yield partial(setattr, panel.since, "value", SINCE)
    for choice in panel.filters.values():
        if len(choice.list.options) > 1:
            yield partial(setattr, choice.list, "value", (choice.list.options[0][1],))


if __name__ == "__main__":
    main()
