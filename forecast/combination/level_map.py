"""Maps of levels: what a forecast calls u should have been called G(u)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError

Floats = NDArray[np.float64]

PRIOR = 100.0
"""Cases' worth of evidence for the identity, unless stated."""

LEAST = 200
"""Cases below which a map is the identity, unless stated."""


class LevelMap(Protocol):
    """A non-decreasing map of [0, 1] into itself: of cumulative probabilities, or of the probabilities of an event."""

    def __call__(self, level: ArrayLike) -> Floats:
        """Return the levels that should have been stated, of the same shape."""
        ...


@dataclass(frozen=True)
class Identity:
    """The map of a forecast that is left as it is.

    Examples
    --------
    >>> Identity()([0.2, 0.5]).tolist()
    [0.2, 0.5]
    """

    def __call__(self, level: ArrayLike) -> Floats:
        """Return the levels."""
        return np.asarray(level, dtype=np.float64)


@dataclass(frozen=True)
class Composed:
    """One map, then another: ``then(first(u))``.

    Examples
    --------
    >>> Composed(np.square, np.square)([0.5, 1.0]).tolist()
    [0.0625, 1.0]
    """

    first: LevelMap
    then: LevelMap

    def __call__(self, level: ArrayLike) -> Floats:
        """Return the levels, mapped twice."""
        return self.then(self.first(level))


def recency(age: ArrayLike, half_life: float) -> Floats:
    r"""Return what a case counts for by its age, :math:`2^{-\text{age} / \text{half-life}}`.

    Parameters
    ----------
    age : array_like
        At least 0, in any unit.
    half_life : float
        In the same unit; infinite if age does not matter.

    Raises
    ------
    InputError
        If an age is negative, which would be a case from the future, or the half-life not positive.

    Examples
    --------
    >>> recency([0, 52, 104], 52).tolist()
    [1.0, 0.5, 0.25]
    """
    ages = np.asarray(age, dtype=np.float64)
    if not (ages >= 0).all():
        raise InputError("a negative age of a past forecast", expected="what was known at the origin, age >= 0")
    if not half_life > 0:
        raise InputError(f"a half-life of {half_life:g}", expected="a positive number")
    return np.asarray(0.5 ** (ages / half_life))


def case_weights(cases: int, weight: ArrayLike | None) -> Floats:
    """Return what each case counts for: 1, if nothing else is stated.

    Raises
    ------
    InputError
        If there is not one finite weight >= 0 for each case.
    """
    if weight is None:
        return np.ones(cases)
    each = np.asarray(weight, dtype=np.float64)
    if each.shape != (cases,) or not (np.isfinite(each).all() and (each >= 0).all()):
        raise InputError(f"weights of shape {each.shape} for {cases} cases", expected="a number >= 0 for each")
    return each
