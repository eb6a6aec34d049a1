"""One Jupyter server, which serves JupyterLab and Notebook 7, with a home and kernels of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOKEN = "local"
START_SECONDS = 60
#: where each front end shows a notebook; Lab without what it had open before
FRONT_ENDS = {
    "lab": "lab/tree/{path}?token={token}&reset",
    "notebook7": "notebooks/{path}?token={token}",
}
#: else the server asks elsewhere whether there is news
_QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
_THEME = "apputils-extension/themes.jupyterlab-settings"


@dataclass(frozen=True)
class Jupyter:
    """A running server; its files are in `folder`."""

    folder: Path
    url: str

    @property
    def log(self) -> str:
        """What the server and its kernels have said so far."""
        return (self.folder / "log").read_text()

    def write(self, name: str, cells: Sequence[str], kernel: str) -> Path:
        """Write a notebook of code cells into a folder of its own, and return its path."""
        empty: dict[str, object] = {
            "cell_type": "code",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        content = {
            "cells": [
                {**empty, "id": f"cell{i}", "source": source} for i, source in enumerate(cells)
            ],
            "metadata": {
                "kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        path = self.folder / "work" / name / "x.ipynb"
        _write_json(path, content)
        return path

    def address(self, path: Path, front_end: str) -> str:
        """Return where that front end shows the notebook; in light, whatever the one before it chose."""
        (_settings(self.folder) / "@jupyterlab" / _THEME).unlink(missing_ok=True)
        inside = path.relative_to(self.folder / "work")
        return f"{self.url}/{FRONT_ENDS[front_end].format(path=inside, token=TOKEN)}"

    def start_kernel(self, path: Path, kernel: str) -> None:
        """Start the notebook's kernel, so that it is up when the front end asks for it.

        An ipykernel 7 that is asked something while it starts may never answer: about one in fifty did not.
        """
        inside = str(path.relative_to(self.folder / "work"))
        session = {
            "path": inside,
            "name": path.name,
            "type": "notebook",
            "kernel": {"name": kernel},
        }
        self._asked("POST", "/api/sessions", session)

    def stop_kernels(self) -> None:
        """Stop every kernel."""
        for kernel in json.loads(self._asked("GET", "/api/kernels")):
            self._asked("DELETE", f"/api/kernels/{kernel['id']}")

    def _asked(self, method: str, path: str, content: object = None) -> bytes:
        request = urllib.request.Request(
            self.url + path,
            data=None if content is None else json.dumps(content).encode(),
            method=method,
            headers={"Authorization": f"token {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:
            body: bytes = answer.read()
        return body


@contextmanager
def serving(folder: Path, kernels: Mapping[str, Mapping[str, str]]) -> Iterator[Jupyter]:
    """Start a server with one kernel for each name, whose variables are given; stop it at the end."""
    _write_json(
        _settings(folder) / "@jupyterlab/apputils-extension/notification.jupyterlab-settings",
        _QUIET,
    )
    _write_json(
        _settings(folder) / "@jupyter-widgets/jupyterlab-manager/plugin.jupyterlab-settings",
        {"saveState": True},
    )
    # else cells out of sight leave the page
    _write_json(
        _settings(folder) / "@jupyterlab/notebook-extension/tracker.jupyterlab-settings",
        {"windowingMode": "none"},
    )
    launch = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    for name, variables in kernels.items():
        spec = {"argv": launch, "display_name": name, "language": "python", "env": dict(variables)}
        _write_json(folder / "data/kernels" / name / "kernel.json", spec)
    (folder / "work").mkdir()
    home = {
        "HOME": str(folder / "home"),
        "JUPYTER_CONFIG_DIR": str(folder / "home/.jupyter"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    port = _free_port()
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ip=127.0.0.1", f"--port={port}", f"--IdentityProvider.token={TOKEN}"),
        *("--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"),
        f"--ServerApp.root_dir={folder / 'work'}",
    ]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            command, env=_without_keys() | home, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            running = Jupyter(folder, f"http://127.0.0.1:{port}")
            _wait_for(server, running)
            yield running
        finally:
            server.terminate()
            server.wait(20)


def _without_keys() -> dict[str, str]:
    """Return the environment without the keys that somebody may have in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CRMLAB_")}


def _settings(folder: Path) -> Path:
    return folder / "home/.jupyter/lab/user-settings"


def _write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(server: subprocess.Popen[bytes], jupyter: Jupyter) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            jupyter._asked("GET", "/api/kernels")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"Jupyter did not start:\n{jupyter.log}")
