"""How the examples in docstrings are run: as a notebook runs them, with `await` at the top, each in its own folder."""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

RUN = "run_with_await"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the examples of docstrings await: what is shown to a reader stays as it is written."""
    for item in items:
        if not isinstance(item, pytest.DoctestItem):
            continue
        for example in item.dtest.examples:
            if "await " in example.source or "async with " in example.source:
                example.source = f"{RUN}({example.source!r}, globals())\n"


@pytest.fixture(autouse=True)
def _ground_of_examples(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run what stands in a docstring in an empty folder, with one event loop from its first line to its last."""
    if not isinstance(request.node, pytest.DoctestItem):
        yield
        return
    request.getfixturevalue("monkeypatch").chdir(request.getfixturevalue("tmp_path"))
    with asyncio.Runner() as runner:
        request.node.dtest.globs[RUN] = _awaiting(runner)
        yield


def _awaiting(runner: asyncio.Runner) -> Callable[[str, dict[str, Any]], None]:
    def run(source: str, names: dict[str, Any]) -> None:
        code = compile(source, "<example>", "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        running = eval(code, names)  # noqa: S307  # the project's own docstrings
        # what has `await` only in a function that it defines has run by now
        if inspect.iscoroutine(running):
            runner.run(running)

    return run
