"""Draw growth.svg: CPU time and memory of each question by the rows of the tables, both axes in powers of ten."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent / "growth.svg"
#: Okabe and Ito, as crmlab's own figures; of lines of one colour the second is dashed
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
_WIDTH, _HEIGHT = 360, 300
_LEFT, _TOP = 52, 34

Points = Sequence[tuple[float, float]]


def draw(runs: Iterable[dict[str, Any]]) -> None:
    """Write the picture of what was measured with crmlab."""
    by_question: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for run in runs:
        if run["engine"] == "crmlab":
            by_question[run["question"]].append(run)
    names = sorted(by_question)
    panels = [
        _panel("CPU seconds", by_question, names, lambda run: max(run["cpu_seconds"], 0.01), 0),
        _panel("GB above the answer", by_question, names, _gigabytes, _WIDTH + _LEFT + 20),
    ]
    legend = [_legend(place, name) for place, name in enumerate(names)]
    # the last label of the right axis reaches beyond it
    width = 2 * (_WIDTH + _LEFT) + 70
    height = _TOP + _HEIGHT + 56 + 20 * math.ceil(len(names) / 4)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
    body = "\n".join([*panels, *legend])
    whole = (
        f'{head}font-size="11">\n<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )
    _FILE.write_text(whole, encoding="utf-8")


def _gigabytes(run: dict[str, Any]) -> float:
    """Return the peak above the process before it and above the answer, at least 10 MB."""
    above = run["peak_mb"] - run["before_mb"] - run["answer_mb"]
    return max(float(above), 10.0) / 1024


def _panel(
    title: str,
    runs: dict[str, list[dict[str, Any]]],
    names: Sequence[str],
    measure: Callable[[dict[str, Any]], float],
    left: int,
) -> str:
    """Return one panel: its axes, and a line for each question."""
    across = range(4, 9)
    up = range(-2, 4)
    lines = [
        f'<text x="{left + _LEFT}" y="{_TOP - 14}" font-size="13">{title}, by rows of each table</text>'
    ]
    for power in across:
        x = _place(power, across, left + _LEFT, _WIDTH)
        lines.append(
            f'<line x1="{x}" x2="{x}" y1="{_TOP}" y2="{_TOP + _HEIGHT}" stroke="#DDDDDD"/>'
        )
        lines.append(
            f'<text x="{x}" y="{_TOP + _HEIGHT + 16}" text-anchor="middle">{10**power:,}</text>'
        )
    for power in up:
        y = _TOP + _HEIGHT - (_place(power, up, 0, _HEIGHT))
        lines.append(
            f'<line x1="{left + _LEFT}" x2="{left + _LEFT + _WIDTH}" y1="{y}" y2="{y}" stroke="#DDDDDD"/>'
        )
        lines.append(
            f'<text x="{left + _LEFT - 6}" y="{y + 4}" text-anchor="end">{10.0**power:g}</text>'
        )
    for place, name in enumerate(names):
        points = [
            (
                _place(math.log10(run["table_rows"]), across, left + _LEFT, _WIDTH),
                _TOP + _HEIGHT - _place(math.log10(measure(run)), up, 0, _HEIGHT),
            )
            for run in sorted(runs[name], key=lambda run: int(run["table_rows"]))
        ]
        lines.append(_line(points, place, name))
    return "\n".join(lines)


def _line(points: Points, place: int, name: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_colour(place)}"/>' for x, y in points
    )
    return f'<g><title>{name}</title><polyline points="{path}" fill="none" {_stroke(place)}/>{dots}</g>'


def _legend(place: int, name: str) -> str:
    x = _LEFT + place % 4 * 195
    y = _TOP + _HEIGHT + 42 + place // 4 * 20
    line = f'<line x1="{x}" x2="{x + 24}" y1="{y}" y2="{y}" {_stroke(place)}/>'
    return line + f'<text x="{x + 30}" y="{y + 4}">{name}</text>'


def _stroke(place: int) -> str:
    dashes = ' stroke-dasharray="5 3"' if place >= len(_COLOURS) else ""
    return f'stroke="{_colour(place)}" stroke-width="2"{dashes}'


def _colour(place: int) -> str:
    return _COLOURS[place % len(_COLOURS)]


def _place(power: float, powers: range, start: int, length: int) -> float:
    """Return where a power of ten stands between the first and the last of an axis."""
    return start + length * (power - powers[0]) / (powers[-1] - powers[0])
