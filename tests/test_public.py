"""What the package promises: its names, their documentation, its layers."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import crmlab
from crmlab import connector

ROOT = Path(crmlab.__file__).parent
NAMES = [
    "Account",
    "Client",
    "Dossier",
    "DryRun",
    "Fetched",
    "Lake",
    "Limits",
    "Plan",
    "Probed",
    "Progress",
    "PushPlan",
    "Pushed",
    "Stored",
    "Timeouts",
    "about",
    "analysis",
    "call",
    "check",
    "collect",
    "download",
    "erase",
    "explore",
    "fetch",
    "fetch_to",
    "login",
    "open",
    "operations",
    "plan",
    "plots",
    "probe",
    "push",
    "read_csv",
    "replay",
    "sandbox",
    "scan",
    "table",
    "updates",
]
MODULES = sorted(
    m.name for m in pkgutil.walk_packages([str(ROOT)], "crmlab.") if "._" not in m.name
)


def test_the_public_names_are_these_and_no_others() -> None:
    assert crmlab.__all__ == NAMES == sorted(NAMES)
    assert dir(crmlab) == NAMES
    assert dir(connector) == sorted(connector.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    found = getattr(crmlab, name)

    assert inspect.getdoc(found)
    if inspect.isclass(found):
        for member, value in vars(found).items():
            if not member.startswith("_") and (
                inspect.isfunction(value) or isinstance(value, property)
            ):
                assert inspect.getdoc(value), f"{name}.{member}"


def test_a_name_that_is_not_there_is_said() -> None:
    with pytest.raises(AttributeError, match="module 'crmlab' has no attribute 'fetch_all'"):
        crmlab.fetch_all  # noqa: B018


@pytest.mark.parametrize("name", MODULES)
def test_every_public_function_and_class_has_a_docstring(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__, name
    tree = ast.parse(inspect.getsource(module))
    bare = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and not any(
            isinstance(mark, ast.Name) and mark.id == "overload" for mark in node.decorator_list
        )
        # what a service takes is named after what it is, as its vendor calls it
        and not (
            isinstance(node, ast.ClassDef)
            and any(ast.unparse(base) == "Body" for base in node.bases)
        )
    ]
    # the record types of the sandbox's world are named after what they are
    assert not (bare if name != "crmlab.sandbox.world.model" else []), bare


def test_importing_the_package_loads_nothing_that_is_needed_later() -> None:
    late = (
        "aiohttp",
        "anywidget",
        "ipywidgets",
        "jinja2",
        "keyring",
        "narwhals",
        "phonenumbers",
        "plotly",
        "pydantic",
        "pydantic_settings",
        "tqdm",
    )
    code = f"import sys, crmlab; print([name for name in {late} if name in sys.modules])"

    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )

    assert shown.stdout.strip() == "[]"


def test_an_account_loads_its_own_service_alone_and_a_fetch_not_what_it_does_not_need() -> None:
    late = "crmlab.providers.relenta crmlab.own_data crmlab.pushing crmlab.fetching.probing crmlab.results.export"
    make = "crmlab.Account('onepagecrm', user_id='nobody', api_key='none')"
    code = f"import sys, crmlab; {make}; print([name for name in {late.split()} if name in sys.modules])"

    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )

    assert shown.stdout.strip() == "[]"


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    return found | {
        node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("aiohttp", ("http", "sandbox")),
        ("plotly", ("plots", "report")),
        ("anywidget", ("notebook",)),
        ("ipywidgets", ("notebook",)),
        ("jinja2", ("display",)),
        ("markupsafe", ("display", "notebook", "report")),
        ("keyring", ("accounts",)),
        ("narwhals", ("schema",)),
        ("tqdm", ("notebook",)),
    ],
)
def test_each_library_is_used_in_its_place_only(library: str, allowed: tuple[str, ...]) -> None:
    users = {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.rglob("*.py")
        if any(name.split(".")[0] == library for name in imports(path))
    }

    assert users <= set(allowed)


#: rooms that are pure, and modules of other rooms that are
PURE = (
    "analysis",
    "connector",
    "decoding",
    "plots",
    "schema",
    "http/limiter.py",
    "fetching/completeness.py",
)


@pytest.mark.parametrize("place", PURE)
def test_what_is_pure_does_no_input_or_output(place: str) -> None:
    forbidden = {
        "asyncio",
        "aiohttp",
        "socket",
        "os",
        "pathlib",
        "time",
        "random",
        "threading",
        "crmlab.http.client",
    }
    paths = [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py"))

    impure = {path.relative_to(ROOT).as_posix(): imports(path) & forbidden for path in paths}

    assert {name: found for name, found in impure.items() if found} == {}
