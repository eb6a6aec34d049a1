"""A kernel that restarts under a form."""

from __future__ import annotations

from playwright.sync_api import expect

from crmlab.sandbox.server import Sandbox
from tests.browser import services as local
from tests.browser.conftest import Open
from tests.browser.form import CELL, Form

FETCH = 'data = await crmlab.fetch(form, "deals", "stages")\ndata'


def test_a_form_whose_kernel_restarted_says_what_to_do(notebook: Open, services: Sandbox) -> None:
    opened = notebook(CELL)
    opened.run(0)
    form = Form(opened.cell(0), services)
    form.fill()
    form.connect()
    expect(form.accounts).to_have_count(1)

    opened.restart()
    form.fill(name="again")
    form.connect()

    expect(form.status).to_contain_text("run this cell again")
    opened.shot("restart-old-form", 0)

    opened.run(0)

    expect(form.accounts).to_have_count(0)
    form.fill()
    form.connect()
    expect(form.accounts).to_have_count(1)


def test_restart_and_run_all_with_a_filled_form_gives_a_fresh_one(notebook: Open, services: Sandbox) -> None:
    opened = notebook(CELL, FETCH)
    opened.run(0)
    form = Form(opened.cell(0), services)
    form.fill(name="before")
    form.connect()
    expect(form.accounts).to_have_count(1)
    form.fill()

    opened.restart_and_run_all()

    expect(opened.output(1)).to_contain_text("press Connect above")
    expect(form.accounts).to_have_count(0)
    expect(form.key).to_have_value("")
    form.fill()
    form.connect()
    expect(form.accounts).to_have_count(1)
    opened.shot("restart-new-form", 0)

    opened.run(1)

    expect(opened.output(1)).to_contain_text("Complete")
    saved = opened.save()
    assert [secret for secret in local.secrets(services) if secret in saved] == []
