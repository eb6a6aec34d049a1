"""The login form in a real JupyterLab: keys typed by hand, a real kernel, a real local service.

    python tests/browser/login_check.py [--kernel PYTHON] [--kernel-path DIR] [--shots DIR]

Needs jupyterlab, playwright and anywidget where it runs, and ``/usr/bin/chromium``. `--kernel`
is the Python of the kernel, `--kernel-path` comes first on its path (another ipykernel version,
installed with ``pip install --target``). Exits with a traceback at the first thing that is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Locator, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
WRONG, RIGHT, FROM_ENVIRONMENT = "sk-WRONG-11aa22bb", "sk-RIGHT-33cc44dd", "sk-ENV-55ee66ff"
TOKEN = "login-check"
KERNEL_IS_IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip

PROVIDERS = """
import os
from crmlab.provider import Field, Limits, Provider
from crmlab.request import Request, refuse

def check(page):
    if page.status != 200:
        raise refuse(page, now=0.0)

def provider(name, title, *settings):
    return Provider(
        name=name,
        title=title,
        base_url=os.environ["DEMO_SERVICE"],
        home="https://example.com",
        fields=(
            Field(name="api_key", label="API key", help="Settings > API keys, see https://example.com/help."),
            *settings,
        ),
        sign=lambda request, secrets: request.with_headers(X_Key=secrets["api_key"]),
        check=check,
        limits=Limits(),
        ping=Request(path="/users"),
        resources=(),
    )

DEMO = provider("demo", "Demo CRM", Field(
    name="region", label="Region", help="The first part of your address.", secret=False, default="eu"))
OTHER = provider("other", "Other Consent")
"""

CELLS = [
    "import ipykernel\nfrom crmlab.widgets import login\nprint(ipykernel.__version__)\n"
    'form = login("demo", "other")\nform',
    "try:\n    print('accounts:', form.accounts())\nexcept Exception as error:\n    print(repr(error))",
    "import asyncio\nawait asyncio.sleep(6)\nprint('slept')",
    "everything = login()\neverything",
]


class Service(BaseHTTPRequestHandler):
    """Answers three users to whoever brings a right key, 401 to others."""

    def do_GET(self) -> None:
        known = self.headers["X-Key"] in (RIGHT, FROM_ENVIRONMENT)
        body = json.dumps({"data": [1, 2, 3]} if known else {"error": "invalid key"}).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


@contextmanager
def lab(folder: Path, kernel: str, kernel_path: str) -> Iterator[str]:
    """Start JupyterLab on one notebook, with widget state saved, and give its address."""
    settings = folder / "home/.jupyter/lab/user-settings"
    write_json(settings / "@jupyterlab/apputils-extension/notification.jupyterlab-settings",
               {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True})  # fmt: skip
    write_json(settings / "@jupyter-widgets/jupyterlab-manager/plugin.jupyterlab-settings",
               {"saveState": True})  # fmt: skip
    launch = [kernel, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    write_json(folder / "data/kernels/check/kernel.json",
               {"argv": launch, "display_name": "check", "language": "python"})  # fmt: skip
    empty: dict[str, object] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [{**empty, "id": f"cell{i}", "source": source} for i, source in enumerate(CELLS)]
    kernelspec = {"name": "check", "display_name": "check", "language": "python"}
    write_json(folder / "work/x.ipynb", {"cells": cells, "metadata": {"kernelspec": kernelspec},
                                         "nbformat": 4, "nbformat_minor": 5})  # fmt: skip
    provider = folder / "provider"
    metadata = provider / "check_demo-1.dist-info"
    metadata.mkdir(parents=True)
    (provider / "check_demo.py").write_text(PROVIDERS)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: check-demo\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[crmlab.providers]\ndemo = check_demo:DEMO\nother = check_demo:OTHER\n")
    port = free_port()
    with service() as address, (folder / "lab.log").open("w") as log:
        environment = os.environ | {
            "HOME": str(folder / "home"),
            "JUPYTER_CONFIG_DIR": str(folder / "home/.jupyter"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "IPYTHONDIR": str(folder / "ipython"),
            "PYTHONPATH": os.pathsep.join(filter(None, [kernel_path, str(ROOT), str(provider)])),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DEMO_SERVICE": address,
            "CRMLAB_OTHER_API_KEY": FROM_ENVIRONMENT,
        }
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}",
             f"--IdentityProvider.token={TOKEN}", "--allow-root", "--LabApp.expose_app_in_browser=True",
             f"--ServerApp.root_dir={folder / 'work'}"],
            env=environment, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}/lab/tree/x.ipynb?token={TOKEN}&reset"
        finally:
            server.terminate()
            server.wait(20)


def wait_for(port: int) -> None:
    for _ in range(200):
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("JupyterLab did not start")


def execute(page: Page, command: str, **arguments: str) -> None:
    page.evaluate("([c, a]) => { window.jupyterapp.commands.execute(c, a) }", [command, arguments])


def run_cell(page: Page, index: int, *, wait: bool = True) -> None:
    page.evaluate(f"window.jupyterapp.shell.currentWidget.content.activeCellIndex = {index}")
    execute(page, "notebook:run-cell")
    if wait:
        expect(prompt(page, index)).not_to_have_text("[*]:")


def prompt(page: Page, index: int) -> Locator:
    return page.locator(f".jp-Cell >> nth={index}").locator(".jp-InputPrompt")


def output(page: Page, index: int) -> str:
    text: str = page.locator(f".jp-Cell >> nth={index}").locator(".jp-OutputArea").inner_text()
    return text


def check(page: Page, shots: Path | None) -> None:
    def shoot(name: str, cell: int) -> None:
        if shots:
            shots.mkdir(parents=True, exist_ok=True)
            page.locator(f".jp-Cell >> nth={cell}").screenshot(path=shots / f"{name}.png")

    count = "window.jupyterapp.shell.currentWidget.content.widgets.length"
    run_cell(page, 0)
    form = page.locator(".crmlab-login").first
    demo, other = form.locator("details").nth(0), form.locator("details").nth(1)
    key, name = demo.get_by_label("API key", exact=True), demo.get_by_label("Account name")
    connect, status = demo.get_by_role("button", name="Connect"), demo.get_by_role("status")
    listed = form.locator("li")
    expect(other.locator(".badge")).to_have_text("found in the environment")
    print("  ipykernel", output(page, 0).split()[0])

    run_cell(page, 1)
    assert "press Connect above" in output(page, 1), output(page, 1)

    demo.get_by_role("button", name="Show API key").focus()
    for pressed in ("d", "d", "b", "a", "x"):
        page.keyboard.press(pressed)
    key.focus()
    page.keyboard.type("ddbax")
    assert page.evaluate(count) == len(CELLS), "a key pressed in the form reached the notebook"

    key.fill("")
    page.keyboard.press("Enter")
    assert key.evaluate("input => input.validity.valueMissing"), "an empty key was sent"
    shoot("1-start", 0)

    key.fill(WRONG)
    demo.get_by_role("button", name="Show API key").click()
    assert key.get_attribute("type") == "text"
    key.focus()
    page.keyboard.press("Enter")
    expect(status).to_contain_text("the key was refused")
    assert key.input_value() == ""
    assert key.get_attribute("type") == "password"
    shoot("2-refused", 0)

    key.fill(RIGHT)
    connect.click()
    expect(status).to_contain_text("demo: answered")
    assert key.input_value() == ""
    expect(listed).to_have_count(1)

    key.fill(RIGHT)
    connect.click()
    assert "another name" in name.evaluate("input => input.validationMessage")
    assert key.input_value() == RIGHT, "a key was thrown away because of a name"
    name.fill("second")
    connect.click()
    expect(listed).to_have_count(2)
    assert name.input_value() == ""

    other.get_by_role("button", name="Use").click()
    expect(listed).to_have_count(3)
    expect(listed.nth(2)).to_contain_text("Other Consent")
    shoot("3-connected", 0)
    run_cell(page, 1)
    assert output(page, 1).count("Account(") == 3, output(page, 1)

    run_cell(page, 2, wait=False)
    key.fill(RIGHT)
    name.fill("third")
    connect.click()
    started = time.monotonic()
    expect(listed).to_have_count(4, timeout=15_000)
    during = "slept" not in output(page, 2)
    waited = time.monotonic() - started
    print(f"  connected in {waited:.1f} s,", "while" if during else "after", "a cell awaited")

    form.get_by_role("button", name="Remove Demo CRM second").click()
    expect(listed).to_have_count(3)
    inside = "document.activeElement.closest('.crmlab-login') !== null"
    assert page.evaluate(inside), "the focus left the form"
    expect(prompt(page, 2)).not_to_have_text("[*]:", timeout=15_000)
    run_cell(page, 1)
    assert output(page, 1).count("Account(") == 3, output(page, 1)
    assert "third" in output(page, 1), output(page, 1)

    run_cell(page, 3)
    shoot("4-all", 3)
    execute(page, "apputils:change-theme", theme="JupyterLab Dark")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    key.fill(WRONG)
    name.fill("fourth")
    connect.click()
    expect(status).to_contain_text("the key was refused")
    key.fill(RIGHT)
    shoot("5-dark", 0)
    key.fill("")
    shoot("6-all-dark", 3)


def saved(page: Page, notebook: Path) -> str:
    before = notebook.stat().st_mtime_ns
    execute(page, "docmanager:save")
    for _ in range(100):
        if notebook.stat().st_mtime_ns != before:
            break
        time.sleep(0.1)
    time.sleep(0.5)
    return notebook.read_text()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kernel", default=sys.executable)
    parser.add_argument("--kernel-path", default="")
    parser.add_argument("--shots", type=Path)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="login-check-"))
    with lab(folder, options.kernel, options.kernel_path) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page(viewport={"width": 1200, "height": 2600})
        problems: list[str] = []
        page.on("console", lambda line: problems.append(line.text) if "crmlab" in line.text.lower() else None)
        try:
            page.goto(address)
            page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
            page.wait_for_function(KERNEL_IS_IDLE, timeout=60_000)
            check(page, options.shots)
            text = saved(page, folder / "work/x.ipynb")
        except BaseException:
            page.screenshot(path=folder / "failed.png")
            print("  see", folder)
            raise
        browser.close()
    assert "widget-state+json" in text, "no widget state was saved"
    assert "_esm" in text, "the form's state was not saved"
    log = (folder / "lab.log").read_text()
    for secret in (WRONG, RIGHT, FROM_ENVIRONMENT):
        assert secret not in text, f"{secret} is in the saved notebook"
        assert secret not in log, f"{secret} is in the server's log"
    assert not problems, problems
    print("  no key in the saved notebook or in the log")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
