"""Names as editors, type checkers and IPython know them."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args, get_type_hints

import polars as pl
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import crmlab
from crmlab.notebook.completion import names
from crmlab.providers import registry
from crmlab.results.fetched import SUMMARY, Fetched, Result
from crmlab.schema.asked import Asked
from crmlab.schema.names import ProviderName, TableName, Tables
from crmlab.schema.tables import TABLES
from docs.names import WHERE, written

ANALYST = Path(__file__).parent / "typing" / "analyst.py"


# ---- editors ------------------------------------------------------------------------------------


def test_the_written_names_are_those_of_today() -> None:
    assert WHERE.read_text(encoding="utf-8") == written(), (
        "crmlab/schema/names.py is not that of today: run `make names`"
    )


def test_they_are_the_tables_and_the_providers() -> None:
    assert get_args(TableName) == tuple(TABLES)
    assert set(get_args(ProviderName)) <= set(registry())
    assert list(get_type_hints(Tables)) == list(TABLES)


def test_no_table_hides_what_a_result_can_do() -> None:
    assert not [name for name in TABLES if hasattr(Result, name)]


@pytest.mark.skipif(
    not shutil.which("pyright"), reason="pyright is not installed: npm install pyright"
)
def test_pyright_reads_what_an_analyst_writes() -> None:
    command = ["pyright", "--pythonpath", sys.executable, str(ANALYST)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


# ---- IPython ------------------------------------------------------------------------------------

Complete = Callable[[str], list[str]]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    # IPython warns where another environment than its own is active
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    shell = InteractiveShell(
        config=Config({"HistoryManager": {"enabled": False}}), ipython_dir=str(tmp_path)
    )
    shell.user_ns |= {
        "crmlab": crmlab,
        "data": fetched("deals", "consent_events", "onepagecrm.deals"),
    }
    return shell


@pytest.fixture(params=[True, False], ids=["jedi", "no jedi"])
def complete(request: pytest.FixtureRequest, shell: InteractiveShell) -> Complete:
    """Return what Tab offers at the end of the code."""
    shell.Completer.use_jedi = request.param
    shell.extension_manager.load_extension("crmlab")

    def at_the_end(code: str) -> list[str]:
        with provisionalcompleter():
            return [
                one.text.removeprefix(".") for one in shell.Completer.completions(code, len(code))
            ]

    return at_the_end


def fetched(*names: str) -> Fetched:
    return Fetched(
        {name: pl.DataFrame() for name in names},
        heights=dict.fromkeys(names, 0),
        summary=pl.DataFrame(schema=SUMMARY),
        rejected=pl.DataFrame(),
        failures=(),
        asked=Asked(fetched_at=dt.datetime.now(dt.UTC)),
    )


@pytest.mark.slow
def test_the_public_names_are_offered(complete: Complete) -> None:
    assert sorted(complete("crmlab.")) == sorted(crmlab.__all__)
    assert complete("crmlab.plots.win_r") == ["win_rate"]


def test_what_was_fetched_is_offered(complete: Complete) -> None:
    assert {"deals", "consent_events", "failures", "export"} <= set(complete("data."))
    assert "contacts" not in complete("data.")
    assert sorted(complete('data["')) == ["consent_events", "deals", "onepagecrm.deals"]


def test_names_of_tables_are_offered_in_a_call(complete: Complete) -> None:
    assert complete('await crmlab.fetch(form, "st') == ["stages", "statuses"]
    assert complete('data = await crmlab.plan(\n    form,\n    "onepagecrm.deal') == [
        "onepagecrm.deal_fields",
        "onepagecrm.deals",
    ]
    assert complete('crmlab.login("one') == ["onepagecrm"]


@pytest.mark.parametrize(
    ("code", "begun"),
    [
        ('crmlab.fetch(form, "deals", "ta', ["tags"]),
        ("crmlab.fetch(form, 'ta", ["tags"]),
        ('crmlab.fetch_to("out/", [a, b(1, [2])], "ta', ["tags"]),
        ('crmlab.fetch(crmlab.Account("onepagecrm", name="x"), "ta', ["tags"]),
        ('crmlab.fetch(crmlab.Account("re', ["relenta"]),
        ('crmlab.fetch(form, "re', ["relenta."]),
        ('crmlab.fetch(form, "relenta.co', ["relenta.contacts"]),
        ('crmlab.fetch("ta', []),
        ('crmlab.fetch_to("ta', []),
        ('crmlab.fetch(form, since="ta', []),
        ('crmlab.read_csv("ta', []),
        ('other.fetch(form, "ta', []),
        ('crmlab.fetch(form, "deals"); open("ta', []),
        ('crmlab.fetch(form, "tags"', []),
        ("crmlab.fetch(form, ta", []),
    ],
)
def test_only_where_a_name_can_stand(code: str, begun: list[str]) -> None:
    assert names(code)[1] == begun


@pytest.mark.parametrize("name", ["fetch", "fetch_to", "plan", "login", "Account"])
def test_help_tells_the_names_by_their_type_and_not_all_of_them(
    shell: InteractiveShell, name: str
) -> None:
    shown = shell.object_inspect(f"crmlab.{name}")

    signature = shown["definition"] or shown["init_definition"]
    assert "Name | str" in signature
    assert "Literal" not in signature
    assert shown["docstring"]


def test_help_on_what_was_fetched_tells_what_it_can_do(shell: InteractiveShell) -> None:
    shown = shell.object_inspect("data")["docstring"]

    assert all(
        f"``{name}``" in shown for name in ("complete", "summary", "failures", "rejected", "export")
    )
