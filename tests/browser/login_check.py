"""The login form in a real JupyterLab: keys typed by hand, a real kernel, a real local service.

    python tests/browser/login_check.py [--kernel PYTHON] [--kernel-path DIR] [--shots DIR]

Needs jupyterlab, playwright and anywidget where it runs, keyring in the kernel, and
``/usr/bin/chromium``. `--kernel` is the Python of the kernel, `--kernel-path` comes first on its
path (another ipykernel version, installed with ``pip install --target``). Exits with a traceback at the
first thing that is wrong.
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
from collections.abc import Callable, Iterator
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

RING = """
import json, os
from pathlib import Path
from keyring.backend import KeyringBackend

class Ring(KeyringBackend):
    priority = 1
    file = Path(os.environ["CHECK_RING"])

    def _all(self):
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def get_password(self, service, name):
        return self._all().get(f"{service} {name}")

    def set_password(self, service, name, value):
        self.file.write_text(json.dumps({**self._all(), f"{service} {name}": value}))

    def delete_password(self, service, name):
        self.file.write_text(json.dumps({k: v for k, v in self._all().items() if k != f"{service} {name}"}))
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
def lab(folder: Path, kernel: str, kernel_path: str, address: str) -> Iterator[str]:
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
    (provider / "check_ring.py").write_text(RING)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: check-demo\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[crmlab.providers]\ndemo = check_demo:DEMO\nother = check_demo:OTHER\n")
    port = free_port()
    with (folder / "lab.log").open("w") as log:
        environment = os.environ | {
            "HOME": str(folder / "home"),
            "JUPYTER_CONFIG_DIR": str(folder / "home/.jupyter"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "IPYTHONDIR": str(folder / "ipython"),
            "PYTHONPATH": os.pathsep.join(filter(None, [kernel_path, str(ROOT), str(provider)])),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DEMO_SERVICE": address,
            "CRMLAB_OTHER_API_KEY": FROM_ENVIRONMENT,
            "PYTHON_KEYRING_BACKEND": "check_ring.Ring",
            "CHECK_RING": str(folder / "ring.json"),
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


class Form:
    """A login form on the page, and the section of its first provider."""

    def __init__(self, page: Page, cell: int) -> None:
        self.cell = page.locator(f".jp-Cell >> nth={cell}")
        self.root = self.cell.locator(".crmlab-login")
        self.listed = self.root.locator("li")
        self.lost = self.root.get_by_role("alert")
        self.demo, self.other = self.section("Demo CRM"), self.section("Other Consent")
        self.key, self.name = self.demo.get_by_label("API key", exact=True), self.demo.get_by_label("Account name")
        self.remember = self.demo.get_by_label("Remember on this computer")
        self.address = self.demo.get_by_label("Address (base_url)")
        self.button = self.demo.get_by_role("button", name="Connect")
        self.status = self.demo.get_by_role("status")

    def section(self, title: str) -> Locator:
        return self.root.locator(".section").filter(has=self.root.page.locator("summary", has_text=title))

    def connect(self, key: str, name: str = "") -> None:
        self.key.fill(key)
        self.name.fill(name)
        self.button.click()


def check_keys(page: Page, form: Form) -> None:
    """What is typed reaches neither the notebook nor, if it is incomplete, the kernel."""
    count = "window.jupyterapp.shell.currentWidget.content.widgets.length"
    form.demo.get_by_role("button", name="Show API key").focus()
    for pressed in ("d", "d", "b", "a", "x"):
        page.keyboard.press(pressed)
    form.key.focus()
    page.keyboard.type("ddbax")
    assert page.evaluate(count) == len(CELLS), "a key pressed in the form reached the notebook"

    form.key.fill("")
    page.keyboard.press("Enter")
    assert form.key.evaluate("input => input.validity.valueMissing"), "an empty key was sent"


def paste(into: Locator, text: str) -> None:
    into.evaluate(
        "(input, text) => { const data = new DataTransfer(); data.setData('text', text); "
        "input.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})); }",
        text,
    )


def check_pasting(form: Form) -> None:
    paste(form.key, "one line\nanother")
    expect(form.status).to_contain_text("several lines")
    assert form.key.input_value() == ""
    paste(form.name, f"# keys\nexport CRMLAB_DEMO_REGION=us\nCRMLAB_DEMO_API_KEY='{WRONG}'\nCRMLAB_OTHER_API_KEY=x\n")
    expect(form.status).to_contain_text("Filled in: API key, Region")
    assert form.key.input_value() == f"'{WRONG}'"
    assert form.demo.get_by_label("Region").input_value() == "us"


def check_connecting(page: Page, form: Form) -> None:
    form.key.fill(WRONG)
    form.demo.get_by_role("button", name="Show API key").click()
    assert form.key.get_attribute("type") == "text"
    form.key.focus()
    page.keyboard.press("Enter")
    expect(form.status).to_contain_text("the key was refused")
    assert form.key.input_value() == ""
    assert form.key.get_attribute("type") == "password"

    form.connect(f' "{RIGHT}" ')
    expect(form.status).to_contain_text("demo: answered · 127.0.0.1")
    assert form.key.input_value() == ""
    expect(form.listed).to_have_count(1)

    form.connect(RIGHT)
    assert "another name" in form.name.evaluate("input => input.validationMessage")
    assert form.key.input_value() == RIGHT, "a key was thrown away because of a name"
    form.remember.check()
    form.connect(RIGHT, "second")
    expect(form.listed).to_have_count(2)
    expect(form.status).to_contain_text("Remembered in check ring Ring: service crmlab/second")
    expect(form.demo.get_by_role("button", name="Forget Demo CRM second")).to_be_visible()
    assert form.name.input_value() == ""
    assert not form.remember.is_checked()

    form.other.get_by_role("button", name="Use").click()
    expect(form.listed).to_have_count(3)
    expect(form.listed.nth(2)).to_contain_text("Other Consent")


def check_address(form: Form, service: str) -> None:
    form.demo.get_by_text("Own address").click()
    form.address.fill("http://example.com")
    form.connect(RIGHT, "proxy")
    expect(form.status).to_contain_text("http would send the key to example.com unencrypted")
    form.address.fill(service + "/proxy")
    form.remember.check()
    form.connect(RIGHT, "proxy")
    expect(form.status).to_contain_text("proxy: answered")
    expect(form.status).to_contain_text("Not remembered: an account with an address of its own")
    assert form.address.input_value() == ""
    form.root.get_by_role("button", name="Remove Demo CRM proxy").click()
    expect(form.listed).to_have_count(3)
    form.demo.get_by_text("Own address").click()


def check_while_a_cell_awaits(page: Page, form: Form) -> None:
    run_cell(page, 2, wait=False)
    form.connect(RIGHT, "third")
    started = time.monotonic()
    expect(form.listed).to_have_count(4, timeout=15_000)
    during = "slept" not in output(page, 2)
    print(f"  connected in {time.monotonic() - started:.1f} s,", "while" if during else "after", "a cell awaited")
    form.root.get_by_role("button", name="Remove Demo CRM second").click()
    expect(form.listed).to_have_count(3)
    assert page.evaluate("document.activeElement.closest('.crmlab-login') !== null"), "the focus left the form"
    expect(prompt(page, 2)).not_to_have_text("[*]:", timeout=15_000)
    run_cell(page, 1)
    assert output(page, 1).count("Account(") == 3, output(page, 1)
    assert "third" in output(page, 1), output(page, 1)


def check_choosing(page: Page, form: Form) -> None:
    """What is known is open from the start, the others when they are ticked."""
    for title, known in (("Demo CRM", True), ("Other Consent", True), ("OnePageCRM", False)):
        expect(form.root.get_by_role("checkbox", name=title)).to_be_checked(checked=known)
        expect(form.section(title)).to_be_visible(visible=known)
    form.root.get_by_role("checkbox", name="OnePageCRM").focus()
    page.keyboard.press("Space")
    expect(form.section("OnePageCRM")).to_be_visible()
    form.root.get_by_role("checkbox", name="Demo CRM").uncheck()
    expect(form.section("Demo CRM")).to_be_hidden()


def check_restart(page: Page, form: Form, shoot: Callable[[str, Form], None]) -> None:
    """The form of a kernel that is gone says so; run again, it works, and knows what it was to remember."""
    restart(page, "notebook:restart-kernel")
    expect(form.lost).to_contain_text("has lost its kernel")
    print("  after a restart the old form says at once that it lost its kernel")
    form.connect(RIGHT, "late")
    expect(form.lost).to_contain_text("has lost its kernel")
    expect(form.status).to_contain_text("has lost its kernel")
    shoot("7-lost", form)

    restart(page, "notebook:restart-run-all")
    expect(prompt(page, 3)).to_have_text("[4]:", timeout=60_000)
    expect(form.lost).to_have_count(0)
    form.demo.get_by_role("button", name="Use Demo CRM second").click()
    expect(form.status).to_contain_text("second: answered")
    form.demo.get_by_role("button", name="Forget Demo CRM second").click()
    expect(form.status).to_contain_text("second forgotten")
    expect(form.demo.get_by_role("button", name="Forget Demo CRM second")).to_have_count(0)
    run_cell(page, 1)
    assert "name='second'" in output(page, 1), output(page, 1)
    print("  restarted and run again, a new form works and finds what it was to remember")


def restart(page: Page, command: str) -> None:
    execute(page, command)
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.wait_for_function(KERNEL_IS_IDLE, timeout=60_000)


def check(page: Page, shoot: Callable[[str, Form], None], service: str) -> None:
    run_cell(page, 0)
    form = Form(page, 0)
    expect(form.other.locator(".badge")).to_have_text("found")
    print("  ipykernel", output(page, 0).split()[0])
    run_cell(page, 1)
    assert "press Connect above" in output(page, 1), output(page, 1)

    check_keys(page, form)
    shoot("1-start", form)
    check_pasting(form)
    check_connecting(page, form)
    shoot("3-connected", form)
    run_cell(page, 1)
    assert output(page, 1).count("Account(") == 3, output(page, 1)
    check_address(form, service)
    check_while_a_cell_awaits(page, form)

    run_cell(page, 3)
    everything = Form(page, 3)
    shoot("4-all", everything)
    check_choosing(page, everything)
    shoot("5-chosen", everything)
    execute(page, "apputils:change-theme", theme="JupyterLab Dark")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    form.demo.get_by_text("Own address").click()
    form.connect(WRONG, "fourth")
    expect(form.status).to_contain_text("the key was refused")
    form.key.fill(RIGHT)
    shoot("6-dark", form)
    form.key.fill("")
    shoot("6-chosen-dark", everything)


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

    def shoot(name: str, form: Form) -> None:
        if options.shots:
            options.shots.mkdir(parents=True, exist_ok=True)
            form.cell.screenshot(path=options.shots / f"{name}.png")

    with (
        service() as demo,
        lab(folder, options.kernel, options.kernel_path, demo) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page(viewport={"width": 1200, "height": 2600})
        problems: list[str] = []
        page.on("console", lambda line: problems.append(line.text) if "crmlab" in line.text.lower() else None)
        try:
            page.goto(address)
            page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
            page.wait_for_function(KERNEL_IS_IDLE, timeout=60_000)
            check(page, shoot, demo)
            text = saved(page, folder / "work/x.ipynb")
            assert RIGHT in (folder / "ring.json").read_text(), "nothing was remembered"
            check_restart(page, Form(page, 0), shoot)
            text += saved(page, folder / "work/x.ipynb")
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
