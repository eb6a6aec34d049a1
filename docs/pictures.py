"""Take pictures of the form, a running fetch and the explorer, in a real notebook, into docs/pictures/.

Run with ``make pictures``; it needs what ``make browser`` needs.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Locator, expect

from docs.figures import small
from tests.browser.chromium import launched
from tests.browser.jupyter import ROOT, serving
from tests.browser.notebook import Album, Notebook
from tests.browser.panel import Bars, Explorer

WHERE = Path(__file__).parent / "pictures"
SIZE = {"width": 1040, "height": 1600}
KERNEL = "pictures"
CELLS = (
    "import crmlab\nform = crmlab.login()\nform",
    "accounts = await crmlab.sandbox(rows=1000, rate_limits=True)\n"
    'data = await crmlab.fetch(accounts, "contacts", "deals", "stages", "activities", "users", "consent_events")',
    "crmlab.explore(data)",
)
QUESTION = "How old are the open deals, and which are stuck?"


def taken(what: Locator, name: str) -> None:
    """Keep a small picture of that."""
    path = WHERE / f"{name}.png"
    what.screenshot(path=path)
    small(path)
    print(f"{path.name}: {path.stat().st_size:,} bytes")


def main() -> None:
    """Run a notebook in Notebook 7 and take the three pictures."""
    WHERE.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), {KERNEL: {"PYTHONPATH": str(ROOT)}}) as jupyter,
        launched() as browser,
    ):
        path = jupyter.write("pictures", CELLS, KERNEL)
        jupyter.start_kernel(path, KERNEL)
        notebook = Notebook(browser.new_page(viewport=SIZE), path, Album(WHERE, "pictures"))
        notebook.open(jupyter.address(path, "notebook7"))
        notebook.run(0)
        form = notebook.cell(0).locator(".crmlab-login")
        form.get_by_role("checkbox", name="OnePageCRM").check()
        taken(form, "form")
        finish = notebook.start(1)
        waiting = (
            Bars(notebook.cell(1))
            .lines.filter(has_text="relenta")
            .filter(has_text="waiting for the limit")
        )
        expect(waiting).to_be_visible()
        taken(notebook.output(1).locator(".widget-vbox").first, "progress")
        finish()
        notebook.run(2)
        explorer = Explorer(notebook.cell(2))
        explorer.question.select_option(QUESTION)
        expect(explorer.figure).to_contain_text("open deals")
        explorer.tab("Code")
        notebook.page.mouse.move(0, 0)  # else the figure shows its tools
        taken(explorer.shown, "explorer")
        jupyter.stop_kernels()


if __name__ == "__main__":
    main()
