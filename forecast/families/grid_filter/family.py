"""Dynamic negative binomial by exact filtering, averaged over how rates move and how counts scatter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Annotated, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from forecast.families.grid_filter.change import change_since
from forecast.families.grid_filter.filtering import Belief, Chain
from forecast.families.grid_filter.prediction import marginals, paths
from forecast.families.protocol import Family, Fitted
from forecast.families.recent import require_observed, steadier_remark
from forecast.families.season import LEAST_WEEKS, Season
from forecast.panel.panel import Panel
from forecast.predictive.forecast import Forecast

Floats = NDArray[np.float64]
Chance = Annotated[float, Field(ge=0, le=0.3)]
Scale = Annotated[float, Field(gt=0, le=5)]


class GridFilter(Family):
    r"""Latent log rate of each unit on a grid, filtered exactly; counts scatter around it as a negative binomial.

    From week to week the log rate :math:`x` of a unit takes a small step (a random walk of scale :math:`\sigma`); with
    probability :math:`j` it jumps, and with probability :math:`r` it starts anew: around the unit's own level of the
    last two years, itself drawn to its country's, or around that of the adjacent units in the last months. Jump and
    reset leave the expected rate as it is (or at that level), so that what is unsure is wide
    without being high. With the season's factor :math:`s` the count of a week is

    .. math:: y \sim NB(m, k),\quad m = s e^x,\quad 1/k = 1/\phi + c/m .

    On a grid of 64 rates or more the forward recursion (predict, multiply by the likelihood, normalise) is exact, and
    so are the forecasts: the state is pushed through the transition week by week. The settings
    :math:`(\sigma, j, r, \phi, c)` are not chosen but averaged, with weights by their past one-step predictive
    likelihood over all units, discounted and tempered.

    Parameters
    ----------
    walks : tuple of float
        :math:`\sigma`, standard deviation of the log rate's weekly step.
    jumps : tuple of float
        :math:`j`.
    resets : tuple of float
        :math:`r`.
    shapes : tuple of float
        :math:`\phi`; smaller is wider at high rates.
    excesses : tuple of float
        :math:`c`; a variance above the mean by this share at all rates.
    jump_scale, reset_scale : float
        Standard deviation of the log rate's jump, and around the level after a reset.
    spread : float
        Share of the resets that lead to the recent level of the adjacent units in place of the unit's own.
    half_life_weeks : float
        Of the likelihood in the weights.
    temper : float
        Exponent of the likelihood in the weights; below 1 it keeps more of the combinations, as the one-step likelihood
        overstates what is known of the settings.
    season : bool
        Whether the rates have an annual season (`forecast.families.season`).
    season_half_life_weeks : float
        Of the season's likelihood.

    References
    ----------
    Kitagawa (1987), doi:10.1080/01621459.1987.10478534. Averaging over settings: Raftery, Karny & Ettler (2010),
    doi:10.1198/TECH.2009.08104.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2020-01-04", periods=60, freq="7D", unit="s")
    >>> rng = np.random.default_rng(1)
    >>> panel = Panel.of(rng.poisson([0.2, 2.0], (60, 2)), weeks, Units.of(["A", "B"]))
    >>> fitted = GridFilter().fit(panel, rng)
    >>> fitted.predict(horizon=4, draws=1000, rng=rng).mean()[0].round()
    array([0., 2.])
    """

    family: ClassVar[str] = "grid_filter"

    walks: tuple[Scale, ...] = (0.05, 0.1)
    jumps: tuple[Chance, ...] = (0.02, 0.05)
    resets: tuple[Chance, ...] = (0.01, 0.05)
    shapes: tuple[Annotated[float, Field(gt=0)], ...] = (1.0, 4.0)
    excesses: tuple[Annotated[float, Field(ge=0)], ...] = (0.25, 0.5)
    jump_scale: Scale = 0.7
    reset_scale: Scale = 1.0
    spread: Annotated[float, Field(ge=0, le=1)] = 0.25
    half_life_weeks: Annotated[float, Field(gt=0)] = 156
    temper: Annotated[float, Field(gt=0, le=1)] = 0.3
    season: bool = True
    season_half_life_weeks: Annotated[float, Field(gt=0)] = 520

    def moves(self) -> Floats:
        """Return the ways in which rates move, shape (moves, 3): walk, jump, reset."""
        return np.array(list(product(self.walks, self.jumps, self.resets)))

    def scatters(self) -> Floats:
        """Return the ways in which counts scatter, shape (scatters, 2): shape, excess."""
        return np.array(list(product(self.shapes, self.excesses)))

    def chain(self, panel: Panel) -> Chain:
        """Return what moves the rates of a panel, on a grid that reaches above its counts."""
        return Chain.of(panel, self.moves(), self.scatters(), self.jump_scale, self.reset_scale, self.spread)

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedGridFilter:
        """Estimate the season, filter the panel, and weigh the settings; `rng` is not used.

        Raises
        ------
        InputError
            If no week of any unit is observed.
        """
        require_observed(panel)
        season = Season.estimate(panel, half_life_weeks=self.season_half_life_weeks) if self.season else Season.none()
        chain = self.chain(panel)
        belief, score = Belief.start(chain, len(panel.units)).follow(
            chain, panel, season.factors(panel.weeks, panel.units)
        )
        forgetting = 0.5 ** (np.arange(len(panel.weeks))[::-1] / self.half_life_weeks)
        evidence = np.tensordot(forgetting, score, 1)
        weights = np.exp(self.temper * (evidence - evidence.max()))
        return FittedGridFilter(panel, self, season, weights / weights.sum(), chain, belief, self._remarks(panel))

    def _remarks(self, panel: Panel) -> tuple[str, ...]:
        """Return what the panel could not carry."""
        out = []
        if not panel.counts.any(where=panel.observed):
            out.append("there is no event in the panel: the rates are those of the prior, drawn down by the silence")
        if self.season and len(panel.weeks) < LEAST_WEEKS:
            out.append(f"no season: {len(panel.weeks)} weeks are known, and a season takes {LEAST_WEEKS}")
        return (*out, *steadier_remark(panel, 1 / max(self.shapes)))


@dataclass(frozen=True, eq=False)
class FittedGridFilter(Fitted):
    """Season and weights of the settings, and what the weeks of the panel say of the rates.

    Parameters
    ----------
    panel : Panel
    family : GridFilter
    season : Season
    weights : ndarray, shape (moves, scatters)
        They sum to 1.
    chain : Chain
    belief : Belief
        After the last week of the panel; always what filtering the panel from its start gives.
    remarks : tuple of str
    """

    panel: Panel
    family: GridFilter
    season: Season
    weights: Floats
    chain: Chain
    belief: Belief
    remarks: tuple[str, ...] = ()

    def update(self, panel: Panel) -> Self:
        """Return the same season and weights with the rates that `panel` leaves.

        Where it only adds weeks to the panel so far, only these are filtered; the result is the same.
        """
        require_observed(panel)
        chain, known = self.family.chain(panel), len(self.panel.weeks)
        if panel.continues(self.panel) and len(chain.points) == len(self.chain.points):
            before, first = self.belief, known
        else:
            before, first = Belief.start(chain, len(panel.units)), 0
        belief, _ = before.follow(chain, panel, self.season.factors(panel.weeks, panel.units), first)
        return replace(self, panel=panel, chain=chain, belief=belief)

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Push the state forward for the marginals, and draw paths of the chain."""
        weeks = self.target_weeks(horizon)
        reset = self.chain.reset_rows(self.belief)
        factors = self.season.factors(weeks, self.panel.units)
        return Forecast(
            paths(self.chain, self.belief, self.weights, reset, factors, draws, rng),
            marginals(self.chain, self.belief, self.weights, reset, factors),
            weeks,
            self.panel.units,
        )

    def summary(self) -> pd.DataFrame:
        """Return mean and standard deviation of each setting under the weights."""
        moves, scatters = self.family.moves(), self.family.scatters()
        share, other = self.weights.sum(axis=1), self.weights.sum(axis=0)
        mean = np.concatenate([share @ moves, other @ scatters])
        square = np.concatenate([share @ (moves - mean[:3]) ** 2, other @ (scatters - mean[3:]) ** 2])
        names = pd.Index(["walk", "jump", "reset", "shape", "excess"], name="parameter")
        return pd.DataFrame({"estimate": mean, "std_error": np.sqrt(square)}, index=names)

    def rate_distribution(self) -> pd.DataFrame:
        """Return what is believed of the current rates.

        Returns
        -------
        DataFrame
            Index ``unit``, columns ``rate`` (events in the last week, the season taken out); each row sums to 1.
        """
        share = np.einsum("dz,dzuk->uk", self.weights, self.belief.states)
        rates = pd.Index(np.exp(self.chain.points), name="rate")
        return pd.DataFrame(share, index=pd.Index(self.panel.units.names, name="unit"), columns=rates)

    def recent_change(self, weeks: int = 4, factor: float = 2.0) -> pd.DataFrame:
        """Return how probable it is, given all counts, that the rates have changed over the last weeks.

        Parameters
        ----------
        weeks : int
            Fewer than the panel has.
        factor : float
            Above 1.

        Returns
        -------
        DataFrame
            Index ``unit``; columns ``jump`` (there was a jump or a reset in these weeks), ``risen`` (the rate is now at
            least `factor` times what it was before them), ``fallen`` (at most one in `factor`).

        Raises
        ------
        InputError
            If weeks or factor are out of range.
        """
        factors = self.season.factors(self.panel.weeks, self.panel.units)
        found = change_since(self.chain, self.panel, factors, self.weights, weeks, factor)
        return pd.DataFrame(
            found, index=pd.Index(self.panel.units.names, name="unit"), columns=["jump", "risen", "fallen"]
        )
