"""What other packages register stands beside the built-in services, and never in their place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crmlab.providers import registry

#: modules of other packages, and what is said of each
FURTHER = {
    "thief": ("from crmlab.providers.complero import PROVIDER", "'complero', a name that is taken"),
    "lookalike": (
        "from dataclasses import replace\nfrom crmlab.providers.complero import PROVIDER as GIVEN\n"
        "PROVIDER = replace(GIVEN, name='Complero')",
        "it would be given what CRMLAB_COMPLERO_API_KEY holds, which is another service's",
    ),
    "quits": ("raise SystemExit('no licence')", "importing it raised SystemExit: no licence"),
    "broken": (
        "raise RuntimeError('no such key')",
        "importing it raised RuntimeError: no such key",
    ),
    "missing": (
        "import a_package_that_is_not_installed",
        "importing it raised ModuleNotFoundError",
    ),
    "empty": ("PROVIDER = 'complero'", "is no crmlab.connector.Provider"),
}
ASKED = """
import json, warnings
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    from crmlab.providers import registry
    names = list(registry())
print(json.dumps([names, [str(each.message) for each in told]]))
"""


def registered(name: str, code: str, folder: Path) -> None:
    """Write a package that registers the ``PROVIDER`` of one module."""
    (folder / f"{name}_module.py").write_text(code)
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        f"[crmlab.providers]\n{name} = {name}_module:PROVIDER\n"
    )


@pytest.mark.parametrize("name", FURTHER)
def test_a_provider_that_cannot_stand_is_named_in_a_warning_and_breaks_nothing(
    name: str, tmp_path: Path
) -> None:
    code, reason = FURTHER[name]
    registered(name, code, tmp_path)

    asked = subprocess.run(
        [sys.executable, "-c", ASKED],
        env=os.environ
        | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        check=True,
        text=True,
    )

    names, (told,) = json.loads(asked.stdout)
    assert {"altcraft", "complero", "onepagecrm"} <= set(names)
    assert name not in names
    assert told.startswith(f"The provider {name!r} of {name} is left out: ")
    assert reason in told


def test_a_package_whose_list_cannot_be_read_costs_the_command_line_only_its_providers(
    tmp_path: Path,
) -> None:
    registered("unreadable", "PROVIDER = None", tmp_path)
    (tmp_path / "unreadable-1.0.dist-info" / "entry_points.txt").write_text(
        "[crmlab.providers]\nno pair\n"
    )

    asked = subprocess.run(
        [sys.executable, "-c", "from crmlab.cli import main; raise SystemExit(main(['--help']))"],
        env=os.environ
        | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        check=True,
        text=True,
    )

    assert "usage: crmlab" in asked.stdout
    assert "The providers of unreadable are left out: TypeError" in asked.stderr


def test_the_module_of_a_provider_is_called_like_it() -> None:
    assert [each.name for each in registry().values()] == [*registry()]
