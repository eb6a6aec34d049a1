"""A wheel of crmlab where nothing else is installed: clean environments of the Pythons that CRMLAB_PYTHONS names.

``make wheel`` names every Python from 3.11 on that it finds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMOKE = Path(__file__).with_name("smoke.py")
PYTHONS = os.environ.get("CRMLAB_PYTHONS", "").split()
ALL = "[excel,images,keyring,notebook]"
pytestmark = pytest.mark.skipif(not PYTHONS, reason="make wheel")


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Return what it prints; what it complains of is shown where it fails."""
    # nothing of the checkout, and no account of whoever runs this
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "CRMLAB_"))
    }
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("crmlab-*.whl")
    return built


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    tracked = run("git", "ls-files", "crmlab", cwd=ROOT).split()
    assert held == set(tracked)


@pytest.mark.parametrize("extras", ["", ALL], ids=["core", "extras"])
@pytest.mark.parametrize("python", PYTHONS, ids=lambda path: Path(path).name)
def test_it_works_in_a_clean_environment(
    wheel: Path, python: str, extras: str, tmp_path: Path
) -> None:
    run(python, "-m", "venv", tmp_path / "v")
    inside = tmp_path / "v" / ("Scripts" if os.name == "nt" else "bin")
    run(
        inside / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        f"{wheel}{extras}",
    )
    work = tmp_path / "work"
    work.mkdir()

    told = run(inside / "python", SMOKE, "extras" if extras else "core", cwd=work)
    shown = run(inside / "crmlab", "demo", "--out", work / "out", cwd=work)

    assert told.startswith(f"crmlab of {tmp_path / 'v'}")
    assert "report.html" in shown
    assert (work / "out" / "report.html").stat().st_size > 1_000_000
