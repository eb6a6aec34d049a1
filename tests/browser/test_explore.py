"""Questions chosen by hand, and the code that is taken along."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import IN_LAB, Open
from tests.browser.notebook import drawn
from tests.browser.panel import Explorer, traces

CELL = (
    "import crmlab\n"
    "async with crmlab.sandbox(rows=300) as accounts:\n"
    "    data = await crmlab.fetch(accounts, progress=False)\n"
    "explorer = crmlab.explore(data)\n"
    "explorer"
)
SAME = (
    "explored, = explorer.figure.outputs\n"
    'explored["data"]["application/vnd.plotly.v1+json"]'
    ' == figure._repr_mimebundle_()["application/vnd.plotly.v1+json"]'
)


@IN_LAB
def test_a_question_is_chosen_filtered_and_its_code_makes_the_same_figure(
    notebook: Open, page: Page
) -> None:
    opened = notebook(CELL, "", SAME)
    opened.run(0)
    explorer = Explorer(opened.cell(0))
    expect(explorer.figure).to_be_visible()
    opened.shot("explore-first", 0)

    explorer.choose("Activity", "Who does what, and how much of it?")

    expect(explorer.figure).to_contain_text("Activities of each owner")
    expect(explorer.numbers).to_contain_text("Marc Petit")
    of_all = traces(explorer.figure)
    opened.shot("explore-owners", 0)
    expect(explorer.figure.locator('[data-title="Download plot as a PNG"]')).to_have_count(1)
    expect(explorer.figure.locator('[data-title="Share chart..."]')).to_have_count(
        0
    )  # it would upload the data

    explorer.owners.select_option(index=[0, 1])  # none, and she who has most

    expect(explorer.numbers).not_to_contain_text("Marc Petit")
    expect(explorer.numbers).to_contain_text("Lena Vogt")
    assert traces(explorer.figure) != of_all

    explorer.tab("Code")
    explorer.copy()

    expect(explorer.said).to_have_text("Copied")
    opened.shot("explore-code", 0)
    opened.cell(1).locator(".cm-content").click()
    page.keyboard.press("Control+V")
    expect(opened.cell(1).locator(".cm-content")).to_contain_text("figure = ")
    opened.run(1, 2)
    expect(opened.output(2)).to_contain_text("True")
    assert traces(drawn(opened.output(1))) == traces(explorer.figure)

    opened.go_dark()
    explorer.tab("Numbers")
    opened.shot("explore-dark", 0)
