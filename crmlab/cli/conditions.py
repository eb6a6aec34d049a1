"""Conditions on the answer to a question, such as ``"mailed_but_objected > 0"``: read, never evaluated."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import polars as pl

from crmlab import providers
from crmlab.errors import UsageError
from crmlab.results import Result

_CONDITION = re.compile(
    r"\s*(?P<question>\w{1,60})(\.(?P<column>\w{1,60}))?\s*(?P<sign><=|>=|==|!=|<|>)\s*(?P<number>-?\d{1,15}(\.\d{1,9})?)\s*",
    re.ASCII,
)
_SIGNS: Mapping[str, Callable[[Any, float], Any]] = MappingProxyType(
    {
        "<": operator.lt,
        "<=": operator.le,
        "==": operator.eq,
        "!=": operator.ne,
        ">=": operator.ge,
        ">": operator.gt,
    }
)
#: what the help of a command says of them
HELP = (
    "a question of the catalogue compared with a number: of its rows, as in 'mailed_but_objected "
    "> 0', or of any value "
    "in one of its columns, as in 'open_actions.overdue > 50'; may be given more than once"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Whether a condition is true, and of how many rows."""

    condition: str
    is_true: bool
    #: all rows of the answer; where a column is compared, those that make it true
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A question of the catalogue, compared with a number.

    Without a column the number of rows of the answer is compared. With one the condition is true where any row has such
    a value; rows without a value make nothing true.
    """

    text: str
    question: str
    column: str
    sign: str
    number: float

    def decide(
        self,
        data: Result[Any],
        *,
        time_zone: str = "UTC",
        earlier: Result[Any] | None = None,
        quota: float | Mapping[str, float] | None = None,
    ) -> Decided:
        """Return whether it is true of these data.

        Raises
        ------
        UsageError
            The data lack what the question needs.
        """
        from crmlab import report  # noqa: PLC0415  # it loads every figure, and most commands need none

        numbers = report.numbers_of(
            self.question, data, time_zone=time_zone, earlier=earlier, quota=quota
        )
        compare = _SIGNS[self.sign]
        if not self.column:
            return Decided(
                condition=self.text,
                is_true=bool(compare(numbers.height, self.number)),
                rows=numbers.height,
            )
        true_rows = numbers.filter(compare(pl.col(self.column), self.number)).height
        return Decided(condition=self.text, is_true=true_rows > 0, rows=true_rows)


def condition(text: str) -> Condition:
    """Return the condition that a user wrote.

    Raises
    ------
    UsageError
        It is none, or names a question that is not in the catalogue, or a column that its answer does not count in.

    Examples
    --------
    >>> condition("open_actions.overdue > 50").column
    'overdue'
    """
    from crmlab import report  # noqa: PLC0415  # they load every figure, and most commands need none
    from crmlab.catalogue import CATALOGUE  # noqa: PLC0415

    match = _CONDITION.fullmatch(text)
    if not match:
        raise UsageError(
            f"{text!r} is no condition: write a question, a sign and a number, such as "
            "'mailed_but_objected > 0', or "
            "'open_actions.overdue > 50' for any value of a column"
        )
    question = match["question"]
    column = match["column"] or ""
    if question not in CATALOGUE:
        raise UsageError(providers.unknown("question", question, CATALOGUE))
    answer_schema = report.columns_of(question)
    countable = [name for name, dtype in answer_schema.items() if dtype.is_numeric()]
    if column and column not in countable:
        known_columns = ", ".join(countable) or "none"
        raise UsageError(
            f"{question} has no column {column!r} of numbers; there is {known_columns}"
        )
    return Condition(
        text=text,
        question=question,
        column=column,
        sign=match["sign"],
        number=float(match["number"]),
    )
