"""A fitted Bayesian model: draws of the parameters, and the levels that a panel leaves for each of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.families.bayes.density import Density
from forecast.families.bayes.layout import Layout
from forecast.families.bayes.optional import imported
from forecast.families.bayes.pareto import LARGEST_K, smoothed_weights
from forecast.families.bayes.paths import paths_after
from forecast.families.bayes.posterior import Posterior, by_laplace, systematic
from forecast.families.bayes.readable import readable
from forecast.families.bayes.state import State
from forecast.families.parameters import parameter_table
from forecast.families.protocol import Fitted
from forecast.families.recent import require_observed
from forecast.panel.panel import Panel
from forecast.predictive.forecast import Forecast

Floats = NDArray[np.float64]

LARGEST_MULTIPLE = 10.0
"""No mean of a path exceeds the panel's largest weekly count, and one event more, so many times."""


class Settings(Protocol):
    """What a fitted model needs of its family."""

    family: ClassVar[str]

    @property
    def draws(self) -> int:
        """Draws of the parameters that are kept."""

    @property
    def proposals(self) -> int:
        """Draws from which importance sampling chooses."""

    def layout(self, panel: Panel) -> Layout:
        """Return the parameters for the countries of a panel."""

    def density(self, panel: Panel) -> Density:
        """Return the posterior of the parameters given a panel."""


@dataclass(frozen=True, eq=False)
class FittedBayes(Fitted):
    """Draws of the posterior and the state that a panel leaves them in.

    Parameters
    ----------
    panel : Panel
    family : Settings
        The family itself.
    base : Posterior
        As the fit left it.
    fit_panel : Panel
        On which `base` was drawn.
    seed : int
        Of a new run where an update cannot be had from `base`.
    posterior : Posterior
        What forecasts come from: `base`, or a new run on `panel`.
    weights : ndarray, shape (draws,)
        Of the draws of `posterior`, given the weeks since the fit; they sum to 1.
    update_k : float
        Shape of the tail of these weights; above 0.7 there is a new run.
    known : State, optional
        After the last week of the panel; made when it is needed if not given.
    reference : ndarray, shape (draws,), optional
        Log likelihood of each draw at the end of the weeks of the fit.
    remarks : tuple of str
    """

    panel: Panel
    family: Settings
    base: Posterior
    fit_panel: Panel
    seed: int
    posterior: Posterior
    weights: Floats
    update_k: float = 0.0
    known: State | None = None
    reference: Floats | None = None
    remarks: tuple[str, ...] = ()

    @cached_property
    def density(self) -> Density:
        """Likelihood of the panel."""
        return self.family.density(self.panel)

    @cached_property
    def theta(self) -> Floats:
        """Draws of the parameters for the countries of the panel, shape (draws, parameters)."""
        return self.posterior.layout.moved(self.posterior.theta, self.density.layout)

    @cached_property
    def state(self) -> State:
        """Levels after the last week of the panel, for each draw."""
        return self.known if self.known is not None else State.of(self.density, self.theta)

    @cached_property
    def learned(self) -> Panel:
        """Weeks of the panel that the draws have learned from, those of the fit and since; all, if of other units."""
        if self.panel.units.names != self.fit_panel.units.names:
            return self.panel
        first = max(int(self.panel.weeks.searchsorted(self.fit_panel.weeks[0])), 0)
        return self.panel.weeks_between(first, len(self.panel.weeks)) if first else self.panel

    @property
    def reliable(self) -> bool:
        """Whether the diagnostics of the draws are all within their bounds."""
        return not self.posterior.diagnostics.remarks()

    @property
    def fitted_by(self) -> str:
        """Method of the draws that forecasts come from, with its diagnostics."""
        return self.posterior.diagnostics.sentence()

    def update(self, panel: Panel) -> Self:
        """Return the levels that `panel` leaves, the draws re-weighted by the weeks since the fit.

        The weight of a draw is multiplied by its probability of these weeks. Where a few draws would carry the weights
        (Pareto k above 0.7), the parameters are drawn anew on the longer panel, by the method "laplace". A panel of
        other units, or without later weeks, leaves the weights as they were after the fit. The result is the same
        whatever updates came between.
        """
        require_observed(panel)
        density = self.family.density(panel)
        theta = self.base.layout.moved(self.base.theta, density.layout)
        own = self.posterior is self.base and panel.continues(self.panel)
        known = self.state.followed(density, theta) if own else None
        if not self._adds_to_the_fit(panel):
            return self._with(panel, self.base, self.base.weights, 0.0, known, None)
        reference = self.reference if own else None
        if own and self.panel.origin == self.fit_panel.origin:
            reference = self.state.evidence
        if reference is None:
            reference, known = self._at_the_end_of_the_fit(panel, density, theta)
        assert known is not None
        ratio = known.evidence - reference
        weights, k = smoothed_weights(np.log(self.base.weights) + ratio)
        _, k = smoothed_weights(ratio)
        if k <= LARGEST_K:
            return self._with(panel, self.base, weights, k, known, reference)
        first = max(int(panel.weeks.searchsorted(self.fit_panel.weeks[0])), 0)
        rng = np.random.default_rng(self.seed)
        fresh = by_laplace(
            self.family.density(panel.weeks_between(first, len(panel.weeks))),
            self.family.proposals,
            rng,
            self.base.mode,
        ).kept(self.family.draws, rng)
        return self._with(panel, fresh, fresh.weights, k, None, None)

    def _adds_to_the_fit(self, panel: Panel) -> bool:
        """Return whether a panel has the units of the fit and weeks after it."""
        fit = self.fit_panel
        return panel.units.names == fit.units.names and panel.weeks[0] < fit.origin < panel.origin

    def _at_the_end_of_the_fit(self, panel: Panel, density: Density, theta: Floats) -> tuple[Floats, State]:
        """Filter a panel up to the weeks of the fit, then on; return the log likelihood there, and the last state."""
        earlier = State.of(self.family.density(panel.until(self.fit_panel.origin)), theta)
        return earlier.evidence, earlier.followed(density, theta)

    def _with(
        self,
        panel: Panel,
        posterior: Posterior,
        weights: Floats,
        k: float,
        known: State | None,
        reference: Floats | None,
    ) -> Self:
        return replace(
            self, panel=panel, posterior=posterior, weights=weights, update_k=k, known=known, reference=reference,
            remarks=posterior.remarks if posterior is not self.base else self.base.remarks,
        )  # fmt: skip

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Simulate paths, each with one draw of the parameters; the marginals average over their conditional means."""
        chosen = rng.permutation(systematic(self.weights, draws, rng))
        points = np.cumsum(self.state.points, axis=2)[chosen]
        share = rng.random((draws, len(self.panel.units), 1)) * points[:, :, -1:]
        level = self.density.chain.grid[(points < share).sum(axis=2)]
        theta, weeks = self.theta[chosen], self.target_weeks(horizon)
        excitation = self.density.excitation
        memory = np.zeros_like(level) if excitation is None else excitation.start(self.theta)[chosen]
        largest = float(self.panel.counts.max(where=self.panel.observed, initial=0))
        found = paths_after(
            self.density, theta, level, memory, weeks, len(self.panel.weeks), rng,
            largest_mean=LARGEST_MULTIPLE * (largest + 1),
        )  # fmt: skip
        return Forecast(found.counts, found.pmf(), weeks, self.panel.units)

    def summary(self) -> pd.DataFrame:
        """Return posterior mean and standard deviation of each parameter."""
        values = readable(self.posterior.layout, self.posterior.theta)
        mean = {name: float(self.weights @ value) for name, value in values.items()}
        spread = {name: float(np.sqrt(self.weights @ (value - mean[name]) ** 2)) for name, value in values.items()}
        return parameter_table(mean, spread)

    def inference_data(self) -> Any:
        """Return the draws as ArviZ InferenceData: the sampler's chains, or one chain of equally weighted draws.

        Raises
        ------
        InputError
            If ArviZ is not installed.
        """
        arviz = imported("arviz", "InferenceData")
        chains = self.posterior.chains
        if chains is None or self.update_k > 0:
            at = systematic(self.weights, self.family.draws, np.random.default_rng(self.seed))
            chains = self.posterior.theta[at][None]
        found = self.posterior.diagnostics
        attributes = {
            "method": found.method, "pareto_k": found.pareto_k, "divergences": found.divergences,
            "model": self.family.family,
        }  # fmt: skip
        return arviz.from_dict(posterior=readable(self.posterior.layout, chains), attrs=attributes)
