"""What messages and pages tell people to install is there to be installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("crmlab", "docs", "notebooks", "data")
READ = (".py", ".md", ".js", ".ipynb")
#: pip would look for this name on PyPI, where nobody has registered it
FROM_PYPI = re.compile(r"crmlab\[|pip install[^\n`]*\scrmlab\b")


def shown() -> Iterator[Path]:
    """Yield every file that people read, or whose messages they read."""
    yield from ROOT.glob("*.md")
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in READ:
                yield path


def test_nothing_advises_to_install_crmlab_by_its_name() -> None:
    wrong = []
    for path in shown():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if FROM_PYPI.search(line):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")

    assert wrong == [], (
        'name the library ("pip install xlsxwriter") or the checkout (pip install -e ".[excel]")'
    )


def test_such_advice_would_be_found() -> None:
    assert FROM_PYPI.search('pip install "crmlab[excel]"')
    assert FROM_PYPI.search("python -m pip install --upgrade crmlab")
    assert not FROM_PYPI.search('.venv/bin/python -m pip install -e ".[notebook]"')
    assert not FROM_PYPI.search("pip install xlsxwriter")
