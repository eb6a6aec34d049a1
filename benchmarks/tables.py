"""The tables of README.md, written from results.json."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.matrix import (
    CELLS,
    CONTENDERS,
    EVERYWHERE,
    MAIN,
    RATE,
    TARGETS,
    Cell,
    Contender,
    Target,
)
from benchmarks.results import Middle, Run

_README = Path(__file__).parent / "README.md"
_MARK = "<!-- from results.json: python -m benchmarks --report -->\n"


def title(cell: Cell) -> str:
    """Return what a cell is, in words."""
    limit = f", {RATE} requests/s" if cell.limited else ""
    return f"{cell.records:,} records, {cell.latency * 1000:.0f} ms{limit}"


def compared(runs: Sequence[Run], cell: Cell, contenders: Sequence[Contender]) -> str:
    """Return all that was measured in a cell."""
    lines = [
        "| | wall s | start-up s | CPU s | peak MB | requests | refused | in flight, mean (most) | runs |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for contender in contenders:
        m = Middle(runs, contender, cell)
        if m:
            lines.append(
                f"| {contender.name} | {m['wall_seconds']:.2f} | {m['start_seconds']:.2f} | {m['cpu_seconds']:.2f} | "
                f"{m['peak_mb']:.0f} | {m['requests']:.0f} | {m['refused']:.0f} | "
                f"{m['in_flight_mean']:.1f} ({m['in_flight_max']:.0f}) | {m.runs} |"
            )
        elif m.failed:
            lines.append(f"| {contender.name} | {_reason(m)} | | | | | | | |")
    return "\n".join(lines) + "\n"


def targets(runs: Sequence[Run]) -> str:
    """Return how crmlab compares, what was aimed at, and whether it is met."""
    lines = [
        "| | against | times faster | of its CPU | of its peak memory | aimed at |",
        "|---|---|--:|--:|--:|---|",
    ]
    for target in TARGETS:
        mine = Middle(runs, target.ours, MAIN)
        other = Middle(runs, target.theirs, MAIN)
        if mine and other:
            faster = other["wall_seconds"] / mine["wall_seconds"]
            cpu = mine["cpu_seconds"] / other["cpu_seconds"]
            peak = mine["peak_mb"] / other["peak_mb"]
            names = f"{target.ours.name} | {target.theirs.name}"
            lines.append(
                f"| {names} | {faster:.1f} | {cpu:.2f} | {peak:.2f} | {_aimed_at(target, faster, cpu)} |"
            )
    return "\n".join(lines) + "\n"


def _aimed_at(target: Target, faster: float, cpu: float) -> str:
    aims = []
    if target.faster:
        aims.append(
            f"{target.faster:.3g} times faster: {'met' if faster >= target.faster else 'MISSED'}"
        )
    if target.cpu:
        aims.append(f"{target.cpu} of its CPU: {'met' if cpu <= target.cpu else 'MISSED'}")
    return ", ".join(aims)


def _growth(runs: Sequence[Run]) -> str:
    """Return the wall time of everybody by latency and records."""
    cells = [cell for cell in CELLS if not cell.limited]
    latencies = sorted({cell.latency for cell in cells})
    found = []
    for latency in latencies:
        columns = [cell for cell in cells if cell.latency == latency]
        heads = " | ".join(f"{cell.records:,}" for cell in columns)
        found.append(
            f"| wall s at {latency * 1000:.0f} ms | {heads} |\n|---|{'--:|' * len(columns)}"
        )
        for contender in EVERYWHERE:
            walls = " | ".join(
                _wall(Middle(runs, contender, cell), contender, cell) for cell in columns
            )
            found.append(f"| {contender.name} | {walls} |")
        found.append("")
    return "\n".join(found)


def _wall(middle: Middle, contender: Contender, cell: Cell) -> str:
    if middle:
        return f"{middle['wall_seconds']:.2f}"
    if middle.failed:
        return _reason(middle)
    return f"≥ {contender.floor(cell):.0f} reckoned" if cell.latency else "left out"


def _reason(middle: Middle) -> str:
    return (
        middle.failed.replace("|", "/")
        if middle.failed.startswith("wrong")
        else f"failed: {middle.failed}"
    )


def rewrite(results: dict[str, Any]) -> None:
    """Put the tables between the marks of README.md."""
    runs = results["runs"]
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    loads = sorted(run["load"] for run in runs)
    limited = [
        f"**{title(cell)}**\n\n{compared(runs, cell, EVERYWHERE)}" for cell in CELLS if cell.limited
    ]
    parts = [
        f"Measured {results['measured_on']} on {results['machine']}, with {versions}. "
        f"Load average before a run: median {loads[len(loads) // 2]}, most {loads[-1]}.\n",
        f"### {title(MAIN)}\n\n{compared(runs, MAIN, CONTENDERS)}",
        targets(runs),
        f"### Growth\n\n{_growth(runs)}",
        "### With OnePageCRM's rate limit\n",
        *limited,
    ]
    before, _, after = _README.read_text().split(_MARK)
    _README.write_text(_MARK.join((before, "\n" + "\n".join(parts) + "\n", after)))
