"""The lines of a running fetch in a notebook, and the button that stops it."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import nbformat
import pytest
from nbclient import NotebookClient
from tqdm.notebook import tqdm

from crmlab.display import front_end
from crmlab.notebook.progress_panel import ProgressPanel


@pytest.fixture(autouse=True)
def shown(monkeypatch):
    found = []
    monkeypatch.setattr("crmlab.notebook.progress_panel.display", found.append)
    return found


async def test_a_click_stops_whatever_thread_it_comes_in(shown):
    stop = asyncio.Event()
    ProgressPanel(stop)
    button = shown[0].children[0]

    clicking = threading.Thread(target=button.click)  # as ipykernel 7.3 does
    clicking.start()
    async with asyncio.timeout(5):
        await stop.wait()

    clicking.join()
    assert button.disabled


async def test_the_button_goes_and_the_lines_stay(shown):
    panel = ProgressPanel(asyncio.Event())
    bars = [tqdm(total=1, display=False) for _ in range(2)]
    panel.show([bar.container for bar in bars])

    panel.close()

    (box,) = shown
    (lines,) = box.children
    assert list(lines.children) == [bar.container for bar in bars]
    for bar in bars:
        bar.close()


def test_where_clicks_come_late_there_is_no_button(shown):
    ProgressPanel(None)

    assert len(shown[0].children) == 1


@pytest.mark.parametrize(
    ("version", "hears"), [("6.31.0", False), ("7.0.0", True), ("10.1.0a1", True)]
)
def test_clicks_come_in_time_since_ipykernel_7(monkeypatch, version, hears):
    monkeypatch.setattr(
        front_end, "kernel", lambda: SimpleNamespace(implementation_version=version)
    )

    assert front_end.hears_while_busy() == hears


@pytest.mark.parametrize(
    ("allow_stdin", "installed", "looks_on"),
    [(True, True, True), (False, True, False), (True, False, False)],
)
def test_a_notebook_is_looked_at_if_somebody_can_answer_and_widgets_are_shown(
    monkeypatch, allow_stdin, installed, looks_on
):
    kernel = SimpleNamespace(get_parent=lambda: {"content": {"allow_stdin": allow_stdin}})
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setattr(front_end, "kernel", lambda: kernel)
    monkeypatch.setattr(front_end, "find_spec", lambda name: object() if installed else None)

    assert front_end.looks_on() == looks_on


@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:zmq", "ignore::DeprecationWarning:jupyter_client"
)
async def test_in_a_kernel_lines_are_widgets_and_drawn_only_on_request_where_nobody_looks_on():
    fetch = (
        "import crmlab\n"
        "async with crmlab.sandbox(rows=50, services=['relenta']) as accounts:\n"
        "    data = await crmlab.fetch(accounts, limits=crmlab.Limits(){})\n"
        "data.complete"
    )
    cells = [
        nbformat.v4.new_code_cell(fetch.format(options)) for options in ("", ", progress=True")
    ]

    done = await NotebookClient(
        nbformat.v4.new_notebook(cells=cells),
        timeout=120,
        kernel_name="python3",
        store_widget_state=True,
    ).async_execute()

    quiet, drawn = (cell.outputs for cell in done.cells)
    assert [output.output_type for output in quiet] == ["execute_result"]
    assert [output.output_type for output in drawn] == ["display_data", "execute_result"]
    models = done.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    texts = [
        text.replace("\u2007", " ")
        for model in models
        if (text := model["state"].get("value")) and isinstance(text, str)
    ]
    assert any(text.startswith("relenta") for text in texts)
    assert any(" rows in " in text for text in texts)
