"""Keys pressed in what crmlab shows: a notebook deletes a cell at "d" pressed twice, and must not hear them."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from crmlab.sandbox.server import Sandbox
from tests.browser import test_explore
from tests.browser.conftest import Open
from tests.browser.form import CELL, Form
from tests.browser.panel import Explorer

CELLS = (CELL, test_explore.CELL, "1")


def test_what_is_typed_in_form_and_explorer_stays_there(
    notebook: Open, services: Sandbox, page: Page
) -> None:
    opened = notebook(*CELLS)
    opened.run(0, 1)
    form, explorer = Form(opened.cell(0), services), Explorer(opened.cell(1))
    expect(explorer.figure).to_be_visible()
    explorer.tab("Code")

    def press(where: Locator) -> None:
        where.focus()
        for key in ("d", "d", "b", "a", "x"):
            page.keyboard.press(key)
        assert opened.height == len(CELLS), f"keys pressed in {where} reached the notebook"

    section = form.onepagecrm
    press(section.shown.get_by_role("button", name="Show API key"))
    press(section.shown.locator("summary").first)
    for place in (
        explorer.shown.get_by_role("button", name="Activity"),
        explorer.question,
        explorer.owners,
        explorer.shown.get_by_role("button", name="Reset filters"),
        explorer.shown.get_by_role("button", name="Copy code"),
        explorer.shown.locator("pre"),
    ):
        press(place)
    section.key.focus()
    page.keyboard.type("ddbax")

    assert opened.height == len(CELLS)
    expect(section.key).to_have_value("ddbax")

    form.fill()
    section.key.fill("")
    section.key.press("Enter")

    assert section.key.evaluate("input => input.validity.valueMissing")
    expect(section.status).to_be_empty()
