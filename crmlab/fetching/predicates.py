"""What a filter over a table asks for, as far as it can be told: a superset of the rows that fit it.

A filter is read from the JSON of its expression, which is no format that Polars promises to keep. So only terms of a
form that is known are read: a column compared with a value, joined with others by "and". All else is left out, and so
is everything where anything is not as expected. The filter itself is always applied again to what came: a term that
was not read costs requests, and never a row.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

LOG = logging.getLogger("crmlab")

#: that a bound is moved outwards: services keep whole seconds, and none says whether an edge belongs to a period
_SLACK = dt.timedelta(seconds=1)
_TURNED = {
    "Gt": "Lt",
    "GtEq": "LtEq",
    "Lt": "Gt",
    "LtEq": "GtEq",
    "Eq": "Eq",
    "EqValidity": "EqValidity",
}
_SURPRISES = (
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass(slots=True)
class Terms:
    """What every row that fits a filter has: one of some values in a column, and times within bounds."""

    values: dict[str, frozenset[Any]] = field(default_factory=dict)
    since: dict[str, dt.datetime] = field(default_factory=dict)
    until: dict[str, dt.datetime] = field(default_factory=dict)

    def take_values(self, column: str, values: list[Any]) -> None:
        """Take note that a column has one of these values; null equals nothing."""
        if None in values or not values:
            return
        if any(isinstance(value, dt.datetime) for value in values):
            self.take_bound("GtEq", column, min(values))
            self.take_bound("LtEq", column, max(values))
            return
        common_values = self.values.get(column, frozenset(values)) & frozenset(values)
        if common_values:  # else nothing fits, which the filter itself finds out
            self.values[column] = common_values

    def take_bound(self, operator: str, column: str, value: Any) -> None:
        """Take note that a column is compared so with a time."""
        if not isinstance(value, dt.datetime) or value.tzinfo is None:
            return
        if operator in ("Gt", "GtEq"):
            lower_bound = value - _SLACK
            self.since[column] = max(lower_bound, self.since.get(column, lower_bound))
        else:
            upper_bound = value + _SLACK
            self.until[column] = min(upper_bound, self.until.get(column, upper_bound))


def terms_of(predicate: pl.Expr | None) -> Terms:
    """Return what can be told of a filter; nothing of one that is not understood.

    Examples
    --------
    >>> terms_of((pl.col("status") == "won") & (pl.col("amount") > 10)).values
    {'status': frozenset({'won'})}
    >>> terms_of((pl.col("status") == "won") | (pl.col("amount") > 10)).values
    {}
    """
    if predicate is None:
        return Terms()
    known_terms = Terms()
    try:
        tree = json.loads(predicate.meta.serialize(format="json"))
        for term in _joined_by_and(tree):
            _read(term, known_terms)
    except (*_SURPRISES, pl.exceptions.PolarsError) as error:
        LOG.debug("a filter is not read, and all is asked for: %s", type(error).__name__)
        return Terms()
    return known_terms


def _joined_by_and(tree: Any) -> Iterator[Mapping[str, Any]]:
    waiting = [tree]
    while waiting:
        expression = waiting.pop()
        if not isinstance(expression, dict):
            continue
        joined = expression.get("BinaryExpr")
        if joined and joined["op"] in ("And", "LogicalAnd"):
            waiting += [joined["left"], joined["right"]]
        else:
            yield expression


def _read(term: Mapping[str, Any], found: Terms) -> None:
    if "BinaryExpr" in term:
        _read_comparison(term["BinaryExpr"], found)
    elif "Function" in term:
        _read_function(term["Function"], found)


def _read_comparison(comparison: Mapping[str, Any], found: Terms) -> None:
    operator = comparison["op"]
    column = comparison["left"]
    constant = comparison["right"]
    if operator not in _TURNED:
        return
    if "Column" in constant:  # written the other way round: 10 < amount
        operator = _TURNED[operator]
        column = comparison["right"]
        constant = comparison["left"]
    if "Column" not in column or not _is_constant(constant):
        return
    values = _values(constant)
    if len(values) != 1:
        return
    if operator in ("Eq", "EqValidity"):
        found.take_values(column["Column"], values)
    else:
        found.take_bound(operator, column["Column"], values[0])


def _read_function(called: Mapping[str, Any], found: Terms) -> None:
    boolean_function = called["function"].get("Boolean")
    if not isinstance(boolean_function, dict):
        return
    column, *constants = called["input"]
    if "Column" not in column or not all(map(_is_constant, constants)):
        return
    column_name = column["Column"]
    if "IsIn" in boolean_function and len(constants) == 1:
        found.take_values(column_name, _values(constants[0]))
    elif "IsBetween" in boolean_function and len(constants) == 2:
        lower = _values(constants[0])
        upper = _values(constants[1])
        if len(lower) == len(upper) == 1:
            found.take_bound("GtEq", column_name, lower[0])
            found.take_bound("LtEq", column_name, upper[0])


def _is_constant(tree: Any) -> bool:
    """Whether a part of a filter is a value, or a value that is cast."""
    if not isinstance(tree, dict) or len(tree) != 1:
        return False
    if "Cast" in tree:
        return _is_constant(tree["Cast"]["expr"])
    return "Literal" in tree


def _values(tree: Mapping[str, Any]) -> list[Any]:
    """Return the values of such a part, as Polars itself reads them."""
    expression = pl.Expr.deserialize(io.BytesIO(json.dumps(tree).encode()), format="json")
    literal_values = pl.select(expression).to_series()
    if literal_values.dtype.is_nested():
        literal_values = literal_values.explode()
    return literal_values.to_list()
