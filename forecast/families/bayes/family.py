"""What the Bayesian families share: settings, layout of the parameters, the fit by each method."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from forecast.families.bayes.chain import chain_of
from forecast.families.bayes.checks import prior_check
from forecast.families.bayes.density import Density
from forecast.families.bayes.excitation import Excitation
from forecast.families.bayes.fitted import FittedBayes
from forecast.families.bayes.layout import Layout
from forecast.families.bayes.posterior import Method, Posterior, by_laplace
from forecast.families.bayes.priors import Prior, Priors
from forecast.families.protocol import Family, Fitted
from forecast.families.recent import require_observed
from forecast.panel.panel import Panel

STANDARD = Prior(mean=0.0, sd=1.0)
CHECKED_PANELS = 200
"""Simulated from the priors, for the report."""


class BayesFamily(Family):
    """Settings of all Bayesian families.

    Parameters
    ----------
    method : {"laplace", "nuts", "advi"}
        Importance sampling around the posterior mode; the No-U-Turn sampler of nutpie on a PyMC model; full-rank
        variational inference of PyMC, corrected by importance weights.
    draws : int
        Draws of the parameters that are kept for forecasts.
    proposals : int
        Draws from which importance sampling chooses.
    chains, tune, samples : int
        Of the sampler: chains, and draws of each before and after they count.
    points : int
        Points of the grid of levels.
    block_weeks : int
        Weeks between moves of the level.
    season : bool
        Whether log rates have an annual sine and cosine, by country.
    zeros : {"plain", "inflated"}
        Whether there are more weeks without events than the negative binomial has.
    """

    method: Method = "laplace"
    draws: Annotated[int, Field(ge=50, le=10_000)] = 200
    proposals: Annotated[int, Field(ge=150, le=100_000)] = 600
    chains: Annotated[int, Field(ge=2, le=16)] = 4
    tune: Annotated[int, Field(ge=50, le=10_000)] = 150
    samples: Annotated[int, Field(ge=50, le=100_000)] = 500
    points: Annotated[int, Field(ge=24, le=400)] = 48
    block_weeks: Annotated[int, Field(ge=1, le=26)] = 4
    season: bool = True
    zeros: Literal["plain", "inflated"] = "plain"

    def shared_priors(self) -> Priors:
        """Return the priors of what all families have."""
        raise NotImplementedError

    def own_priors(self) -> list[tuple[str, Prior]]:
        """Return name and prior of the parameters of the excitation."""
        return []

    def own_country_priors(self) -> list[tuple[str, Prior]]:
        """Return name and prior of how these differ by country."""
        return []

    def excitation(self, panel: Panel, layout: Layout) -> Excitation | None:
        """Return what past counts add to the mean; None for nothing."""
        del panel, layout
        return None

    def layout(self, panel: Panel) -> Layout:
        """Return the parameters for the countries of a panel."""
        priors = self.shared_priors()
        countries = sorted(set(panel.units.groups))
        shared = [("level", priors.level)]
        if len(countries) > 1:
            shared.append(("country_spread", priors.country_spread))
        shared += [("spread", priors.spread), ("half_life", priors.half_life), ("size", priors.size)]
        by_country = [("level", STANDARD)]
        if self.season:
            shared += [("season_sin", priors.season), ("season_cos", priors.season)]
            by_country += [("season_sin", priors.country_season), ("season_cos", priors.country_season)]
        if self.zeros == "inflated":
            shared.append(("zeros", priors.zeros))
        return Layout.of([*shared, *self.own_priors()], [*by_country, *self.own_country_priors()], countries)

    def density(self, panel: Panel) -> Density:
        """Return the posterior of the parameters given a panel."""
        layout = self.layout(panel)
        return Density(
            panel, layout, chain_of(self.points), self.block_weeks, self.zeros == "inflated",
            self.excitation(panel, layout),
        )  # fmt: skip

    def prior_check(self, panel: Panel, rng: np.random.Generator) -> pd.DataFrame:
        """Compare a panel with panels simulated from the priors alone."""
        return prior_check(self, panel, CHECKED_PANELS, rng)

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedBayes:
        """Draw from the posterior.

        Raises
        ------
        InputError
            If no week of any unit is observed, or the method needs a package that is not installed.
        """
        return self._fit(panel, rng, None)

    def refit(self, panel: Panel, rng: np.random.Generator, start: Fitted) -> FittedBayes:
        """Draw from the posterior; the search for its mode starts at that of `start`."""
        before = start if isinstance(start, FittedBayes) else None
        return self._fit(panel, rng, None if before is None else before.base)

    def _fit(self, panel: Panel, rng: np.random.Generator, before: Posterior | None) -> FittedBayes:
        require_observed(panel)
        density = self.density(panel)
        start = None
        if before is not None:
            moved = before.layout.moved(before.layout.natural(before.mode), density.layout)
            start = density.layout.standardised(moved)
        if self.method == "laplace":
            found = by_laplace(density, self.proposals, rng, start)
        else:
            from forecast.families.bayes.sampling import by_advi, by_nuts  # noqa: PLC0415 - needs PyMC

            if self.method == "nuts":
                found = by_nuts(density, rng, start, chains=self.chains, tune=self.tune, samples=self.samples)
            else:
                found = by_advi(density, self.proposals, rng, start)
        base = found.kept(self.draws, rng)
        seed = int(rng.integers(2**63))
        return FittedBayes(panel, self, base, panel, seed, base, base.weights, remarks=base.remarks)
