"""What GitHub and .ci/run do is what the Makefile and README.md say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(job: str) -> Iterator[str]:
    """Yield what a job of the workflow runs."""
    for step in WORKFLOW["jobs"][job]["steps"]:
        if "run" in step:
            yield step["run"]


def test_every_make_target_that_a_check_runs_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    run = [command for job in WORKFLOW["jobs"] for command in commands(job)]
    run += (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()

    asked = {words[1] for line in run if (words := line.split()) and words[0] == "make"}

    assert asked - targets == set()
    assert {"test", "lowest", "lint", "docs"} <= asked


def test_windows_runs_the_commands_of_the_readme() -> None:
    written = re.findall(r"^(\.venv\\Scripts\\[^#\n]+?) *(?:#.*)?$", README, re.MULTILINE)

    ran = [command for command in commands("windows") if command.startswith(".venv")]

    assert written == ran


def test_every_python_that_the_project_promises_is_tested() -> None:
    tested = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"]

    assert tested == ["3.11", "3.12", "3.13", "3.14"]


def test_every_action_is_named_by_the_hash_of_its_commit() -> None:
    steps = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]

    used = [step["uses"] for step in steps if "uses" in step]

    assert used
    assert [name for name in used if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", name)] == []


def test_every_package_of_the_development_set_is_locked_by_its_hash() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    locked = set(
        re.findall(
            r"^([\w.-]+)==",
            (ROOT / "requirements-dev.txt").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )

    needed = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]

    names = {re.split(r"[<>=!~ ;\[]", each)[0] for each in needed}
    assert names - locked == set(), "make lock"
