"""Boosted trees for the mean, and the negative binomial's size as a function of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
import threadpoolctl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.optimize import minimize

from forecast.families.tree_ensemble.cases import Cases, Runs
from forecast.families.tree_ensemble.features import Inputs
from forecast.predictive import negbin

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

Floats = NDArray[np.float64]

USUAL_SIZE = (0.5, 1.0)
"""Before any data: intercept and slope of the log size; the variance is 1.6 times the mean."""
SIZE_PRECISION = (64.0, 256.0)
"""Of the normal prior on these two."""
LOG_SIZES = (-6.0, 25.0)
"""Far beyond any that is fitted: within a bound the likelihood would be flat, and the search stand still."""
LEAST_MEAN = 1e-9
LEAST_LEAVES = 30
"""So many leaves of the least size must be possible, however few cases there are."""


class BoostingSettings(BaseModel):
    """How the trees are added.

    Parameters
    ----------
    rounds : int
        Trees.
    learning_rate : float
        Share of its correction that each tree is allowed.
    leaves : int
        Of a tree, at most.
    leaf_cases : int
        A leaf holds at least so many cases, or a thirtieth of all where that is less.
    features : float
        Share of the features that are looked at for each split.
    pseudo_events : float
        Expected events added to each leaf, with no correction (each event is a case of every horizon).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rounds: Annotated[int, Field(ge=1, le=2000)] = 60
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.06
    leaves: Annotated[int, Field(ge=2, le=255)] = 8
    leaf_cases: Annotated[int, Field(ge=1)] = 2000
    features: Annotated[float, Field(gt=0, le=1)] = 0.4
    pseudo_events: Annotated[float, Field(ge=0)] = 3000.0


@dataclass(frozen=True, eq=False)
class Boosted:
    """Boosted trees, and the size by the mean.

    Parameters
    ----------
    trees : HistGradientBoostingRegressor
        Of the ratio to the plain forecast.
    log_size : tuple of float
        Intercept and slope in the log mean.
    """

    trees: HistGradientBoostingRegressor
    log_size: tuple[float, float]

    def moments(self, inputs: Inputs, plain: Floats) -> tuple[Floats, Floats]:
        """Return mean and size, each of shape (1, cases)."""
        mean = np.maximum(self.trees.predict(inputs) * plain, LEAST_MEAN)
        return mean[None], _size(self.log_size, mean)[None]

    def parameters(self) -> dict[str, float]:
        """Return the number of trees, and what the size depends on."""
        return {
            "trees": float(self.trees.n_iter_),
            "log size": self.log_size[0],
            "log size by log mean": self.log_size[1],
        }


def boost(cases: Cases, settings: BoostingSettings, seed: int) -> HistGradientBoostingRegressor:
    r"""Boost the Poisson likelihood of the counts, beginning at their plain forecasts.

    The likelihood of a mean :math:`x \rho`, with the plain forecast x, is that of the ratio :math:`y / x` at
    :math:`\rho`, with weight x.

    Parameters
    ----------
    cases : Cases
        At least one event among them.
    settings : BoostingSettings
    seed : int
    """
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415 - a second that no other family needs

    trees = HistGradientBoostingRegressor(
        loss="poisson",
        learning_rate=settings.learning_rate,
        max_iter=settings.rounds,
        max_leaf_nodes=settings.leaves,
        min_samples_leaf=min(settings.leaf_cases, max(len(cases) // LEAST_LEAVES, 1)),
        max_features=settings.features,
        l2_regularization=settings.pseudo_events,
        max_bins=64,
        early_stopping=False,
        random_state=seed,
    )
    with threadpoolctl.threadpool_limits(1):  # sums would depend on the number of threads
        return trees.fit(cases.inputs, cases.count / cases.plain, sample_weight=cases.weight * cases.plain)


def fit_log_size(trees: HistGradientBoostingRegressor, runs: Runs) -> tuple[float, float]:
    """Return intercept and slope of the log size that fit the counts of weeks that the trees have not seen."""
    known = runs.known.ravel()
    count = runs.count.ravel()[known].astype(np.float64)
    mean = np.maximum(trees.predict(runs.inputs)[known] * runs.plain[known], LEAST_MEAN)

    def loss(log_size: Floats) -> float:
        off = log_size - np.asarray(USUAL_SIZE)
        size = _size((float(log_size[0]), float(log_size[1])), mean)
        return float(0.5 * (np.asarray(SIZE_PRECISION) * off * off).sum() - negbin.logpmf(count, mean, size).sum())

    found = minimize(loss, USUAL_SIZE, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-4, "maxiter": 200})
    return float(found.x[0]), float(found.x[1])


def _size(log_size: tuple[float, float], mean: Floats) -> Floats:
    return np.asarray(np.exp(np.clip(log_size[0] + log_size[1] * np.log(mean), *LOG_SIZES)))
