"""Keys typed by hand, tried at a real local service, and kept nowhere."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from crmlab.sandbox.server import Sandbox
from tests.browser import services as local
from tests.browser.conftest import IN_LAB, Open
from tests.browser.form import CELL, COMPLERO, ONEPAGECRM, Form
from tests.browser.jupyter import Jupyter

FETCH = 'data = await crmlab.fetch(form, "deals", "stages", "consent_events")\ndata'
ACCOUNTS = "sorted(account.name for account in form.accounts())"
WAIT = (
    "import asyncio, pathlib, ipykernel\n"
    "print(ipykernel.__version__)\n"
    "while not pathlib.Path('go').exists():\n    await asyncio.sleep(0.05)"
)


def test_a_wrong_key_is_refused_the_right_one_fetches_and_neither_is_kept(
    notebook: Open, services: Sandbox, jupyter: Jupyter
) -> None:
    opened = notebook(CELL, FETCH)
    opened.run(0, 1)
    expect(opened.output(1)).to_contain_text("press Connect above")
    form = Form(opened.cell(0), services)
    form.fill(key=local.WRONG)
    opened.shot("login-typed", 0)

    form.connect()

    expect(form.onepagecrm.status).to_contain_text("the key was refused")
    expect(form.onepagecrm.key).to_have_value("")
    opened.shot("login-refused", 0)

    form.fill()
    form.onepagecrm.address.fill("http://127.0.0.1:9")  # nobody is there
    form.connect()

    expect(form.onepagecrm.status).to_contain_text("check the network and Own address")
    expect(form.onepagecrm.key).not_to_have_value("")
    form.onepagecrm.address.fill(services.account("onepagecrm").base_url)
    form.connect()

    expect(form.onepagecrm.status).to_contain_text("onepagecrm: signed in as Nora Keane")
    expect(form.onepagecrm.key).to_have_value("")
    form.use_environment()
    expect(form.accounts).to_have_count(2)
    opened.shot("login-connected", 0)

    opened.run(1)

    expect(opened.output(1)).to_contain_text("Complete")
    expect(opened.output(1).locator("td").filter(has_text="local_complero").first).to_be_visible()
    opened.shot("login-fetched", 1)
    saved = opened.save()
    assert "_esm" in saved, "the form's state was not saved: nothing is shown by this test"
    for secret in local.secrets(services):
        assert secret not in saved
        assert secret not in jupyter.log


@IN_LAB
def test_two_accounts_of_one_service_need_two_names_and_can_be_removed(
    notebook: Open, services: Sandbox, page: Page
) -> None:
    opened = notebook(CELL, ACCOUNTS)
    opened.run(0)
    form = Form(opened.cell(0), services)
    section = form.onepagecrm
    section.paste("one line\nanother")
    expect(section.status).to_contain_text("several lines")
    expect(section.key).to_have_value("")
    section.paste("# keys\nexport CRMLAB_ONEPAGECRM_USER_ID=me\nCRMLAB_ONEPAGECRM_API_KEY=pasted\n")
    expect(section.status).to_contain_text("Filled in: User ID, API key")
    expect(section.key).to_have_value("pasted")
    form.fill()
    form.connect()
    expect(form.accounts).to_have_count(1)

    form.fill()
    form.connect()

    assert "another name" in section.name.evaluate("input => input.validationMessage")
    assert section.key.input_value(), "a key was thrown away because of a name"

    section.name.fill("second")
    section.remember.check()
    form.connect()

    expect(form.accounts).to_have_count(2)
    expect(section.name).to_have_value("")
    expect(section.status).to_contain_text("Not remembered: an account with its own base_url")
    opened.run(1)
    expect(opened.output(1)).to_contain_text("['onepagecrm', 'second']")

    form.shown.get_by_role("button", name="Remove OnePageCRM second").click()

    expect(form.accounts).to_have_count(1)
    assert page.evaluate("document.activeElement.closest('.crmlab-login') !== null"), (
        "the focus left the form"
    )
    opened.run(1)
    expect(opened.output(1)).to_contain_text("['onepagecrm']")


@IN_LAB
def test_connecting_while_a_cell_awaits(notebook: Open, services: Sandbox) -> None:
    opened = notebook(CELL, WAIT, ACCOUNTS)
    opened.run(0)
    form = Form(opened.cell(0), services)
    finish = opened.start(1)
    form.fill()

    form.connect()

    expect(opened.output(1)).to_contain_text(re.compile(r"\d+\.\d+"))
    if (
        not opened.output(1).inner_text().startswith("6.")
    ):  # which hands messages over once the cell has ended
        expect(form.accounts).to_have_count(1)
    (opened.path.parent / "go").touch()
    finish()
    expect(form.accounts).to_have_count(1)
    opened.run(2)
    expect(opened.output(2)).to_contain_text("['onepagecrm']")


@IN_LAB
def test_services_are_chosen_and_the_form_is_readable_in_the_dark(
    notebook: Open, services: Sandbox, page: Page
) -> None:
    opened = notebook(CELL, "everything = crmlab.login()\neverything")
    opened.run(0, 1)
    form, everything = Form(opened.cell(0), services), Form(opened.cell(1), services)
    opened.shot("login-light", 0)
    expect(everything.chip(COMPLERO)).to_be_checked()  # its key is in the environment
    expect(everything.complero.shown).to_be_visible()
    expect(everything.onepagecrm.shown).to_be_hidden()

    everything.chip(ONEPAGECRM).focus()
    page.keyboard.press("Space")
    everything.chip(COMPLERO).uncheck()

    expect(everything.onepagecrm.shown).to_be_visible()
    expect(everything.complero.shown).to_be_hidden()
    opened.shot("login-chosen", 1)

    opened.go_dark()
    form.fill(key=local.WRONG)
    form.connect()

    expect(form.onepagecrm.status).to_contain_text("the key was refused")
    form.use_environment()
    opened.shot("login-dark", 0)
    opened.shot("login-chosen-dark", 1)
