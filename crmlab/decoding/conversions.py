"""What the expressions of a view read and convert, told by the expressions themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
import polars as pl

from crmlab.connector import View
from crmlab.decoding.misfits import is_vital
from crmlab.schema import TABLES

#: the column that `View.explode` makes
_ITEM = "item"
_WANTED = {
    pl.Boolean: "true or false",
    pl.Date: "a day",
    pl.Datetime: "a time",
    pl.Float64: "a number",
    pl.Int64: "a whole number",
}


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """A text and what is made of it: where the text is there and the value is null, it could not be read.

    `field` is the way to the text in the record, `source` what stands there, and `column` the shared
    column that needs it. `columns` are what `given` reads. `is_alone`: the value is all that the column is made of,
    row by row.
    """

    column: str
    field: str
    wanted: str
    source: pl.Expr
    given: pl.Expr
    value: pl.Expr
    columns: tuple[str, ...]
    is_alone: bool

    @property
    def name(self) -> str:
        """The name of the column in its table."""
        return self.column.partition(".")[2]


class _Node(msgspec.Struct, frozen=True):
    """A part of an expression: with its own text, the columns that it reads, and the parts that it is made of."""

    expression: pl.Expr
    text: str
    columns: tuple[str, ...]
    parts: tuple[_Node, ...]

    def walk(self) -> Iterator[_Node]:
        yield self
        for part in self.parts:
            yield from part.walk()

    @property
    def reading(self) -> list[_Node]:
        """The parts that read a column; all others are constants."""
        return [part for part in self.parts if part.columns]

    @property
    def name(self) -> str | None:
        """The name of the column that it makes, where that is known."""
        return self.expression.meta.output_name(raise_if_undetermined=False)


def conversions(view: View, schema: pl.Schema) -> list[Conversion]:
    """Return what the view makes of texts that is no text, each once.

    A conversion is the part of a column's expression that depends on one text only, with all steps that
    keep the type first made of it: of ``coalesce(time(a), time(b))`` each time is one, and of
    ``time(number(x))`` the number.

    Parameters
    ----------
    view
        The view.
    schema
        The columns that its expressions read.
    """
    table = TABLES[view.table]
    column_trees: dict[str, _Node] = {}
    for column_name, expression in view.columns.items():
        if column_name in table.schema and type(table.schema[column_name]) in _WANTED:
            column_trees[column_name] = _tree(expression)
    part_types = _types(column_trees, schema)
    prefix = _item_way(view)

    by_texts: dict[tuple[str, str], Conversion] = {}
    # of columns that read the same, one that counts is named
    for column_name in sorted(column_trees, key=is_vital, reverse=True):
        for largest, given in _largest(column_trees[column_name], part_types):
            made = _first_made(largest, part_types)
            conversion = Conversion(
                column=f"{view.table}.{column_name}",
                field=_way(given, prefix),
                wanted=_WANTED.get(type(part_types[made.text]), f"what {column_name} needs"),
                source=_source(given, part_types).expression,
                given=given.expression,
                value=made.expression,
                columns=given.columns,
                is_alone=made is column_trees[column_name]
                and given.expression.meta.is_row_separable(),
            )
            by_texts.setdefault((given.text, made.text), conversion)
    return [*by_texts.values()]


def reads(expression: pl.Expr, field: str, item: str = "") -> bool:
    """Return whether an expression reads a field, or something inside it; ``owner.id`` is one of a structure.

    `item` is the way to the list whose elements the expression reads as ``item``.
    """
    # every way begins with a column, and the columns are known without taking the expression to pieces
    columns = set(expression.meta.root_names())
    if _ITEM in columns:
        columns.add(item)
    if not any(touches(field, column) for column in columns):
        return False
    return any(touches(field, way) for way in _ways(_tree(expression), item))


def touches(field: str, other: str) -> bool:
    """Return whether two ways are the same, or one is a part of the other."""
    return f"{field}.".startswith(f"{other}.") or f"{other}.".startswith(f"{field}.")


def list_exploded(view: View) -> str:
    """Return the way to the list of which the view makes rows; empty where it makes a row of each record."""
    return _item_way(view)


def _tree(expression: pl.Expr) -> _Node:
    children: list[_Node] = []
    for operand in reversed(expression.meta.pop()):  # what an expression works on comes last there
        node = _tree(operand)
        # the inside of `list.eval` has a meaning of its own only there
        if "element()" not in node.text:
            children.append(node)
    columns = tuple(dict.fromkeys(expression.meta.root_names()))
    return _Node(expression, str(expression), columns, tuple(children))


def _types(trees: Mapping[str, _Node], schema: pl.Schema) -> dict[str, pl.DataType]:
    """Return the type of every part of the trees, by its text."""
    expressions: dict[str, pl.Expr] = {}
    for column_tree in trees.values():
        for tree_part in column_tree.walk():
            expressions[tree_part.text] = tree_part.expression
    # numbers are names that differ: the expressions' own ones need not
    numbered = {str(number): each for number, each in enumerate(expressions.values())}
    dtypes = pl.LazyFrame(schema=schema).select(**numbered).collect_schema().dtypes()
    return dict(zip(expressions, dtypes, strict=True))


def _largest(node: _Node, types: Mapping[str, pl.DataType]) -> Iterator[tuple[_Node, _Node]]:
    """Return the largest parts that depend on one text only, each with the part that is the text."""
    if types[node.text] == pl.String:
        return
    only_text = _only_text(node, types)
    if only_text:
        yield node, only_text
        return
    for part in node.parts:
        yield from _largest(part, types)


def _only_text(node: _Node, types: Mapping[str, pl.DataType]) -> _Node | None:
    """Return the text of which all other texts that it reads are made; None where it reads none, or several."""
    text_nodes = {inside.text: inside for inside in _texts(node, types)}
    made_of: list[set[str]] = []
    for text_node in text_nodes.values():
        made_of.append({inside.text for inside in text_node.walk()})
    for candidate, text_node in text_nodes.items():
        if all(candidate in texts_inside for texts_inside in made_of):
            return text_node
    return None


def _first_made(node: _Node, types: Mapping[str, pl.DataType]) -> _Node:
    """Return the last step that keeps the type which was first made of the text."""
    steps = [node]
    while steps[-1].parts and types[steps[-1].parts[0].text] != pl.String:
        steps.append(steps[-1].parts[0])
    kept_step = steps[-1]
    for tree_part in reversed(steps):
        if type(types[tree_part.text]) is not type(types[kept_step.text]):
            break
        kept_step = tree_part
    return kept_step


def _texts(node: _Node, types: Mapping[str, pl.DataType]) -> Iterator[_Node]:
    """Return the nearest parts that are text; constants are none."""
    if not node.columns:
        return
    if types[node.text] == pl.String:
        yield node
        return
    for part in node.parts:
        yield from _texts(part, types)


def _source(given: _Node, types: Mapping[str, pl.DataType]) -> _Node:
    """Return the field that a text is made of, where it is made of one; else the text."""
    source_node = given
    while source_node.parts and not _is_field(source_node):
        columns: set[str] = set()
        for read_part in source_node.reading:
            columns.update(_ways(read_part, ""))
        if len(columns) > 1 or _json_path(source_node):
            return given
        source_node = source_node.reading[0]
    if types[source_node.text] != pl.String:
        return given
    return source_node


def _ways(node: _Node, item: str) -> Iterator[str]:
    """Return the ways to the columns that it reads, and to fields where it reads only those of a column."""
    if not node.columns:
        return
    if _is_field(node) or not node.parts:
        yield _way(node, item)
        return
    reading = node.reading
    if not reading:  # all that it reads goes into the inside of lists
        yield from node.columns
    for part in reading:
        yield from _ways(part, item)


def _is_field(node: _Node) -> bool:
    """Whether it takes a field out of a structure: then, and only then, it has another name than what it reads."""
    if len(node.parts) != 1 or not node.reading:
        return False
    return node.name != node.parts[0].name


def _way(node: _Node, item: str) -> str:
    """Return the way to the field that a part reads, following its first part down to the column."""
    if _is_field(node):
        return f"{_way(node.parts[0], item)}.{node.name}"
    reading = node.reading
    if reading:
        return _way(reading[0], item) + _json_path(node)
    column = node.columns[0]
    return item if column == _ITEM and item else column


def _json_path(node: _Node) -> str:
    """Return the way inside a JSON text that a part takes; empty where it takes none."""
    for part in node.parts:
        if part.text.startswith('"$.'):
            return part.text.strip('"').removeprefix("$")
    return ""


def _item_way(view: View) -> str:
    if view.explode is None or not view.explode.meta.root_names():
        return ""
    return _way(_tree(view.explode), "")
