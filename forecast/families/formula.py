"""Model formulas that can only name covariates: checked word by word, so that none can run code."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from formulaic import Formula, ModelSpec
from formulaic.errors import FormulaicError
from numpy.typing import NDArray

from forecast.errors import InputError, unknown_name

Floats = NDArray[np.float64]

STATIC = ("unit", "group", "trend", "sin1", "cos1", "sin2", "cos2")
"""Covariates that are known in advance for every week."""
CATEGORIES = ("unit", "group")
FUNCTIONS: dict[str, Callable[[Any], Any]] = {"log1p": np.log1p, "sqrt": np.sqrt}
CALLABLE = ("C", *FUNCTIONS)

_DYNAMIC = re.compile(r"(own|neighbour)_(ewm_)?([1-9]\d{0,2})")
_TOKEN = re.compile(r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<number>\d+)|(?P<operator>[~+\-*:()]))", re.ASCII)
_LONGEST = 1000
_MOST_PRODUCTS = 8  # `*` doubles the number of terms
_EXAMPLES = ("own_1", "own_2", "own_ewm_8", "own_ewm_52", "neighbour_1", "neighbour_2", "neighbour_ewm_8")


@dataclass(frozen=True)
class DynamicName:
    """A covariate computed from earlier counts.

    Parameters
    ----------
    name : str
        ``own_3``, ``neighbour_ewm_8``.
    neighbour : bool
        Mean over the neighbours in place of the unit itself.
    smoothed : bool
        Exponentially weighted mean in place of a single week.
    weeks : int
        Lag, or span of the mean.
    """

    name: str
    neighbour: bool
    smoothed: bool
    weeks: int


@dataclass(frozen=True)
class CheckedFormula:
    """The right side of a formula, and what it names.

    Parameters
    ----------
    right : str
    static : tuple of str
        Names out of `STATIC`, in order of first use.
    dynamic : tuple of DynamicName
        In order of first use.
    """

    right: str
    static: tuple[str, ...]
    dynamic: tuple[DynamicName, ...]


def check_formula(text: str) -> CheckedFormula:
    """Read a formula ``count ~ terms``.

    Terms are covariates joined by ``+ - * :`` and brackets, ``C(name)``, ``log1p(name)``, ``sqrt(name)``, 0 and 1.
    Nothing else is let through to the formula engine, which would evaluate it as Python.

    Raises
    ------
    InputError
        If a word is unknown (the nearest known names are offered) or not allowed.

    Examples
    --------
    >>> check_formula("count ~ C(group) + own_ewm_8").dynamic[0]
    DynamicName(name='own_ewm_8', neighbour=False, smoothed=True, weeks=8)
    >>> check_formula("count ~ own_1 + tren")
    Traceback (most recent call last):
    ...
    forecast.errors.InputError: unknown covariate 'tren'
      where: formula 'count ~ own_1 + tren'
      expected: one of the 14 known names, such as 'trend'
    """
    left, tilde, right = text.partition("~")
    if not tilde or left.strip() != "count" or len(text) > _LONGEST:
        raise InputError(f"formula {text[:60]!r}", expected=f"`count ~ terms`, at most {_LONGEST} characters")
    tokens = _tokens(right, text)
    if not tokens:
        raise InputError(f"formula {text!r} has no terms", expected="`count ~ 1` for a constant")
    if tokens.count("*") > _MOST_PRODUCTS:
        raise InputError(f"formula {text!r} has {tokens.count('*')} products", expected=f"at most {_MOST_PRODUCTS}")
    static: dict[str, None] = {}
    dynamic: dict[str, DynamicName] = {}
    for at, token in enumerate(tokens):
        if token in CALLABLE:
            _check_call(tokens, at, text)
        elif token in STATIC:
            static[token] = None
        elif found := _DYNAMIC.fullmatch(token):
            dynamic[token] = DynamicName(token, found[1] == "neighbour", bool(found[2]), int(found[3]))
        elif token.isidentifier():
            raise unknown_name("covariate", token, [*STATIC, *_EXAMPLES], where=f"formula {text!r}")
        elif token.isdigit() and token not in ("0", "1"):
            raise InputError(f"number {token} in formula {text!r}", expected="0 or 1 (the intercept)")
    return CheckedFormula(right.strip(), tuple(static), tuple(dynamic.values()))


def _tokens(right: str, text: str) -> list[str]:
    """Return names, numbers and operators in order."""
    tokens, at = [], 0
    right = right.rstrip()
    while at < len(right):
        found = _TOKEN.match(right, at)
        if found is None or found["operator"] == "~":
            raise InputError(
                f"character {right[at:].lstrip()[0]!r} in formula {text!r}",
                expected="covariates, + - * : ( ), " + ", ".join(f"{name}()" for name in CALLABLE),
            )
        tokens.append(found[found.lastgroup or 0])
        at = found.end()
    return tokens


def _check_call(tokens: list[str], at: int, text: str) -> None:
    """Refuse a call whose argument is not one covariate; C() takes categories, the others numbers."""
    inside = tokens[at + 2 : at + 3]
    single = tokens[at + 1 : at + 2] == ["("] and tokens[at + 3 : at + 4] == [")"]
    fits = bool(inside) and (inside[0] in CATEGORIES) == (tokens[at] == "C")
    if not (single and fits):
        wanted = "C(unit) or C(group)" if tokens[at] == "C" else f"{tokens[at]}(name) of one numeric covariate"
        raise InputError(f"{tokens[at]} in formula {text!r}", expected=wanted)


@dataclass(frozen=True)
class Design:
    """A formula bound to the levels of its categories: makes design matrices from tables of covariates.

    Parameters
    ----------
    formula : CheckedFormula
    spec : ModelSpec
    """

    formula: CheckedFormula
    spec: ModelSpec

    @classmethod
    def of(cls, formula: CheckedFormula, frame: pd.DataFrame) -> Design:
        """Bind a formula to a table with a column for each covariate.

        Raises
        ------
        InputError
            If the formula can't be read, has no terms, is not defined everywhere, or is not linear in the
            dynamic covariates.
        """
        try:
            with np.errstate(divide="ignore", invalid="ignore"):  # refused below, with the name of the term
                matrix = Formula(formula.right).get_model_matrix(frame, context=FUNCTIONS, na_action="ignore")
        except (FormulaicError, SyntaxError, ValueError, TypeError) as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(f"formula {formula.right!r} cannot be read: {first}") from None
        if not matrix.shape[1]:
            raise InputError(f"formula {formula.right!r} has no terms")
        odd = ~np.isfinite(np.asarray(matrix, dtype=np.float64)).all(axis=0)
        if odd.any():
            raise InputError(
                f"term {matrix.model_spec.column_names[int(odd.argmax())]!r} is not a number everywhere",
                where=f"formula {formula.right!r}",
                expected="sqrt() of numbers >= 0, log1p() of numbers > -1",
            )
        design = cls(formula, matrix.model_spec)
        design._check_linear(frame)
        return design

    @property
    def columns(self) -> list[str]:
        """Names of the columns of the matrix."""
        return [str(name) for name in self.spec.column_names]

    def matrix(self, frame: pd.DataFrame) -> Floats:
        """Return the design matrix, shape (rows, columns)."""
        return np.asarray(self.spec.get_model_matrix(frame, context=FUNCTIONS, na_action="ignore"), dtype=np.float64)

    def linear_parts(self, frame: pd.DataFrame) -> Floats:
        """Return the matrix at dynamic covariates of 0, then its slope in each of them.

        Parameters
        ----------
        frame : DataFrame
            Static covariates; `formula.dynamic` columns are overwritten.

        Returns
        -------
        ndarray, shape (1 + dynamic, rows, columns)
        """
        names = [item.name for item in self.formula.dynamic]
        blocks = [frame.assign(**{name: float(name == varied) for name in names}) for varied in [None, *names]]
        stacked = self.matrix(pd.concat(blocks, ignore_index=True)).reshape(len(blocks), len(frame), -1)
        return np.concatenate([stacked[:1], stacked[1:] - stacked[:1]])

    def _check_linear(self, frame: pd.DataFrame) -> None:
        """Compare the matrix with its linear parts at two points where curvature would show."""
        rows = frame.head(4).reset_index(drop=True)
        names = [item.name for item in self.formula.dynamic]
        parts = self.linear_parts(rows)
        for point in (np.linspace(0.5, 1.5, len(names)), np.linspace(3.0, 2.0, len(names))):
            exact = self.matrix(rows.assign(**dict(zip(names, point, strict=True))))
            linear = parts[0] + np.tensordot(point, parts[1:], axes=1)
            if not np.allclose(exact, linear):
                bent = self.columns[int(np.abs(exact - linear).max(axis=0).argmax())]
                raise InputError(
                    f"term {bent!r} is not linear in the covariates of earlier counts ({', '.join(names)})",
                    where=f"formula {self.formula.right!r}",
                    expected="such covariates by themselves, or times unit, group, trend or season",
                )
