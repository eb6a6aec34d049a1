"""What a user of an installed crmlab does first; run by test_wheel.py in an environment of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import crmlab
from crmlab import plots
from crmlab.errors import CredentialError, UsageError


def complaint(kind: type[Exception], act: Callable[[], object]) -> str:
    """Return the words of the error that this raises."""
    try:
        act()
    except kind as error:
        return str(error)
    raise AssertionError(f"no {kind.__name__}")


async def fetched() -> crmlab.Fetched:
    async with crmlab.sandbox(rows=40, seed=1) as accounts:
        return await crmlab.fetch(accounts)


def core(data: crmlab.Fetched) -> None:
    """Without an extra: what needs one says which."""
    assert "pip install anywidget" in complaint(ImportError, lambda: crmlab.login())  # noqa: PLW0108
    assert "pip install xlsxwriter" in complaint(
        UsageError, lambda: data.export("book", format="xlsx")
    )


def extras(data: crmlab.Fetched) -> None:
    """With all of them: what they are for works, as far as it can without a browser and a desktop."""
    import kaleido  # noqa: F401
    import keyring
    from nbconvert.exporters.base import get_exporter

    assert keyring.get_keyring()
    assert get_exporter("HTML_offline").__module__ == "crmlab.notebook.offline_html"
    assert data.export("book", format="xlsx")
    assert "CRMLAB_ONEPAGECRM_API_KEY" in complaint(
        CredentialError, crmlab.login("onepagecrm").accounts
    )


def main(mode: str) -> None:
    assert Path(sys.prefix) in Path(crmlab.__file__).parents, crmlab.__file__
    data = asyncio.run(fetched())
    assert data.complete, data.summary
    assert data.export("tables")
    assert data.export("tables", format="csv")
    assert data.report("report.html").exists()
    assert plots.win_rate(data.deals, by="owner_name").data
    {"core": core, "extras": extras}[mode](data)
    print("crmlab of", sys.prefix, "on", sys.version.split()[0])


if __name__ == "__main__":
    main(sys.argv[1])
