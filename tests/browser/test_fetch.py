"""Fetching in a notebook: what is shown meanwhile, stopped, drawn and written."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import IN_LAB, Open
from tests.browser.notebook import drawn
from tests.browser.panel import Bars

CELLS = (
    "import crmlab\naccounts = await crmlab.sandbox(rows=1000, rate_limits=True)\naccounts",
    "data = await crmlab.fetch(accounts)\ndata",
    'data = await crmlab.fetch(accounts, "deals", "stages", "contacts")\ndata',
    "crmlab.plots.pipeline_snapshot(data.deals, data.stages)",
    "files = [*data.export('out'), *data.export('out', 'csv'), data.report('out/report.html')]\nlen(files)",
)


@IN_LAB
def test_a_fetch_shows_how_far_it_is_is_stopped_and_fetched_again(
    notebook: Open, page: Page, kernel: str
) -> None:
    if kernel.startswith("6."):
        pytest.skip("ipykernel 6 hands clicks over once the cell has ended: there is no button")
    opened = notebook(*CELLS)
    opened.run(0)

    finish = opened.start(1)

    bars = Bars(opened.cell(1))
    expect(bars.lines.filter(has_text="waiting for the limit").first).to_be_visible()
    before = bars.widths()
    opened.shot("fetch-waiting", 1)
    bars.stop.focus()
    for _ in range(2):
        page.keyboard.press("d")
    page.wait_for_function(
        "before => [...document.querySelectorAll('.progress-bar')].some((bar, i) => bar.style.width !== before[i])",
        arg=before,
    )
    bars.stop.click()
    finish()

    assert opened.height == len(CELLS), "a key pressed on the button reached the notebook"
    expect(bars.stop).to_have_count(0)
    expect(bars.lines.filter(has_text="rows, stopped").first).to_be_visible()
    expect(opened.output(1).locator("strong").first).to_have_text("✗ Not complete")
    expect(opened.output(1)).to_contain_text("stopped before its end")
    opened.shot("fetch-stopped", 1)

    opened.run(2, 3, 4)

    expect(opened.output(2).locator("strong").first).to_have_text("✓ Complete")
    expect(opened.output(2).locator("th[scope=col]").first).to_have_text("table")
    assert set(Bars(opened.cell(2)).widths()) == {"100%"}
    expect(drawn(opened.output(3)).locator(".main-svg").first).to_be_visible()
    written = {path.name for path in (opened.path.parent / "out").iterdir()}
    assert {"deals.parquet", "deals.csv", "summary.parquet", "report.html"} <= written
