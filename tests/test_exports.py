"""What a module of analyses or plots calls public is to be had from its package, and has a question."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType

import pytest

import crmlab
from crmlab import analysis, plots
from crmlab.catalogue import CATALOGUE
from docs import exports

ROOT = Path(crmlab.__file__).parent
ROOMS = pytest.mark.parametrize("room", [analysis, plots], ids=["analysis", "plots"])


def modules_of(room: ModuleType) -> dict[str, ModuleType]:
    """Return the modules of a package by their short names, without those that are its own."""
    names = [
        module.name
        for module in pkgutil.iter_modules(room.__path__)
        if not module.name.startswith("_")
    ]
    return {name: importlib.import_module(f"{room.__name__}.{name}") for name in names}


def public_names(room: ModuleType) -> dict[str, list[str]]:
    """Return what each module of a package says is public."""
    return {name: getattr(module, "__all__", []) for name, module in modules_of(room).items()}


def words_used(path: Path) -> set[str]:
    return set(re.findall(r"\w+", path.read_text(encoding="utf-8")))


@ROOMS
def test_the_package_exports_what_its_modules_say_is_public(room: ModuleType) -> None:
    name = room.__name__.rpartition(".")[2]
    found = (ROOT / name / "__init__.py").read_text(encoding="utf-8")

    assert found == exports.written(name), (
        f"{room.__name__} does not export what its modules call public: run `make names`"
    )
    assert room.__all__ == sorted(name for names in public_names(room).values() for name in names)


@ROOMS
def test_a_function_that_only_its_module_uses_is_public_or_has_an_underscore(
    room: ModuleType,
) -> None:
    used = {path: words_used(path) for path in ROOT.rglob("*.py") if path.name != "__init__.py"}
    for module in modules_of(room).values():
        own = Path(inspect.getfile(module))
        elsewhere = set().union(*(words for path, words in used.items() if path != own))
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ != module.__name__ or name.startswith("_"):
                continue
            assert name in getattr(module, "__all__", []) or name in elsewhere, (
                f"{module.__name__}.{name} is used nowhere else: add it to __all__ of its module if users are to "
                "call it, else begin its name with an underscore"
            )


def test_every_figure_has_its_question_and_its_numbers_under_the_same_name() -> None:
    for name in plots.__all__:
        assert name in CATALOGUE, (
            f"plots.{name} has no question: add an Entry(name={name!r}, ...) to crmlab/catalogue"
        )
        assert name in analysis.__all__, (
            f"plots.{name} has no numbers: call the analysis that it draws {name} too"
        )
    for name in CATALOGUE:
        assert name in plots.__all__, (
            f"the catalogue asks {name}, and crmlab.plots has no figure of that name"
        )


@ROOMS
def test_no_public_name_is_also_that_of_a_module(room: ModuleType) -> None:
    # `crmlab.analysis.people` would be the one or the other, by how it is imported
    assert not set(room.__all__) & modules_of(room).keys()


def described(function: object) -> list[str]:
    """Return the parameters that a docstring describes, in their order."""
    doc = inspect.getdoc(function) or ""
    sections = re.split(r"\n(\w+)\n-{3,}\n", doc)
    text = dict(zip(sections[1::2], sections[2::2], strict=True)).get("Parameters", "")
    return [
        name
        for line in re.findall(r"^(\w[\w, ]*)$", text, re.MULTILINE)
        for name in line.split(", ")
    ]


@ROOMS
def test_a_docstring_describes_the_parameters_that_there_are(room: ModuleType) -> None:
    for name in room.__all__:
        function = getattr(room, name)
        parameters = list(inspect.signature(function).parameters)

        assert sorted(described(function)) == sorted(parameters), (
            f"write all parameters of {room.__name__}.{name}"
        )
