"""What the description of a service says by itself: names of fields and words that are no persons'."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from crmlab.connector import Provider
from crmlab.providers import provider
from crmlab.schema import TABLES

#: the package in which services are described by a file each
_OF_SINGLE_FILES = provider.__module__
#: words in a description that an answer may hold
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,39}")
#: parts of messages: what no description knows may be of a person
_PIECE = re.compile(r"\w+")
#: characters of the messages that code compares with; longer texts are documentation
_LONGEST_MESSAGE = 60
#: arguments that are documentation, and known by nothing else
_OF_READERS = frozenset({"doc", "assumptions", "note", "title", "help", "label", "hint"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """`names` are those of documented fields, `words` what the description tells apart, `vocabulary` parts of both."""

    names: frozenset[str]
    words: frozenset[str]
    vocabulary: frozenset[str]


def documented(of: Provider) -> Documented:
    """Return what the description of a service knows."""
    described_texts = frozenset(_texts(of))
    field_names = frozenset(_field_names(of))
    candidates = {*described_texts, *_shared_words()}
    vocabulary: set[str] = set()
    for described_text in described_texts:
        if "/" in described_text:  # a path, of which each part may come back in an answer
            candidates.update(described_text.split("/"))
        if len(described_text) <= _LONGEST_MESSAGE:
            vocabulary.update(map(str.casefold, _PIECE.findall(described_text)))
    kept_words = frozenset(filter(_WORD.fullmatch, candidates))
    return Documented(names=field_names, words=kept_words, vocabulary=frozenset(vocabulary))


def _shared_words() -> Iterator[str]:
    """Yield the words that columns of the shared tables are known to have."""
    for table in TABLES.values():
        for column in table.columns.values():
            yield from column.words


def _field_names(of: Provider) -> Iterator[str]:
    """Yield the names of documented fields, as deep as they are."""
    for resource in of.resources:
        schemas = [resource.envelope_fields, resource.projection, *resource.inside_json.values()]
        if not callable(resource.schema):
            schemas.append(resource.schema)
        for schema in schemas:
            yield from _names(pl.Struct(dict(schema)))
        yield from resource.inside_json
        yield from resource.path


def _names(dtype: Any) -> Iterator[str]:
    if isinstance(dtype, pl.Struct):
        for struct_field in dtype.fields:
            yield struct_field.name
            yield from _names(struct_field.dtype)
    elif isinstance(dtype, pl.List | pl.Array):
        yield from _names(dtype.inner)


def _texts(of: Provider) -> Iterator[str]:
    """Yield the texts in the description of a service that its code compares or names, and no documentation."""
    module = importlib.import_module(of.check.__module__)
    if not module.__file__:
        return
    module_path = Path(module.__file__)
    # a service's description is one file, or a package of its own
    is_package = module.__package__ not in ("", None, _OF_SINGLE_FILES)
    for source in module_path.parent.glob("*.py") if is_package else [module_path]:
        yield from _of_code(ast.parse(source.read_text(encoding="utf-8")))


def _of_code(node: ast.AST) -> Iterator[str]:
    """Yield the constant texts in code, and the names of arguments and of attributes, which make names of fields."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
        return
    if isinstance(node, ast.keyword):
        if node.arg in _OF_READERS:
            return
        if node.arg:
            yield node.arg
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id  # of a structure that an answer is read into
    for child in ast.iter_child_nodes(node):
        is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if not is_docstring:
            yield from _of_code(child)
