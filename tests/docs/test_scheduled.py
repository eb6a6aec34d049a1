"""What the page on schedules shows is run as the scheduler would run it, where there is one."""

from __future__ import annotations

import ast
import asyncio
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import crmlab
from crmlab.cli import conditions
from crmlab.cli.main import COMMANDS, _parser

ROOT = Path(__file__).parents[2]
SHOWN = ROOT / "docs" / "examples" / "scheduled"
SERVICES = ("onepagecrm", "complero")
TABLES = ("contacts", "deals", "activities", "consent_events")
#: where the examples say that it is installed
PLACE = "/srv/crmlab"
#: the command, for accounts of the sandbox
_COMMAND = """#!{python}
import sys
sys.path.insert(0, {root!r})
import crmlab
from crmlab.cli.main import main
accounts = {{account.name: account for account in [{accounts}]}}
crmlab.Account = accounts.__getitem__
sys.exit(main())
"""


def text(name: str) -> str:
    return (SHOWN / name).read_text(encoding="utf-8")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Path]:
    """Yield a folder as the examples have it, with a lake that was refreshed once; its services are the sandbox."""
    async with crmlab.sandbox(rows=40, services=SERVICES) as accounts:
        command = tmp_path / ".venv" / "bin" / "crmlab"
        command.parent.mkdir(parents=True)
        written = [
            f"crmlab.Account({each.name!r}, base_url={each.base_url!r}, **{dict(accounts.keys[each.name])!r})"
            for each in accounts
        ]
        command.write_text(
            _COMMAND.format(python=sys.executable, root=str(ROOT), accounts=", ".join(written)),
            encoding="utf-8",
        )
        command.chmod(0o700)
        await crmlab.Lake(tmp_path / "warehouse").refresh(accounts, *TABLES, progress=False)
        yield tmp_path


def commands() -> dict[str, list[str]]:
    """Return the arguments of crmlab in each example."""
    cron = text("crontab").splitlines()[-1].partition("bin/crmlab ")[2].partition(">>")[0]
    unit = re.search(r"^ExecStart=\S+ (.*)$", text("crmlab-refresh.service"), re.MULTILINE)
    steps = yaml.safe_load(text("github-actions.yml"))["jobs"]["refresh"]["steps"]
    (run,) = [step["run"] for step in steps if "crmlab refresh" in step.get("run", "")]
    assert unit
    return {
        "cron": shlex.split(cron),
        "systemd": shlex.split(unit[1]),
        "actions": shlex.split(run.replace("\\\n", "").partition("|")[0])[1:],
        "airflow": [
            *constant("airflow_dag.py", "COMMAND")[1:],
            *constant("airflow_dag.py", "CONDITIONS"),
            "--json",
        ],
        "dagster": [
            *constant("dagster_job.py", "COMMAND")[1:],
            *constant("dagster_job.py", "CONDITIONS"),
            "--json",
        ],
    }


def constant(name: str, variable: str) -> tuple[Any, ...]:
    """Return what a variable of an example holds, without running it."""
    for line in ast.parse(text(name)).body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == variable:
            found: tuple[Any, ...] = ast.literal_eval(line.value)
            return found
    raise AssertionError(variable)


@pytest.mark.parametrize("scheduler", ["cron", "systemd", "actions", "airflow", "dagster"])
def test_every_example_is_a_command_that_there_is(scheduler: str) -> None:
    options = _parser().parse_args(commands()[scheduler])

    assert options.run in [getattr(each, "run", None) for each in COMMANDS]
    assert options.json
    assert options.sweep_after == "7d"
    assert [conditions.condition(each).question for each in options.fail_if] == [
        "mailed_but_objected"
    ]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no cron")
async def test_the_line_of_cron_runs_in_what_cron_leaves_of_an_environment(site: Path) -> None:
    # the first five fields say when; a % is an end of line to cron
    line = text("crontab").splitlines()[-1].replace(PLACE, str(site))
    assert "%" not in line
    command = line.split(maxsplit=5)[5]

    done = await asyncio.to_thread(
        subprocess.run,
        [
            "/usr/bin/env",
            "-i",
            f"HOME={site}",
            "PATH=/usr/bin:/bin",
            "SHELL=/bin/sh",
            "/bin/sh",
            "-c",
            command,
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    (written,) = (site / "refresh.jsonl").read_text(encoding="utf-8").splitlines()
    said = json.loads(written)
    assert said["complete"], done.stderr
    assert done.returncode == said["code"]
    assert done.returncode == (3 if said["conditions"][0]["true"] else 0)
    assert done.stdout == ""
    # cron mails what is left: nothing where all is well
    assert bool(done.stderr) is (done.returncode == 3)
    assert (site / "monday.html").exists()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_units_of_systemd_are_right(tmp_path: Path) -> None:
    units = [tmp_path / name for name in ("crmlab-refresh.service", "crmlab-refresh.timer")]
    for unit in units:
        # what is verified exists: the program, the folder and the user
        shown = (
            text(unit.name)
            .replace("/srv/crmlab/.venv/bin/crmlab", "/bin/true")
            .replace("User=crmlab\n", "")
        )
        unit.write_text(shown.replace(PLACE, str(tmp_path)), encoding="utf-8")

    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, units)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    said = [line for line in done.stderr.splitlines() if "crmlab" in line]
    assert said == []
    assert done.returncode == 0, done.stderr


def test_the_workflow_of_actions_is_yaml_that_keeps_the_code_of_crmlab() -> None:
    workflow = yaml.safe_load(text("github-actions.yml"))

    # YAML 1.1 reads `on` as true
    assert workflow[True]["schedule"] == [{"cron": "15 5 * * *"}]
    (step,) = [
        each for each in workflow["jobs"]["refresh"]["steps"] if each.get("name") == "Refresh"
    ]
    assert step["shell"] == "bash"  # with pipefail, else the code is that of tee
    used = [each["uses"] for each in workflow["jobs"]["refresh"]["steps"] if "uses" in each]
    assert [each for each in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", each)] == []
    assert set(used) <= set(
        re.findall(r"uses: (\S+)", (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    )


def loaded(name: str, site: Path) -> Any:
    """Return an example as a module, installed in that folder."""
    source = text(name).replace(PLACE, str(site))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(name[:-3], loader=None)
    )  # type: ignore[arg-type]
    exec(compile(source, name, "exec"), module.__dict__)
    return module


async def test_the_asset_of_dagster_is_made(site: Path) -> None:
    dagster = pytest.importorskip("dagster")
    module = loaded("dagster_job.py", site)
    module.CONDITIONS = ("--fail-if", "mailed_but_objected > 100000")

    made = await asyncio.to_thread(dagster.materialize, [module.lake])

    assert made.success


async def test_the_task_of_airflow_hands_on_what_it_did(site: Path) -> None:
    pytest.importorskip("airflow.sdk")
    module = loaded("airflow_dag.py", site)
    module.CONDITIONS = ("--fail-if", "mailed_but_objected > 100000")

    line = await asyncio.to_thread(module.refresh.function)

    assert line["complete"]
