"""A report in a window of 1,400 pixels: every table and every text of a chart is seen whole, and nothing is loaded."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request

import crmlab
from crmlab.catalogue import CATALOGUE

#: tables that must be scrolled, and texts of charts that are outside of these
_CUT = """() => {
  const names = [];
  document.querySelectorAll("details").forEach(details => details.open = true);
  if (document.documentElement.scrollWidth > window.innerWidth) names.push("the page");
  document.querySelectorAll(".scroll").forEach(table => {
    if (table.scrollWidth > table.clientWidth + 1) names.push(table.getAttribute("aria-label"));
  });
  document.querySelectorAll(".plot").forEach(plot => {
    const frame = plot.getBoundingClientRect();
    plot.querySelectorAll("text").forEach(text => {
      const box = text.getBoundingClientRect();
      const isOutside = box.right > frame.right + 1 || box.left < frame.left - 1 || box.bottom > frame.bottom + 1;
      if (box.width && isOutside) names.push(`${text.textContent} in ${plot.getAttribute("aria-label")}`);
    });
  });
  return names;
}"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    async def fetch() -> crmlab.Fetched:
        async with crmlab.sandbox(rows=600) as accounts:
            return await crmlab.fetch(accounts)

    # the browser's own event loop runs in this thread
    with ThreadPoolExecutor(1) as thread:
        data = thread.submit(lambda: asyncio.run(fetch())).result()
    return data.report(tmp_path_factory.mktemp("report") / "all.html", questions=CATALOGUE)


def test_nothing_of_a_report_is_cut(browser: Browser, path: Path) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.goto(path.as_uri())
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot .main-svg').length > 30")

    assert page.evaluate(_CUT) == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    page.close()
