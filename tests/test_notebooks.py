"""The notebooks run from top to bottom, and are stored without what they printed."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def test_a_notebook_is_stored_without_outputs(notebook):
    kept = [cell for cell in notebook.cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)]

    assert kept == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning:zmq", "ignore::DeprecationWarning:jupyter_client")
async def test_a_notebook_runs_without_error_and_shows_something_in_every_cell(notebook, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # what it exports goes here

    done = await NotebookClient(notebook, timeout=120, kernel_name="python3", store_widget_state=False).async_execute()

    code = [cell for cell in done.cells if cell.cell_type == "code"]
    assert len(code) > 5
    assert [cell.source for cell in code if not cell.outputs] == []
    assert "stderr" not in {output.get("name") for cell in code for output in cell.outputs}
