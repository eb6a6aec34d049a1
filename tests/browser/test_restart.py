"""A kernel that restarts under a form."""

from __future__ import annotations

from playwright.sync_api import expect

from crmlab.sandbox.server import Sandbox
from tests.browser import services as local
from tests.browser.conftest import Open
from tests.browser.form import CELL, COMPLERO, Form

FETCH = 'data = await crmlab.fetch(form, "deals", "stages", "consent_events")\ndata'
LOST = "has lost its kernel"


def test_a_form_whose_kernel_restarted_says_so_and_a_new_one_knows_what_was_remembered(
    notebook: Open, services: Sandbox
) -> None:
    opened = notebook(CELL, FETCH)
    opened.run(0)
    form = Form(opened.cell(0), services)
    form.complero.key.fill(services.keys["complero"]["api_key"])
    form.complero.name.fill("kept")
    form.complero.remember.check()
    form.complero.connect()
    expect(form.complero.status).to_contain_text("Remembered in ring Ring: service crmlab/kept")
    expect(form.complero.remember).not_to_be_checked()

    opened.restart()

    expect(form.lost).to_contain_text(LOST)
    form.fill()
    form.connect()
    expect(form.onepagecrm.status).to_contain_text(LOST)
    opened.shot("restart-old-form", 0)

    form.fill(name="before")
    opened.restart_and_run_all()

    expect(opened.output(1)).to_contain_text("press Connect above")
    expect(form.lost).to_have_count(0)
    expect(form.accounts).to_have_count(0)
    expect(form.onepagecrm.key).to_have_value("")
    form.fill()
    form.connect()
    form.complero.press(f"Use {COMPLERO} kept")
    expect(form.accounts).to_have_count(2)
    opened.shot("restart-new-form", 0)

    opened.run(1)

    expect(opened.output(1).locator("strong").first).to_have_text("✓ Complete")
    saved = opened.save()
    assert [secret for secret in local.secrets(services) if secret in saved] == []

    form.complero.press(f"Forget {COMPLERO} kept")

    expect(form.complero.status).to_contain_text("kept forgotten")
    expect(form.complero.shown.get_by_role("button", name="Forget")).to_have_count(0)
