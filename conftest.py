"""Which tests are slow, and how the examples in docstrings are run: as a notebook runs them, each in its own folder."""

from __future__ import annotations

import ast
import asyncio
import gc
import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent
RUN = "run_with_await"

#: folders and files whose tests look at much (every question, every module, every page of the docs, every kind of
#: fault), wait for servers, processes and time limits, or import what takes seconds
SLOW = (
    "crmlab/notebook/offline_html.py",
    "tests/analysis/test_closed_doors.py",
    "tests/analysis/test_history.py",
    "tests/analysis/test_identity_truth.py",
    "tests/analysis/test_joined.py",
    "tests/analysis/test_objection.py",
    "tests/analysis/test_other_kinds.py",
    "tests/catalogue/test_catalogue.py",
    "tests/catalogue/test_lazy.py",
    "tests/catalogue/test_script.py",
    "tests/cli/test_demo_lake.py",
    "tests/cli/test_main.py",
    "tests/cli/test_refresh.py",
    "tests/cluster/test_ends.py",
    "tests/cluster/test_paper.py",
    "tests/cluster/test_places_again.py",
    "tests/cluster/test_run.py",
    "tests/cluster/test_secrets.py",
    "tests/connector/test_time_slices.py",
    "tests/contract",
    "tests/decoding/test_mutated.py",
    "tests/decoding/test_readers.py",
    "tests/display/test_front_end.py",
    "tests/docs",
    "tests/fetching/test_answer_spool.py",
    "tests/fetching/test_changed_answers.py",
    "tests/fetching/test_changes.py",
    "tests/fetching/test_embedding.py",
    "tests/fetching/test_embedding_changes.py",
    "tests/fetching/test_ending.py",
    "tests/fetching/test_fetch.py",
    "tests/fetching/test_lazy_scan.py",
    "tests/fetching/test_lookups.py",
    "tests/fetching/test_no_answer.py",
    "tests/fetching/test_parquet_store.py",
    "tests/fetching/test_plan.py",
    "tests/fetching/test_probing.py",
    "tests/fetching/test_redaction.py",
    "tests/fetching/test_refresh_requests.py",
    "tests/fetching/test_refresh_when_wrong.py",
    "tests/fetching/test_stop.py",
    "tests/fetching/test_writes.py",
    "tests/http/test_timeouts.py",
    "tests/lake",
    "tests/notebook/test_explore.py",
    "tests/notebook/test_offline_html.py",
    "tests/notebook/test_progress_panel.py",
    "tests/own_data/test_collect.py",
    "tests/own_data/test_maven.py",
    "tests/privacy/test_privacy.py",
    "tests/providers/test_onepagecrm_own_records.py",
    "tests/providers/test_registry.py",
    "tests/providers/test_secrets_in_answers.py",
    "tests/pushing/test_kills.py",
    "tests/pushing/test_push.py",
    "tests/report/test_numbers.py",
    "tests/report/test_numbers_of.py",
    "tests/report/test_report.py",
    "tests/results/test_checksums.py",
    "tests/results/test_hostile_files.py",
    "tests/results/test_masked_files.py",
    "tests/results/test_masking.py",
    "tests/sandbox/test_commanders_act.py",
    "tests/sandbox/test_complero.py",
    "tests/sandbox/test_drift.py",
    "tests/sandbox/test_earlier.py",
    "tests/sandbox/test_relenta.py",
    "tests/sandbox/test_services.py",
    "tests/sandbox/test_world.py",
    "tests/test_data.py",
    "tests/test_exports.py",
    "tests/test_forks.py",
    "tests/test_full_disk.py",
    "tests/test_further_api.py",
    "tests/test_maven.py",
    "tests/test_notebooks.py",
    "tests/test_paths.py",
    "tests/test_patterns.py",
    "tests/test_planted_secrets.py",
    "tests/test_public.py",
    "tests/test_readme.py",
    "tests/test_rooms.py",
    "tests/test_time_zones.py",
    "tests/torture",
    "tests/truth",
    "tests/wheel",
)
#: tests that say in their names that they take many rows or accounts
MANY = re.compile("million|thousand|hundred_accounts|the_wall|a_wall")
#: how many cases of one test are fast: the others differ from them in a word or a number
CASES = 2
FAST_ONLY = "not slow"
#: what stands at a test of such a file that reaches much in little time
FAST = "pytest.mark.fast"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a slow file or folder before it is read: each process would read it anew, and run nothing of it."""
    if config.option.markexpr != FAST_ONLY or not _is_of_slow_file(collection_path):
        return None
    return _is_without_fast(collection_path) or None


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make no more cases of a test than are fast: thousands of others take seconds, and nobody runs them."""
    if metafunc.config.option.markexpr == FAST_ONLY:
        marks = metafunc.definition.own_markers
        marks[:] = [_of_few_cases(mark) for mark in marks]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is slow, and let the examples of docstrings await, which stay as a reader sees them."""
    cases: Counter[str] = Counter()
    for item in items:
        test = item.nodeid.split("[")[0]
        cases[test] += 1
        if cases[test] > CASES or is_slow(item):
            item.add_marker(pytest.mark.slow)
        if isinstance(item, pytest.DoctestItem):
            _let_await(item)
    if config.option.markexpr == FAST_ONLY:
        _leave_out_slow(config, items)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over the tests themselves: thousands of objects that live to the end."""
    gc.collect()
    gc.freeze()


def is_slow(item: pytest.Item) -> bool:
    """Whether a test is slow, whatever its case: a law that is tried on many examples, many rows, or one of `SLOW`.

    A test of a slow file that is marked as fast is fast.
    """
    if getattr(getattr(item, "obj", None), "is_hypothesis_test", False) or MANY.search(item.name):
        return True
    return _is_of_slow_file(item.path) and not item.get_closest_marker("fast")


def _is_of_slow_file(path: Path) -> bool:
    if not path.is_relative_to(ROOT):
        return False
    place = path.relative_to(ROOT).as_posix()
    return any(place == slow or place.startswith(f"{slow}/") for slow in SLOW)


def _is_without_fast(path: Path) -> bool:
    # of a folder all tests: what its conftest.py imports takes long, too
    files = [path] if path.is_file() else path.rglob("test_*.py")
    return not any(FAST in file.read_text(encoding="utf-8") for file in files)


def _leave_out_slow(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Do what ``-m`` does, but first: hypothesis reads the whole package if it sees one law."""
    slow = [item for item in items if item.get_closest_marker("slow")]
    items[:] = [item for item in items if not item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)


def _of_few_cases(mark: pytest.Mark) -> pytest.Mark:
    if mark.name != "parametrize":
        return mark
    names, values = mark.args
    options = dict(mark.kwargs)
    if options.get("ids") and not callable(options["ids"]):
        options["ids"] = [*options["ids"]][:CASES]
    return pytest.mark.parametrize(names, [*values][:CASES], **options).mark


def _let_await(item: pytest.DoctestItem) -> None:
    for example in item.dtest.examples:
        if "await " in example.source or "async with " in example.source:
            example.source = f"{RUN}({example.source!r}, globals())\n"


@pytest.fixture(autouse=True)
def _ground_of_examples(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run what stands in a docstring in an empty folder, with one event loop from its first line to its last."""
    if not isinstance(request.node, pytest.DoctestItem):
        yield
        return
    monkeypatch = request.getfixturevalue("monkeypatch")
    monkeypatch.chdir(request.getfixturevalue("tmp_path"))
    # plotly 6.1 takes every process for a notebook, and would print its library where an example draws
    monkeypatch.setattr("plotly.io.renderers.default", "plotly_mimetype")
    with asyncio.Runner() as runner:
        request.node.dtest.globs[RUN] = _awaiting(runner)
        yield


def _awaiting(runner: asyncio.Runner) -> Callable[[str, dict[str, Any]], None]:
    def run(source: str, names: dict[str, Any]) -> None:
        code = compile(
            source, "<example>", "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
        )
        running = eval(code, names)  # noqa: S307  # the project's own docstrings
        # what has `await` only in a function that it defines has run by now
        if inspect.iscoroutine(running):
            runner.run(running)

    return run
