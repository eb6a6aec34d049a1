"""No pattern of crmlab's takes more than linear time, whatever a service or a file puts before it.

Every regular expression of the package is tried on texts that are made of what it looks for, and that it does not
match in the end. Polars' own patterns are not tried: its engine is linear by construction.
"""

from __future__ import annotations

import ast
import importlib
import re
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: of which the first finds what is exponential before the last would take for ever
SIZES = (18, 24, 10_000)
#: seconds of CPU: what is linear takes some thousandths for the largest, what is quadratic a hundred times as long
LIMIT = 0.1
_METHODS = (
    "search",
    "match",
    "fullmatch",
    "sub",
    "findall",
    "split",
    "finditer",
    "subn",
    "compile",
)
_USUAL = (
    " ",
    "a",
    "A",
    "0",
    "-",
    ".",
    "\n",
    "\t",
    '"',
    "<",
    "&",
    ";",
    "=",
    "%",
    "\\",
    "{",
    "(",
    "é",
    '\\"',
    '"\\',
)


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield each module of the package, by its name."""
    for path in sorted((ROOT / "crmlab").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def uses(tree: ast.Module) -> Iterator[tuple[ast.expr, str, int]]:
    """Yield the first argument of each call of a function of `re`, the function's name, and its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            function = node.func
            if (
                isinstance(function.value, ast.Name)
                and function.value.id == "re"
                and function.attr in _METHODS
            ):
                yield node.args[0], function.attr, node.lineno


def anchored(tree: ast.Module) -> set[str]:
    """Return the names of patterns that are only ever asked from the beginning of a text."""
    asked: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.attr in _METHODS
        ):
            asked.setdefault(node.value.id, set()).add(node.attr)
    return {name for name, methods in asked.items() if methods <= {"match", "fullmatch"}}


def patterns() -> dict[str, tuple[re.Pattern[str], bool]]:
    """Return every pattern that stands in the package by its place, and whether it may begin anywhere."""
    found: dict[str, tuple[re.Pattern[str], bool]] = {}
    for name, tree in modules():
        from_beginning = anchored(tree)
        if not any(uses(tree)):
            continue
        module = importlib.import_module(name)
        for attribute, value in vars(module).items():
            if isinstance(value, re.Pattern):
                text = (
                    value
                    if isinstance(value.pattern, str)
                    else re.compile(value.pattern.decode("latin-1"))
                )
                found[f"{name}.{attribute}"] = (text, attribute not in from_beginning)
        for argument, method, line in uses(tree):
            if (
                isinstance(argument, ast.Constant)
                and isinstance(argument.value, str)
                and method != "compile"
            ):
                found[f"{name}:{line}"] = (
                    re.compile(argument.value),
                    method not in ("match", "fullmatch"),
                )
    return found


PATTERNS = patterns()


def pieces(pattern: str) -> list[str]:
    """Return what may stand again and again in a text that a pattern nearly matches."""
    literal = [
        *dict.fromkeys(character for character in pattern if character not in "\\[](){}?*+|^$")
    ][:10]
    words = re.findall(r"[A-Za-z]{2,}", pattern)[:4]
    single = [*dict.fromkeys([*literal, *_USUAL, *words])]
    return [*single, *("".join(pair) for pair in product(literal[:4], _USUAL[:3]))]


def slowest(pattern: re.Pattern[str], *, anywhere: bool) -> tuple[float, str]:
    """Return the CPU seconds of the worst text, and what it repeats."""
    worst = (0.0, "")
    for piece in pieces(pattern.pattern):
        for size in SIZES:
            for begin, end in (("", "\x00"), ('"', "!\x00"), ("", "")):
                text = begin + piece * (size // len(piece)) + end
                began = time.thread_time()
                if anywhere:
                    pattern.sub("", text)
                else:
                    pattern.match(text)
                    pattern.fullmatch(text)
                worst = max(worst, (time.thread_time() - began, f"{piece!r} * {size}"))
            if worst[0] > LIMIT:
                return worst
    return worst


def test_every_pattern_is_looked_at() -> None:
    assert len(PATTERNS) >= 60


@pytest.mark.parametrize("place", PATTERNS)
def test_no_pattern_takes_more_than_linear_time(place: str) -> None:
    pattern, anywhere = PATTERNS[place]

    seconds, text = slowest(pattern, anywhere=anywhere)

    assert seconds < LIMIT, f"{pattern.pattern!r} takes {seconds:.2f} s for {text}"


@pytest.mark.parametrize("pattern", [r"(a+)+b", r"\s+$", r"(\w+\.)*x"])
def test_what_is_not_linear_is_found(pattern: str) -> None:
    assert slowest(re.compile(pattern), anywhere=True)[0] > LIMIT
