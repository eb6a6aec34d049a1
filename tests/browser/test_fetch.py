"""Fetching in a notebook: what is shown, drawn and written."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Open

CELLS = (
    "import crmlab, polars as pl\n"
    "async with crmlab.sandbox(rows=100) as accounts:\n"
    "    data = await crmlab.fetch(accounts, limits=crmlab.Limits(concurrency=10))\n"
    "data",
    "crmlab.plots.pipeline_snapshot(data.deals, data.stages)",
    "files = [*data.export('out'), *data.export('out', 'csv'), data.report('out/report.html')]\nlen(files)",
)


def test_a_fetch_shows_its_account_draws_and_exports(notebook: Open) -> None:
    opened = notebook(*CELLS)

    opened.run_all()

    expect(opened.output(0).locator("strong").first).to_have_text("Complete")
    expect(opened.output(0).locator("th[scope=col]").first).to_have_text("account")
    expect(opened.output(1).locator(".js-plotly-plot .main-svg").first).to_be_visible()
    written = {path.name for path in (opened.path.parent / "out").iterdir()}
    assert {"deals.parquet", "deals.csv", "summary.parquet", "report.html"} <= written
