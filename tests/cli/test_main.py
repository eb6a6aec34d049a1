"""The command line does what a notebook does, and fails in one line."""

import datetime as dt
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import openpyxl
import polars as pl
import pytest

import crmlab
from crmlab.cli.main import main
from crmlab.providers import registry
from crmlab.sandbox import differences
from crmlab.schema.tables import TABLES


@pytest.fixture
def no_credentials(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith("CRMLAB_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-m", "crmlab.cli", "demo", "--rows", "300", "--out", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done, folder


def test_the_demo_fetches_everything_complete_and_says_so(demo):
    done, _ = demo

    assert done.returncode == 0, done.stderr
    for provider in registry().values():
        assert provider.title in done.stdout
    assert re.search(r"127\.0\.0\.1:\d+", done.stdout)
    for column in (
        "account",
        "provider",
        "table",
        "rows",
        "rejected",
        "requests",
        "retries",
        "seconds",
        "complete",
    ):
        assert column in done.stdout
    assert "false" not in done.stdout


def test_the_demo_writes_parquet_and_csv_of_every_table_and_a_report(demo):
    _, folder = demo

    for name, table in TABLES.items():
        frame = pl.read_parquet(folder / f"{name}.parquet")
        assert frame.schema == table.schema
        assert (
            (folder / f"{name}.csv")
            .read_text(encoding="utf-8-sig")
            .startswith("provider,account,id,")
        )
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert report.count('class="plotly-graph-div"') >= 3
    assert not re.search(r'<(script|link|img|iframe)\b[^>]*(src|href)="https?:', report)


def test_where_there_is_no_terminal_the_demo_draws_nothing(demo):
    done, _ = demo

    assert done.stderr == ""


def test_report_is_made_from_the_files_of_a_fetch(demo, tmp_path, capsys):
    _, folder = demo

    code = main(["report", str(folder), "--out", str(tmp_path / "again.html")])

    assert code == 0
    assert (tmp_path / "again.html").stat().st_size > 1_000_000
    assert str(tmp_path / "again.html") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fetch", "onepagecrm"], "CRMLAB_ONEPAGECRM_API_KEY"),
        (["fetch", "onepagecm"], "did you mean 'onepagecrm'"),
        (["report", "."], "holds no summary"),
        (["demo", "--world", "maven"], "needs data="),
        (["demo", "--world", "maven", "--data", "nowhere"], "nowhere"),
    ],
)
def test_a_wrong_question_ends_with_one_line_and_no_traceback(
    no_credentials, capsys, arguments, said
):
    code = main(arguments)

    shown = capsys.readouterr().err
    assert code in (1, 2)
    assert shown.startswith("crmlab: ")
    assert shown.count("\n") == 1
    assert said in shown


@pytest.mark.parametrize("format", ["parquet", "csv", "xlsx"])
def test_a_folder_that_is_a_file_is_said_in_one_line(reachable, capsys, tmp_path, format):
    (tmp_path / "out").write_text("")

    code = main(
        [
            "fetch",
            "onepagecrm",
            "--tables",
            "stages",
            "--format",
            format,
            "--out",
            str(tmp_path / "out"),
        ]
    )

    assert code == 2
    assert (
        capsys.readouterr().err
        == f"crmlab: {tmp_path / 'out'} cannot be written (File exists): name another place\n"
    )


def test_an_unknown_table_is_refused_before_anything_is_sent(no_credentials, monkeypatch, capsys):
    monkeypatch.setenv("CRMLAB_RELENTA_ACCOUNT_NAME", "nobody")
    monkeypatch.setenv("CRMLAB_RELENTA_API_KEY", "secret-of-nobody")

    code = main(["fetch", "relenta", "--tables", "contact"])

    assert code == 2
    assert "did you mean 'contacts'" in capsys.readouterr().err


def test_doctor_lists_missing_variables_and_every_assumption(no_credentials, capsys):
    code = main(["doctor"])

    shown = capsys.readouterr().out
    assert code == 0
    for name in (
        "ONEPAGECRM_USER_ID",
        "RELENTA_API_KEY",
        "COMPLERO_API_KEY",
        "ALTCRAFT_TOKEN",
        "COMMANDERS_ACT_TOKEN",
    ):
        assert f"CRMLAB_{name}" in shown
    assert shown.count("assumed, documented nowhere") >= 10


@pytest.mark.fast
def test_doctor_tests_what_is_assumed_at_an_address_of_ones_own(
    served, no_credentials, monkeypatch, capsys
):
    monkeypatch.setenv("CRMLAB_RELENTA_API_KEY", "sandbox-relenta-department-key")
    account = served["relenta"]

    code = main(["doctor", "relenta", "--probe", "--base-url", account.base_url])

    shown = capsys.readouterr().out
    assert code == 0
    assert shown.index("reads at most") < shown.index("8 confirmed, 0 refuted")
    assert "the first page of a list is number 1" in shown
    assert "sandbox-relenta-department-key" not in shown
    assert "CRMLAB_RELENTA_FACTS" not in shown  # nothing has to be set


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--base-url", "http://127.0.0.1:1/v3"], "name that one"),
        (["relenta", "complero", "--base-url", "http://127.0.0.1:1/v3"], "name that one"),
        (["relenta", "--base-url", "http://proxy.example.com/v3"], "base_url must be https"),
    ],
)
def test_an_address_is_of_one_service_and_takes_no_key_unencrypted(
    no_credentials, monkeypatch, capsys, arguments, said
):
    monkeypatch.setenv("CRMLAB_RELENTA_API_KEY", "any")

    code = main(["doctor", *arguments, "--probe"])

    assert code == 2
    assert said in capsys.readouterr().err


def test_help_explains_every_command(capsys):
    for command in ("demo", "fetch", "plan", "sandbox", "doctor", "report"):
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        shown = capsys.readouterr().out
        assert f"example: crmlab {command}" in shown


def test_the_help_of_the_sandbox_names_every_difference(capsys):
    with pytest.raises(SystemExit):
        main(["sandbox", "--help"])

    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown and what in shown for name, what in differences().items())


def test_a_difference_that_is_not_known_is_a_wrong_question(capsys):
    assert main(["sandbox", "--drift", "page_cup"]) == 2
    assert "did you mean 'page_cap'" in capsys.readouterr().err


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_had_enough_is_no_failure(unbuffered):
    with subprocess.Popen(
        [sys.executable, "-m", "crmlab.cli", "operations", "onepagecrm"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    ) as running:
        running.stdout.close()
        said = running.stderr.read()

    assert said == ""
    assert running.returncode == 141


def test_sandbox_serves_until_it_is_stopped():
    running = subprocess.Popen(
        [sys.executable, "-m", "crmlab.cli", "sandbox", "--rows", "5", "--drift"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        shown = [running.stdout.readline() for _ in range(1 + len(registry()))]
    finally:
        running.terminate()
        running.wait(timeout=10)
        running.stdout.close()

    assert sum("crmlab.Account(" in line for line in shown) == len(registry())


@pytest.fixture(scope="module")
def lines():
    """The accounts of a sandbox in a process of its own, as it prints them."""
    command = [sys.executable, "-m", "crmlab.cli", "sandbox", "--rows", "300", "--rate-limits"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            shown = [running.stdout.readline() for _ in range(1 + len(registry()))]
            yield [line for line in shown if "crmlab.Account(" in line]
        finally:
            running.terminate()


@pytest.fixture(scope="module")
def served(lines):
    """The same accounts, by provider."""
    return {account.name: account for account in map(eval, lines)}


@pytest.fixture
def reachable(served, monkeypatch):
    monkeypatch.setattr(crmlab, "Account", served.__getitem__)


def test_a_plan_says_how_many_requests_and_how_long(reachable, capsys):
    code = main(["plan", "onepagecrm", "relenta", "--tables", "contacts"])

    shown = capsys.readouterr().out
    assert code == 0
    assert re.search(r"onepagecrm +contacts +pages side by side.* 241 +3 +true", shown)
    assert re.search(r"relenta +contacts +pages until an empty one +null +1 +false", shown)
    assert "at least 5 requests" in shown
    assert "within the limits no client could do it in less than" in shown


def a_month_before(folder, earlier):
    """Write the tables of a folder as if they had been fetched a month before."""
    earlier.mkdir()
    for file in folder.glob("*.csv"):
        shutil.copy(file, earlier)
    told = json.loads((folder / "crmlab.json").read_bytes())
    told["as_of"] = (dt.datetime.fromisoformat(told["as_of"]) - dt.timedelta(days=30)).isoformat()
    (earlier / "crmlab.json").write_text(json.dumps(told), encoding="utf-8")
    return earlier


def test_a_report_takes_a_quota_and_an_earlier_fetch(demo, capsys, tmp_path):
    _, folder = demo
    out = tmp_path / "out"
    earlier = a_month_before(folder, tmp_path / "earlier")
    report = [
        "report",
        str(folder),
        "--tables",
        "csv",
        "--out",
        str(out),
        "--questions",
        "coverage",
        "waterfall",
    ]

    code = main([*report, "--earlier", str(earlier), "--quota", "EUR=500000"])
    wrong = main([*report, "--quota", "much"])
    same = main([*report, "--earlier", str(folder)])

    assert (code, wrong, same) == (0, 2, 2)
    assert {path.name for path in out.iterdir()} == {"coverage.csv", "waterfall.csv", "report.json"}
    told = capsys.readouterr().err
    assert "--quota much is no amount: write 500000, or EUR=500000 USD=200000" in told
    assert "and the data not later" in told


def test_a_report_is_as_chosen_or_data(demo, capsys, tmp_path):
    _, folder = demo
    chosen = [
        "--questions",
        "win_rate",
        "ageing",
        "--time-zone",
        "Europe/Berlin",
        "--as-of",
        "2030-01-01",
    ]

    page = main(
        ["report", str(folder), "--out", str(tmp_path / "page.html"), "--title", "Monday", *chosen]
    )
    data = main(
        ["report", str(folder), "--out", str(tmp_path / "data"), "--tables", "csv", *chosen]
    )
    wrong = main(["report", str(folder), "--questions", "win_rates"])

    assert (page, data, wrong) == (0, 0, 2)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<h1>Monday</h1>" in text
    assert "As of <time>2030-01-01 00:00 Europe/Berlin</time>, from data fetched at" in text
    assert {path.name for path in (tmp_path / "data").iterdir()} == {
        "win_rate.csv",
        "ageing.csv",
        "report.json",
    }
    assert (
        json.loads((tmp_path / "data" / "report.json").read_bytes())["as_of"]
        == "2029-12-31T23:00:00+00:00"
    )
    printed = capsys.readouterr()
    assert str(tmp_path / "data" / "win_rate.csv") in printed.out
    assert "did you mean 'win_rate'?" in printed.err


@pytest.mark.parametrize("more", [[], ["--format", "csv"], ["--report"]])
def test_tables_of_accounts_become_files(reachable, capsys, tmp_path, more):
    code = main(
        ["fetch", "onepagecrm", "--tables", "deals", "stages", "--out", str(tmp_path), *more]
    )

    format = "csv" if more[:1] == ["--format"] else "parquet"
    names = {path.name for path in tmp_path.iterdir()}
    assert code == 0
    assert names == {
        "crmlab.json",
        *(f"{name}.{format}" for name in ("deals", "stages", "summary")),
    } | ({"report.html"} if "--report" in more else set())
    assert f"{len(names)} files in {tmp_path}" in capsys.readouterr().out


@pytest.mark.skipif(
    sys.platform == "win32", reason="Ctrl-C is no signal there that a test can send"
)
def test_ctrl_c_ends_a_fetch_with_one_line_and_leaves_no_half_file(lines, tmp_path):
    account = next(
        line.strip() for line in lines if "relenta" in line
    )  # at its limit it takes seconds
    given = f"account = {account}; crmlab.Account = lambda name: account"
    main = f"sys.exit(main(['fetch', 'relenta', '--out', {str(tmp_path)!r}]))"
    script = f"import crmlab, sys; from crmlab.cli.main import main; {given}; {main}"

    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) as running:
        while not list(tmp_path.glob(".parts-*")):
            time.sleep(0.05)
        time.sleep(0.5)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=10)

    assert (running.returncode, said) == (130, b"crmlab: stopped\n")
    assert list(tmp_path.iterdir()) == []


def test_an_excel_file_is_one_workbook_with_a_sheet_for_each(reachable, capsys, tmp_path):
    code = main(
        ["fetch", "onepagecrm", "--tables", "deals", "--format", "xlsx", "--out", str(tmp_path)]
    )

    assert code == 0
    assert openpyxl.load_workbook(tmp_path / "crmlab.xlsx").sheetnames == [
        "about",
        "deals",
        "summary",
    ]
    assert f"2 files in {tmp_path}" in capsys.readouterr().out


def test_masked_files_and_reports_show_no_owner(reachable, capsys, tmp_path):
    plain, masked = tmp_path / "plain", tmp_path / "masked"
    main(["fetch", "onepagecrm", "--tables", "deals", "--out", str(plain)])

    code = main(
        ["fetch", "onepagecrm", "--tables", "deals", "--mask", "--report", "--out", str(masked)]
    )
    again = main(["report", str(plain), "--mask", "--out", str(tmp_path / "again.html")])

    assert (code, again) == (0, 0)
    owners = pl.read_parquet(plain / "deals.parquet")["owner_name"].drop_nulls().unique()
    tokens = pl.read_parquet(masked / "deals.parquet")["owner_name"].drop_nulls().unique()
    assert tokens.len() == owners.len() > 1
    assert not set(tokens) & set(owners)
    for page in (masked / "report.html", tmp_path / "again.html"):
        text = page.read_text(encoding="utf-8")
        assert "Masked: names, addresses and texts are random tokens" in text
        assert not any(owner in text for owner in owners)


def test_the_maven_demo_writes_the_known_figures(tmp_path):
    data = Path(
        os.environ.get("CRMLAB_MAVEN_DATA", Path(__file__).parents[3] / "shared/data/maven-crm")
    )
    if not data.is_dir():
        pytest.skip("the Maven CRM data set is not here")

    code = main(["demo", "--world", "maven", "--data", str(data), "--out", str(tmp_path)])

    deals = pl.read_parquet(tmp_path / "deals.parquet")
    assert code == 0
    assert dict(deals.group_by("status").len().iter_rows()) == {
        "won": 4238,
        "lost": 2473,
        "pending": 2089,
    }


def test_a_report_takes_its_time_from_the_files_whenever_these_were_touched(
    reachable, capsys, tmp_path
):
    main(["fetch", "onepagecrm", "--tables", "deals", "--out", str(tmp_path)])
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))

    code = main(["report", str(tmp_path)])

    fetched_at = crmlab.open(tmp_path).fetched_at
    assert code == 0
    assert f"As of <time>{fetched_at:%Y-%m-%d %H:%M} UTC</time>" in (
        tmp_path / "report.html"
    ).read_text("utf-8")


def test_a_report_of_files_that_do_not_tell_their_time_needs_it(demo, capsys, tmp_path):
    _, out = demo
    for name in ("deals", "summary"):
        pl.read_parquet(out / f"{name}.parquet").write_parquet(tmp_path / f"{name}.parquet")

    refused = main(["report", str(tmp_path)])
    said = capsys.readouterr().err
    code = main(["report", str(tmp_path), "--as-of", "2026-05-16"])

    assert (refused, code) == (2, 0)
    assert "--as-of" in said
    assert "As of <time>2026-05-16 00:00 UTC</time>" in (tmp_path / "report.html").read_text(
        "utf-8"
    )


@pytest.mark.parametrize("more", [[], ["--format", "csv"]])
def test_a_window_into_a_folder_of_whole_tables_is_refused_before_anything_is_sent(
    reachable, capsys, tmp_path, monkeypatch, more
):
    main(["fetch", "onepagecrm", "--tables", "deals", "--out", str(tmp_path)])
    monkeypatch.setattr("crmlab.http.client.Client.send", None)  # whoever sends fails

    code = main(
        [
            "fetch",
            "onepagecrm",
            "--tables",
            "deals",
            "--since",
            "2026-10-01",
            "--out",
            str(tmp_path),
            *more,
        ]
    )

    assert code == 2
    assert "Name another folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["page=1", "page=2"], "page is there twice"),
        (["timeouts=3"], "timeouts is for crmlab.call in Python"),
        (["account=x"], "account is for crmlab.call in Python"),
        (["as_frame=true"], "as_frame is for crmlab.call in Python"),
        (["page"], "'page' is no argument"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused_in_one_line(
    given, told, no_credentials, capsys
):
    code = main(["call", "onepagecrm", "list_deals", *given])

    assert code != 0
    shown = capsys.readouterr().err
    assert told in shown
    assert "Traceback" not in shown


def test_rows_of_a_file_are_shown_then_sent_once(reachable, capsys, tmp_path):
    file = tmp_path / "contacts.csv"
    listed = json.loads(
        text_of(capsys, ["call", "relenta", "list_contacts", "page=1", "page_size=2"])
    )["data"]
    first, second = (each["id"] for each in listed)
    file.write_text(
        f"id,do_not_contact,emails\n{first},true,\n{second},true,a@example.com;b@example.com\n0,true,\n"
    )

    assert main(["push", "relenta", "contacts", str(file), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "POST http" in shown
    assert "X-Relenta-Department-Key: ••••" in shown
    assert "3 rows: 3 update; at least 4 requests" in shown
    assert not list(tmp_path.glob("*.jsonl"))

    assert main(["push", "relenta", "contacts", str(file)]) == 1
    shown = capsys.readouterr().out
    assert "3 rows: 2 updated, 1 refused" in shown
    assert "no record of that id" in shown
    assert (tmp_path / "contacts.csv.results.jsonl").read_text().count("\n") == 3
    changed = json.loads(
        text_of(capsys, ["call", "relenta", "list_contacts", "page=1", "page_size=2"])
    )["data"]
    assert [each["do_not_mass_email"] for each in changed] == [True, True]
    assert changed[1]["emails"] == "a@example.com;b@example.com"


def text_of(capsys, command):
    """Run a command that ends well, and return what it prints."""
    assert main(command) == 0
    return capsys.readouterr().out


@pytest.mark.fast
@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["relenta", "contacts", "none.csv"], "cannot be read"),
        (["relenta", "contacts", "none.xlsx"], "neither CSV nor Parquet"),
        (["relenta", "contacts", "none.parquet"], "cannot be read as Parquet"),
        (["relenta", "contacts", "german.csv"], "save it as UTF-8 with commas"),
        (
            ["relenta", "contacts", "excel.csv"],
            "excel.csv has no commas between its cells: save it",
        ),
        (
            ["relenta", "contacts", "one.csv", "results=one", "stop=1"],
            "results, stop is no option of a service",
        ),
        (["relenta", "contacts", "one.csv", "--results", "one.csv"], "one.csv holds no results"),
    ],
)
def test_a_file_that_cannot_be_pushed_is_refused_in_one_line(
    reachable, capsys, given, told, *, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "german.csv").write_bytes("first_name\nÄda\n".encode("cp1252"))
    (tmp_path / "excel.csv").write_text("first_name;last_name\nAda;Byron\n")
    (tmp_path / "one.csv").write_text("first_name\nAda\n")

    assert main(["push", *given]) == 2
    shown = capsys.readouterr().err
    assert told in shown
    assert "Traceback" not in shown


@pytest.mark.fast
def test_what_changes_something_is_shown_and_needs_its_word_on_the_command_line(reachable, capsys):
    shown = text_of(capsys, ["call", "onepagecrm", "delete_contact", "contact_id=1", "--dry-run"])

    assert shown.startswith("DELETE http")
    assert "Authorization: ••••" in shown
    assert main(["call", "onepagecrm", "delete_contact", "contact_id=1"]) == 2
    assert main(["call", "onepagecrm", "change_auth_key"]) == 2
    assert (
        main(["call", "onepagecrm", "delete_contact", "contact_id=1", "allow_destructive=true"])
        == 2
    )
    assert "write --allow-destructive" in capsys.readouterr().err
    assert (
        main(["call", "onepagecrm", "delete_contact", "contact_id=1", "--allow-destructive"]) == 1
    )
