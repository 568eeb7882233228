"""Draws of the parameters, how they were made, and whether they can be relied on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forecast.families.bayes.centred import Centred
from forecast.families.bayes.density import Density
from forecast.families.bayes.laplace import find_mode, importance_sample
from forecast.families.bayes.layout import Layout
from forecast.families.bayes.pareto import LARGEST_K, effective_draws

Floats = NDArray[np.float64]
Method = Literal["laplace", "nuts", "advi"]

METHODS: dict[Method, str] = {
    "laplace": "importance sampling around the posterior mode",
    "nuts": "the No-U-Turn sampler",
    "advi": "variational inference, corrected by importance sampling",
}
LARGEST_R_HAT = 1.01
LEAST_BULK_ESS = 400.0
LEAST_EFFECTIVE = 50.0


@dataclass(frozen=True)
class Diagnostics:
    """What tells whether draws are those of the posterior; NaN where the method has no such figure.

    Parameters
    ----------
    method : {"laplace", "nuts", "advi"}
    pareto_k : float
        Of the importance weights that correct an approximation.
    effective : float
        How many equally weighted draws the weighted ones are worth.
    r_hat : float
        The largest of all parameters.
    bulk_ess : float
        The smallest of all parameters.
    divergences : int
    """

    method: Method
    pareto_k: float = np.nan
    effective: float = np.nan
    r_hat: float = np.nan
    bulk_ess: float = np.nan
    divergences: int = 0

    def sentence(self) -> str:
        """Return the method and its figures.

        Examples
        --------
        >>> Diagnostics("laplace", pareto_k=0.35, effective=474.0).sentence()
        'importance sampling around the posterior mode (laplace): Pareto k 0.35, weighted draws worth 474'
        """
        figures = {
            "Pareto k": f"{self.pareto_k:.2f}",
            "weighted draws worth": f"{self.effective:.0f}",
            "R-hat": f"{self.r_hat:.3f}",
            "bulk ESS": f"{self.bulk_ess:.0f}",
            "divergences": str(self.divergences) if self.method == "nuts" else "nan",
        }
        told = ", ".join(f"{name} {figure}" for name, figure in figures.items() if figure != "nan")
        return f"{METHODS[self.method]} ({self.method}): {told}"

    def remarks(self) -> tuple[str, ...]:
        """Return why the draws are unreliable, in plain words; empty if they are not.

        Examples
        --------
        >>> Diagnostics("nuts", r_hat=1.003, bulk_ess=900.0).remarks()
        ()
        >>> Diagnostics("nuts", r_hat=1.2, bulk_ess=900.0).remarks()
        ('unreliable (nuts): the chains do not agree, R-hat 1.2 is above 1.01',)
        """
        faults = []
        if self.pareto_k > LARGEST_K:
            faults.append(
                f"a few draws carry the importance weights, Pareto k {self.pareto_k:.2f} is above {LARGEST_K}"
            )
        if self.effective < LEAST_EFFECTIVE:
            faults.append(f"the weighted draws are worth {self.effective:.0f}, fewer than {LEAST_EFFECTIVE:.0f}")
        if self.r_hat > LARGEST_R_HAT:
            faults.append(f"the chains do not agree, R-hat {self.r_hat:.3g} is above {LARGEST_R_HAT}")
        if self.bulk_ess < LEAST_BULK_ESS:
            faults.append(f"the chains mix slowly, bulk ESS {self.bulk_ess:.0f} is below {LEAST_BULK_ESS:.0f}")
        if self.divergences:
            faults.append(f"{self.divergences} divergent transitions")
        return tuple(f"unreliable ({self.method}): {fault}" for fault in faults)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws of the parameters.

    Parameters
    ----------
    layout : Layout
    theta : ndarray, shape (draws, parameters)
        On the scale of the priors.
    weights : ndarray, shape (draws,)
        They sum to 1.
    mode : ndarray, shape (parameters,)
        Standardised; where the next fit starts.
    diagnostics : Diagnostics
    remarks : tuple of str
    chains : ndarray, shape (chains, draws, parameters), optional
        All draws of a sampler, in their order.
    """

    layout: Layout
    theta: Floats
    weights: Floats
    mode: Floats
    diagnostics: Diagnostics
    remarks: tuple[str, ...] = ()
    chains: Floats | None = None

    def kept(self, draws: int, rng: np.random.Generator) -> Posterior:
        """Return at most so many draws in proportion to the weights, each once, with the weight of its repeats."""
        at = systematic(self.weights, draws, rng)
        chosen, repeats = np.unique(at, return_counts=True)
        return replace(self, theta=self.theta[chosen], weights=repeats / draws)


def systematic(weights: Floats, draws: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw positions in proportion to weights: each gets its share of the draws but for one; in ascending order."""
    position = (np.arange(draws) + rng.random()) / draws
    return np.minimum(np.searchsorted(np.cumsum(weights), position), len(weights) - 1)


def by_laplace(density: Density, draws: int, rng: np.random.Generator, start: Floats | None = None) -> Posterior:
    """Return draws from importance sampling around the posterior mode.

    Parameters
    ----------
    density : Density
    draws : int
        Proposals.
    rng : Generator
    start : ndarray, shape (parameters,), optional
        Standardised parameters at which the search for the mode starts.
    """
    centred = Centred(density)
    mode = find_mode(centred, rng, None if start is None else centred.of(start))
    sample = importance_sample(centred, mode, draws, rng)
    found = Diagnostics("laplace", pareto_k=sample.k, effective=effective_draws(sample.weights))
    remarks = found.remarks()
    if not mode.converged:
        remarks = ("the search for the posterior mode did not converge; draws were weighted nevertheless", *remarks)
    theta = density.layout.natural(centred.standardised(sample.z))
    return Posterior(density.layout, theta, sample.weights, centred.standardised(mode.z), found, remarks)
