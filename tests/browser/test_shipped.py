"""A notebook that comes with crmlab, from top to bottom."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from tests.browser.conftest import IN_LAB, Open
from tests.browser.jupyter import ROOT
from tests.browser.notebook import drawn

#: so high that all of it is on the picture
ALL = {"width": 1200, "height": 4600}


@IN_LAB
def test_the_first_look_draws_all_its_figures(notebook: Open, page: Page) -> None:
    page.set_viewport_size(ALL)
    content = json.loads((ROOT / "notebooks/01_first_look.ipynb").read_text())
    sources = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]
    opened = notebook(*sources)

    opened.run_all()

    figures = [
        index
        for index, source in enumerate(sources)
        if source.splitlines()[-1].startswith("plots.")
    ]
    assert len(figures) == 4
    for index in figures:
        expect(drawn(opened.output(index)).locator(".main-svg").first).to_be_visible()
    expect(opened.output(1).locator("strong").first).to_have_text("✓ Complete")
    expect(opened.output(len(sources) - 1)).to_contain_text("report.html")
    expect(page.locator("[data-mime-type='application/vnd.jupyter.stderr']")).to_have_count(0)
    opened.shot("first-look")
