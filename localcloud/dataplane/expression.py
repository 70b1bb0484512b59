"""CloudWatch metric math, as far as alarms here use it: numbers, metric ids, + - * / ^, comparisons, AND, OR, and the
functions ABS, FILL, IF, MAX, MIN, SUM, AVG. Pure.

A series has one value for each period, None where there is none. Of two series, or of one and a number, each period is
combined with its fellow; None with anything is None.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence

Value = float | None
Series = tuple[Value, ...]


class BadExpression(ValueError):
    """Metric math that is not understood; the message names the part."""


OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Pow: operator.pow,
    ast.Gt: lambda a, b: float(a > b),
    ast.GtE: lambda a, b: float(a >= b),
    ast.Lt: lambda a, b: float(a < b),
    ast.LtE: lambda a, b: float(a <= b),
    ast.Eq: lambda a, b: float(a == b),
    ast.NotEq: lambda a, b: float(a != b),
    ast.And: lambda a, b: float(bool(a) and bool(b)),
    ast.Or: lambda a, b: float(bool(a) or bool(b)),
}


def evaluate(expression: str, metrics: Mapping[str, Sequence[Value]], periods: int) -> Series:
    """The series that expression makes of the metrics, each of length periods. Raises BadExpression."""
    python = expression.replace("^", "**").replace("&&", " and ").replace("||", " or ")
    python = re.sub(r"\b(AND|OR)\b", lambda word: word[0].lower(), python)
    # IF is a function there and no name in Python.
    python = re.sub(r"\bIF\s*\(", "IF_(", python)
    try:
        tree = ast.parse(python.strip(), mode="eval")
    except SyntaxError as error:
        raise BadExpression(f"metric math {expression!r} can't be read: {error.msg}") from error
    return _Evaluation(metrics, periods).of(tree.body)


class _Evaluation:
    """One run over a parsed expression."""

    def __init__(self, metrics: Mapping[str, Sequence[Value]], periods: int) -> None:
        self._metrics = metrics
        self._periods = periods
        self._functions: dict[str, Callable[[list[ast.expr]], Series]] = {
            "ABS": lambda given: tuple(None if one is None else abs(one) for one in self._only(given)),
            "FILL": self._fill,
            "IF_": self._if,
            "MAX": lambda given: self._constant(max(self._present(given), default=None)),
            "MIN": lambda given: self._constant(min(self._present(given), default=None)),
            "SUM": self._sum,
            "AVG": lambda given: self._constant(_average(self._present(given))),
        }

    def of(self, node: ast.expr) -> Series:
        """The series that a part of the expression makes."""
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return self._constant(float(node.value))
        if isinstance(node, ast.Name) and node.id in self._metrics:
            return tuple(self._metrics[node.id])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return tuple(None if one is None else -one for one in self.of(node.operand))
        if isinstance(node, ast.BinOp):
            return self._combined(node.op, [node.left, node.right])
        if isinstance(node, ast.BoolOp):
            return self._combined(node.op, node.values)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._combined(node.ops[0], [node.left, *node.comparators])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self._functions:
            return self._functions[node.func.id](node.args)
        raise BadExpression(f"metric math {ast.unparse(node)!r} is not understood")

    def _combined(self, kind: ast.AST, parts: Sequence[ast.expr]) -> Series:
        combine = _divide if isinstance(kind, ast.Div) else OPERATORS.get(type(kind))
        if combine is None:
            raise BadExpression(f"metric math operator {type(kind).__name__} is not understood")
        first, *others = (self.of(part) for part in parts)
        for other in others:
            pairs = zip(first, other, strict=True)
            first = tuple(None if a is None or b is None else combine(a, b) for a, b in pairs)
        return first

    def _constant(self, value: Value) -> Series:
        return (value,) * self._periods

    def _only(self, given: list[ast.expr]) -> Series:
        if len(given) != 1:
            raise BadExpression(f"a function of one metric got {len(given)} arguments")
        return self.of(given[0])

    def _present(self, given: list[ast.expr]) -> list[float]:
        return [one for one in self._only(given) if one is not None]

    def _sum(self, given: list[ast.expr]) -> Series:
        """SUM([a, b]) is a series; SUM(a) is one number, which stands for every period."""
        if len(given) == 1 and isinstance(given[0], ast.List):
            columns = zip(*(self.of(part) for part in given[0].elts), strict=True)
            return tuple(
                sum(known) if (known := [one for one in column if one is not None]) else None for column in columns
            )
        present = self._present(given)
        return self._constant(sum(present) if present else None)

    def _fill(self, given: list[ast.expr]) -> Series:
        if len(given) != 2:
            raise BadExpression(f"FILL takes a metric and a number, got {len(given)} arguments")
        filling = self.of(given[1])
        return tuple(fill if one is None else one for one, fill in zip(self.of(given[0]), filling, strict=True))

    def _if(self, given: list[ast.expr]) -> Series:
        if len(given) not in (2, 3):
            raise BadExpression(f"IF takes two or three arguments, got {len(given)}")
        otherwise = self.of(given[2]) if len(given) == 3 else self._constant(None)
        rows = zip(self.of(given[0]), self.of(given[1]), otherwise, strict=True)
        return tuple(None if test is None else (yes if test else no) for test, yes, no in rows)


def _divide(a: float, b: float) -> Value:
    """CloudWatch has no data point where the divisor is 0."""
    return a / b if b else None


def _average(values: Sequence[float]) -> Value:
    return sum(values) / len(values) if values else None
