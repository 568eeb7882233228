"""Forecasts made elsewhere as members of a combination, on the weeks and units of a panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.combination.dependence import pooled_paths, with_marginals
from forecast.combination.pool import marginals
from forecast.evaluation.blocks import chances_of
from forecast.panel.panel import Panel
from forecast.predictive.escalation import Escalation
from forecast.predictive.forecast import Forecast, Paths
from forecast.provenance import hash_bytes

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ExternalForecast:
    """A forecast made elsewhere.

    Parameters
    ----------
    forecast : Forecast
        Of some or all units of a panel.
    joint : bool
        Whether its paths are joint over weeks. Otherwise they say nothing of escalations.
    """

    forecast: Forecast
    joint: bool

    def digest(self) -> str:
        """Return the hash of all of it."""
        said = self.forecast
        arrays = [said.paths, said.pmf, said.weeks.to_numpy().astype("datetime64[s]").astype(np.int64)]
        parts = [np.ascontiguousarray(array).tobytes() for array in arrays]
        words = [*said.units.names, f"{said.pmf.shape} {said.paths.shape} {self.joint}"]
        return hash_bytes(*parts, *(word.encode() for word in words))


def external_said(
    found: ExternalForecast | None, known: Panel, horizon: int, rules: Sequence[Escalation]
) -> tuple[Floats, Floats]:
    """Return what a forecast made elsewhere says of the weeks after a panel.

    Parameters
    ----------
    found : ExternalForecast or None
        From the origin of the panel; None if there is none.
    known : Panel
    horizon : int
    rules : sequence of Escalation

    Returns
    -------
    ndarray of shape (horizon, units, k), ndarray of shape (escalations, units)
        Marginals and probabilities; NaN where it says nothing.
    """
    units = len(known.units)
    chance = np.full((len(rules), units), np.nan)
    if found is None:
        return np.full((horizon, units, 1), np.nan), chance
    said = found.forecast
    at = [known.units.index(name) for name in said.units.names]
    law = marginals(said)[:horizon]
    pmf = np.full((horizon, units, law.shape[2]), np.nan)
    pmf[: len(law), at] = law / law.sum(axis=2, keepdims=True)
    if found.joint:
        here = known.select(said.units.names)
        for row, rule in enumerate(rules):
            if rule.weeks <= said.horizon:
                chance[row, at] = chances_of((rule,), said, here)[:, 0]
    return pmf, chance


def external_paths(
    found: ExternalForecast | None,
    law: Floats,
    absent: NDArray[np.bool_] | None,
    of_models: Sequence[Paths],
    rng: np.random.Generator,
) -> Paths:
    """Return joint paths of a member that is made elsewhere.

    Parameters
    ----------
    found : ExternalForecast or None
    law : ndarray, shape (horizon, units, k)
        Its marginals, or where it says nothing those that stand for it.
    absent : ndarray of bool, shape (horizon, units), optional
        Where it says nothing.
    of_models : sequence of ndarray, each of shape (draws, horizon, units)
        Paths of the other members, whose dependence it gets unless its own paths are joint and whole.
    rng : Generator
    """
    if found is not None and found.joint and (absent is None or not absent.any()):
        return found.forecast.paths[:, : len(law)]
    share = np.full(len(of_models), 1 / len(of_models))
    return with_marginals(pooled_paths(list(of_models), share, rng), law, rng)
