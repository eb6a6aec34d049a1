"""A notebook that the menu exports as one file, which asks nobody for anything."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.jupyter import TOKEN, Jupyter
from tests.browser.panel import Explorer

CELL = (
    "import crmlab\n"
    "from crmlab import plots\n"
    "async with crmlab.sandbox(rows=300) as accounts:\n"
    "    data = await crmlab.fetch(accounts, progress=False)\n"
    "plots.win_rate(data.deals)"
)


def test_the_menu_exports_figures_and_the_explorer_to_a_page_without_requests(
    notebook: Open, page: Page, jupyter: Jupyter, front_end: str
) -> None:
    opened = notebook(CELL, "crmlab.explore(data)")
    opened.run(0, 1)
    expect(Explorer(opened.cell(1)).numbers).to_be_visible()
    opened.save()

    page.get_by_role("menuitem", name="File", exact=True).click()
    page.get_by_text("Save and Export Notebook As", exact=True).hover()
    expect(page.get_by_text("HTML_offline", exact=True)).to_be_visible()
    opened.shot(f"menu-{front_end}")

    inside = opened.path.relative_to(jupyter.folder / "work")
    page.goto(f"{jupyter.url}/nbconvert/HTML_offline/{inside}?token={TOKEN}")

    # the page's watch sees every request and complaint
    figures = page.locator(".plotly-graph-div")
    expect(figures).to_have_count(2)
    for index in range(2):
        expect(figures.nth(index).locator(".main-svg").first).to_be_visible()
    expect(page.locator("table.dataframe")).to_be_visible()
