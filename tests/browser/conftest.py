"""A browser, a Jupyter server, local services, and a notebook in each front end.

Run with ``make browser``. Folders named in CRMLAB_KERNELS hold other versions of ipykernel
(``pip install --no-deps --target``); every test then runs on each of them instead. Pictures,
the last of each test under its name, and the server's log go to the folder that CRMLAB_SHOTS names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from crmlab.sandbox.server import Sandbox
from tests.browser import services as local
from tests.browser.chromium import launched
from tests.browser.jupyter import FRONT_ENDS, ROOT, Jupyter, serving
from tests.browser.notebook import Album, Notebook
from tests.browser.watch import Watch

SHOTS = Path(os.environ.get("CRMLAB_SHOTS") or Path(__file__).parent / "shots")
_FOLDERS = os.environ.get("CRMLAB_KERNELS", "").split()
KERNELS = {Path(folder).name: str(Path(folder).resolve()) for folder in _FOLDERS} or {
    "environment": ""
}
SIZE = {"width": 1200, "height": 1600}
#: a test of what is the same in Notebook 7
IN_LAB = pytest.mark.parametrize("front_end", ["lab"])

Open = Callable[..., Notebook]


@pytest.fixture(params=FRONT_ENDS)
def front_end(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def album(front_end: str, kernel: str, request: pytest.FixtureRequest) -> Album:
    return Album(SHOTS / f"{front_end}-{kernel}", request.function.__name__.removeprefix("test_"))


@pytest.fixture(scope="session")
def services() -> Iterator[Sandbox]:
    with local.running() as running:
        yield running


@pytest.fixture(scope="session")
def jupyter(services: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    folder = tmp_path_factory.mktemp("jupyter")
    variables = local.install(services, folder / "services")
    kernels = {
        name: {
            **variables,
            "PYTHONPATH": os.pathsep.join(
                filter(None, [other, str(ROOT), str(folder / "services")])
            ),
        }
        for name, other in KERNELS.items()
    }
    with serving(folder, kernels) as running:
        yield running
        SHOTS.mkdir(parents=True, exist_ok=True)
        (SHOTS / "jupyter.log").write_text(running.log)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, jupyter: Jupyter, album: Album) -> Iterator[Page]:
    """A page of its own for each test, which fails if anything leaves this computer or complains."""
    context = browser.new_context(viewport=SIZE, accept_downloads=False)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    watch = Watch(context)
    page = context.new_page()
    yield page
    page.screenshot(path=album.path(album.test))
    context.close()
    jupyter.stop_kernels()
    if watch.problems:
        pytest.fail("\n".join(watch.problems), pytrace=False)


@pytest.fixture
def notebook(page: Page, jupyter: Jupyter, front_end: str, kernel: str, album: Album) -> Open:
    """Write a notebook of these code cells, open it, and wait for its kernel."""

    def open_notebook(*cells: str) -> Notebook:
        path = jupyter.write(f"{album.test}-{front_end}-{kernel}", cells, kernel)
        jupyter.start_kernel(path, kernel)
        notebook = Notebook(page, path, album)
        notebook.open(jupyter.address(path, front_end))
        return notebook

    return open_notebook
