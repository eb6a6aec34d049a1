"""Small faults that somebody could make in a module, one at a time: a boundary, a sign, a condition, an argument."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one fault."""

    line: int
    #: the line as it stands in the file
    text: str
    before: str
    after: str
    tree: ast.Module

    @property
    def change(self) -> tuple[str, str, str]:
        """Where it is and what differs, whatever the number of the line."""
        return self.text, self.before, self.after

    def __str__(self) -> str:
        return f"{self.line}: {self.text}\n      {self.before}  ->  {self.after}"


def mutants(source: str) -> Iterator[Mutant]:
    """Return the module with each fault; what only people and type checkers read is left as it is."""
    tree = ast.parse(source)
    lines = source.splitlines()
    for place, node in enumerate(ast.walk(tree)):
        if not _is_code(node, tree):
            continue
        for change in _changes_of(node):
            changed = copy.deepcopy(tree)
            # a copy is walked in the same order
            target = next(each for at, each in enumerate(ast.walk(changed)) if at == place)
            before = ast.unparse(target)
            change(target)
            after = ast.unparse(target)
            if before != after:
                line = getattr(node, "lineno", 1)
                text = lines[line - 1].strip()
                yield Mutant(
                    line, text, _short(before), _short(after), ast.fix_missing_locations(changed)
                )


def _changes_of(node: ast.AST) -> Iterator[Callable[..., None]]:
    """Return what can be done to a node, each as a function that does it."""
    if isinstance(node, ast.Compare):
        yield from (_comparison(place) for place in range(len(node.ops)))
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        yield _operator
    if isinstance(node, ast.BoolOp):
        yield _connective
    if isinstance(node, ast.Constant):
        yield _constant
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield _condition
    if isinstance(node, ast.UnaryOp):
        yield _unary
    if (
        isinstance(node, ast.Return | ast.Assign | ast.AnnAssign | ast.Yield)
        and node.value is not None
    ):
        yield _nothing
    if isinstance(node, ast.Call):
        yield from (_without_keyword(place) for place in range(len(node.keywords)))
        yield _other_function


def _comparison(place: int) -> Callable[[ast.Compare], None]:
    def change(node: ast.Compare) -> None:
        node.ops[place] = _COMPARISONS[type(node.ops[place])]()

    return change


def _operator(node: ast.BinOp) -> None:
    node.op = _OPERATORS[type(node.op)]()


def _connective(node: ast.BoolOp) -> None:
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()


def _constant(node: ast.Constant) -> None:
    if isinstance(node.value, bool):
        node.value = not node.value
    elif isinstance(node.value, int | float):
        node.value += 1
    elif isinstance(node.value, str):
        node.value = f"{node.value}~"


def _condition(node: ast.If | ast.IfExp | ast.While) -> None:
    node.test = ast.UnaryOp(ast.Not(), node.test)


def _unary(node: ast.UnaryOp) -> None:
    # twice the same is as good as none, and stands in the same place
    node.operand = ast.UnaryOp(node.op, node.operand)


def _nothing(node: ast.Return | ast.Assign | ast.AnnAssign | ast.Yield) -> None:
    node.value = ast.Constant(None)


def _without_keyword(place: int) -> Callable[[ast.Call], None]:
    def change(node: ast.Call) -> None:
        del node.keywords[place]

    return change


def _other_function(node: ast.Call) -> None:
    if isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        node.func.id = _CALLS[node.func.id]


def _is_code(node: ast.AST, tree: ast.Module) -> bool:
    return id(node) not in _unread(tree)


_UNREAD: dict[int, set[int]] = {}


def _unread(tree: ast.Module) -> set[int]:
    """Return the nodes that say nothing to the interpreter, or only words: docstrings, types, messages, slots."""
    if id(tree) not in _UNREAD:
        _UNREAD[id(tree)] = {
            id(inner)
            for outer in ast.walk(tree)
            for part in _words(outer)
            for inner in ast.walk(part)
        }
    return _UNREAD[id(tree)]


def _words(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node
    if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
        yield node.annotation
    if isinstance(node, ast.FunctionDef):
        yield from [node.returns] if node.returns else []
        yield from node.decorator_list
    if isinstance(node, ast.ClassDef):
        yield from node.decorator_list
    if isinstance(node, ast.Raise):
        yield node
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__slots__", "_SCALAR"):
        yield node


def _short(code: str) -> str:
    return " ".join(code.split("\n", 1)[0].split())[:100]
