"""Maximum of a penalised likelihood by Newton's method, by Fisher scoring where it is not concave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.families.endemic_epidemic.arrow import Arrow
from forecast.families.endemic_epidemic.likelihood import Likelihood, Slope
from forecast.families.endemic_epidemic.prior import Point, Prior

Floats = NDArray[np.float64]

ITERATIONS = 100
TOLERANCE = 1e-9
"""Expected gain of one more step at which the search ends: the estimates are within 5e-5 standard errors then."""
NEAR = 2.0
"""Expected gain below which the observed information is used, whose steps converge faster but only near the maximum."""
LONGEST = 3.0
"""No parameter moves a linear predictor further than this in one step."""
HALVINGS = 12
RIDGES = (1e-6, 1e-3)
"""Added to an information that is all but positive definite: where a decay is so steep that its value is of no matter,
the likelihood is flat."""


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where a search ended.

    Parameters
    ----------
    point : Point
    slope : Slope
        There, with the observed information.
    information : Arrow
        Of the penalised likelihood: the observed one, made positive definite where it is not.
    converged : bool
    iterations : int
        Evaluations of the likelihood.
    """

    point: Point
    slope: Slope
    information: Arrow
    converged: bool
    iterations: int


def maximise(likelihood: Likelihood, prior: Prior, start: Point, *, near: bool = False) -> Optimum:
    """Return the maximum of a penalised likelihood.

    Each step solves with the observed information near the maximum if it is positive definite, with the expected one
    otherwise, and is halved until the value rises.

    Parameters
    ----------
    likelihood : Likelihood
    prior : Prior
    start : Point
    near : bool
        The start is an earlier optimum: begin with the observed information.

    Notes
    -----
    What a step gains is ``score' information^-1 score / 2``.
    """
    scale = likelihood.design.largest_regressors
    point, expected, count = start, not near, 1
    here = likelihood.at(point, prior, expected=expected)
    while count < ITERATIONS:
        information = _positive(here.penalised, (0.0, *RIDGES))
        if information is None and not expected:
            expected, count = True, count + 1
            here = likelihood.at(point, prior, expected=True)
            information = _positive(here.penalised, (0.0, *RIDGES))
        if information is None:
            break
        step = Point(*information.solve(here.score, here.own_score))
        gain = 0.5 * float(here.score @ step.shared + (here.own_score * step.own).sum())
        if not np.isfinite(gain):
            break
        if gain < TOLERANCE:
            if expected:
                here, count = likelihood.at(point, prior), count + 1
            return _optimum(likelihood, prior, point, here, True, count)
        expected = gain > NEAR
        for shorter in _shortened(step, scale):
            moved, there, tried = _rising(likelihood, prior, point, shorter, here, expected)
            count += tried
            if there is not None:
                break
        if there is None:
            return _optimum(likelihood, prior, point, likelihood.at(point, prior), gain < 1e-6, count)
        point, here = moved, there
    return _optimum(likelihood, prior, point, likelihood.at(point, prior), False, count)


def _optimum(likelihood: Likelihood, prior: Prior, point: Point, slope: Slope, converged: bool, count: int) -> Optimum:
    information = _positive(slope.penalised, (0.0, *RIDGES))
    if information is None:
        information = _positive(likelihood.at(point, prior, expected=True).penalised, (*RIDGES, 1.0))
    if information is None:  # not a number somewhere: a search that has gone astray
        return Optimum(point, slope, slope.penalised, False, count)
    return Optimum(point, slope, information, converged, count)


def _shortened(step: Point, scale: Floats) -> list[Point]:
    """Return a step with each parameter kept within its bound, and if that is another one, the whole step shortened.

    The first is better where one parameter runs away, the second where several move together.
    """
    furthest = max(np.abs(step.shared * scale).max(initial=0.0), np.abs(step.own).max(initial=0.0))
    if furthest <= LONGEST:
        return [step]
    bounds = LONGEST / scale
    clipped = Point(np.clip(step.shared, -bounds, bounds), np.clip(step.own, -LONGEST, LONGEST))
    return [clipped, step.scaled(LONGEST / furthest)]


def _rising(
    likelihood: Likelihood,
    prior: Prior,
    point: Point,
    step: Point,
    here: Slope,
    expected: bool,
) -> tuple[Point, Slope | None, int]:
    """Return the first point on the way at which the value has risen, and how many were tried."""
    promised = max(float(here.score @ step.shared + (here.own_score * step.own).sum()), 0.0)
    length, slack = 1.0, 1e-12 * abs(here.value)
    for tried in range(1, HALVINGS + 1):
        moved = point.moved(step, length)
        there = likelihood.at(moved, prior, expected=expected)
        if np.isfinite(there.value) and there.value >= here.value + 1e-4 * length * promised - slack:
            return moved, there, tried
        length /= 2
    return point, None, HALVINGS


def _positive(information: Arrow, ridges: tuple[float, ...]) -> Arrow | None:
    """Return the information with the first ridge that makes it positive definite, None if none does."""
    for ridge in ridges:
        found = information
        if ridge:
            shared, block = len(information.shared), information.blocks.shape[1]
            found = Arrow(
                information.shared + ridge * np.eye(shared),
                information.border,
                information.blocks + ridge * np.eye(block),
            )
        if found.is_positive():
            return found
    return None
