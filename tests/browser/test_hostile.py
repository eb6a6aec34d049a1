"""Texts that attack are shown as texts: in a report with every figure, and in a notebook."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from crmlab.catalogue import CATALOGUE
from tests import hostile
from tests.browser.conftest import IN_LAB, Open
from tests.browser.panel import Explorer
from tests.browser.watch import Watch

CELL = "import crmlab\nfrom tests import hostile\ndata = await hostile.fetched(300)\ndata"
EXPLORER = "crmlab.explore(data)"
#: what a link may not be: a script, or another one's address
_LINKS = """() => [...document.querySelectorAll("a[href]")].map(link => link.href)
  .filter(address => /^javascript:|evil/.test(address))"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # the browser's own event loop runs in this thread
    with ThreadPoolExecutor(1) as thread:
        data = thread.submit(lambda: asyncio.run(hostile.fetched(300))).result()
    return data.report(
        tmp_path_factory.mktemp("report") / "all.html", title=hostile.ATTACK, questions=CATALOGUE
    )


def test_nothing_of_a_hostile_report_runs(browser: Browser, path: Path) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    watch = Watch(context)
    page = context.new_page()
    page.goto(path.as_uri())
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot .main-svg').length > 30")
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")

    assert page.evaluate("window.ran") is None
    assert page.evaluate(_LINKS) == []
    assert "onerror=" in page.inner_text("body")
    assert watch.problems == []
    context.close()


@IN_LAB
def test_nothing_of_a_hostile_fetch_runs_in_a_notebook(notebook: Open, page: Page) -> None:
    opened = notebook(CELL, EXPLORER)
    opened.run(0, 1)
    expect(opened.output(0).locator("mjx-container")).to_have_count(0)  # $5 and $6 are no formula
    explorer = Explorer(opened.cell(1))
    expect(explorer.figure).to_be_visible()
    opened.shot("hostile-fetch", 0)
    opened.shot("hostile-explorer", 1)
    explorer.choose("Activity", "Who does what, and how much of it?")
    expect(explorer.figure).to_contain_text("Activities of each owner")
    explorer.tab("Numbers")
    opened.shot("hostile-numbers", 1)
    explorer.tab("Code")

    assert "onerror=" in page.inner_text("body")
    assert page.evaluate("window.ran") is None
    assert page.evaluate(_LINKS) == []
