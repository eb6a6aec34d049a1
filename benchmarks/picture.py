"""Draw benchmarks.png from results.json. `python -m benchmarks --report` runs it where matplotlib is."""

from math import nan
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks import results
from benchmarks.matrix import AIRBYTE_10, CELLS, CONTENDERS, EVERYWHERE, MAIN, Cell, Contender
from benchmarks.results import Middle, Run

_FILE = Path(__file__).parent / "benchmarks.png"
#: Okabe and Ito, as crmlab's own figures; which of two is told by line and marker as well
_COLOURS = {
    "throw_away": "#8C8C8C",
    "by_hand": "#E69F00",
    "with_crmlab": "#0072B2",
    "with_crmlab_whole": "#56B4E9",
    "one_by_one": "#CC79A7",
    "with_dlt": "#009E73",
    "with_airbyte": "#D55E00",
}
_PLAIN = FuncFormatter(lambda value, _: f"{value:g}" if value < 1000 else f"{value:,.0f}")


def main() -> None:
    mpl.rcParams.update(
        {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 10}
    )
    runs = results.read()["runs"]
    figure, ((wall, flight), (records, latency)) = plt.subplots(
        2, 2, figsize=(11, 8.5), layout="constrained"
    )
    flight.sharey(wall)
    _walls(wall, runs)
    _in_flight(flight, runs)
    _growth(
        records, runs, [c for c in CELLS if c.latency == MAIN.latency and not c.limited], "records"
    )
    _growth(
        latency, runs, [c for c in CELLS if c.records == MAIN.records and not c.limited], "latency"
    )
    records.set(
        xscale="log",
        xlabel="records in each list (hollow: reckoned from waiting alone)",
        title=f"Growth with records, {_ms(MAIN)}",
    )
    records.set_xticks([1e3, 1e4, 1e5])
    latency.set(
        xlabel="latency (ms; hollow: reckoned from waiting alone)",
        title=f"Growth with latency, {MAIN.records:,} records",
        xticks=[0, 50, 200],
    )
    records.xaxis.set_major_formatter(_PLAIN)
    handles, labels = records.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(_FILE, dpi=105)


def _walls(axes: Axes, runs: list[Run]) -> None:
    """Wall time in MAIN, the slowest at the top."""
    shown = _shown(runs)
    bars = axes.barh(
        [contender.name for contender, _ in shown],
        [middle["wall_seconds"] for _, middle in shown],
        color=[_COLOURS[contender.module] for contender, _ in shown],
    )
    axes.bar_label(bars, [f"{middle['wall_seconds']:.1f} s" for _, middle in shown], padding=3)
    axes.set(
        xlabel="wall time, start-up apart (s)",
        title=f"Wall time, 4 x {MAIN.records:,} records, {_ms(MAIN)}",
    )
    axes.margins(x=0.12, y=0.02)


def _in_flight(axes: Axes, runs: list[Run]) -> None:
    """Requests in flight in MAIN, mean and most, in the same order."""
    for contender, middle in _shown(runs):
        colour, mean, most = (
            _COLOURS[contender.module],
            middle["in_flight_mean"],
            middle["in_flight_max"],
        )
        axes.plot([mean, most], [contender.name] * 2, color=colour, linewidth=2)
        axes.plot(mean, contender.name, "o", color=colour, markersize=7)
        axes.plot(most, contender.name, "|", color=colour, markersize=11, markeredgewidth=2)
    axes.set(
        xscale="log",
        xlabel="requests in flight: mean (dot), most (bar)",
        title="Requests in flight, same work",
    )
    axes.xaxis.set_major_formatter(_PLAIN)
    axes.tick_params(labelleft=False)


def _shown(runs: list[Run]) -> list[tuple[Contender, Middle]]:
    found = [(contender, Middle(runs, contender, MAIN)) for contender in CONTENDERS]
    return sorted([pair for pair in found if pair[1]], key=lambda pair: pair[1]["wall_seconds"])


def _growth(axes: Axes, runs: list[Run], cells: list[Cell], along: str) -> None:
    """Wall time along a size of the work; hollow where it was reckoned."""
    for contender in EVERYWHERE:
        xs = [cell.records if along == "records" else cell.latency * 1000 for cell in cells]
        middles = [Middle(runs, contender, cell) for cell in cells]
        ys = [
            m.get("wall_seconds") or contender.floor(c) or nan
            for m, c in zip(middles, cells, strict=True)
        ]
        second = contender.in_flight == 100 or contender is AIRBYTE_10
        colour, line, marker = (
            _COLOURS[contender.module],
            "--" if second else "-",
            "s" if second else "o",
        )
        axes.plot(
            xs, ys, line + marker, label=contender.name, linewidth=1.5, markersize=5, color=colour
        )
        reckoned = [(x, y) for x, y, middle in zip(xs, ys, middles, strict=True) if not middle]
        for x, y in reckoned:
            axes.plot(x, y, marker, markersize=5, color=colour, markerfacecolor="white")
    axes.set(yscale="log", ylabel="wall time (s)")
    axes.yaxis.set_major_formatter(_PLAIN)
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="y", alpha=0.3)


def _ms(cell: Cell) -> str:
    return f"{cell.latency * 1000:.0f} ms latency"


if __name__ == "__main__":
    main()
