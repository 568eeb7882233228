"""The family: settings, fit, forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Annotated, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from forecast.families.dynamic_poisson_gamma.country import CYCLIC, PLAIN, CountrySettings
from forecast.families.dynamic_poisson_gamma.filtering import Filtered, Filters
from forecast.families.dynamic_poisson_gamma.levels import moments
from forecast.families.dynamic_poisson_gamma.paths import draw_paths
from forecast.families.parameters import parameter_table
from forecast.families.protocol import Family, Fitted
from forecast.families.recent import require_observed
from forecast.panel.panel import Panel
from forecast.predictive.forecast import Forecast
from forecast.predictive.negbin import mixture_pmf

Floats = NDArray[np.float64]
Discount = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Exponent = Annotated[float, Field(ge=0, le=2)]

YEAR_WEEKS = 52
BLOCK = 128
"""Units whose distributions are computed at once: their heads are long before they are cut."""


class DynamicPoissonGamma(Family):
    r"""Gamma levels of many units, filtered with forgetting, under many settings that are weighted as they predict.

    A count is Poisson with rate :math:`e_i S_c(t) \lambda_{it}`, with the exposure e of the unit and season and slope S
    of its country. What is known of the level :math:`\lambda` is a gamma distribution whose information fades by a
    discount d each week and is made up by a prior around the unit's base:

    .. math::
        \lambda_{i,t+h} \sim Gamma\Big(d^h a + \alpha,\ d^h b + \alpha / \ell_i\Big), \qquad
        a \leftarrow d a + y, \quad b \leftarrow d b + e S, \qquad
        \ell_i = \frac{D^h A + \beta}{D^h B + \beta / g_i}\ \phi_c^{\kappa}\ \phi_n^{\nu} .

    The base is the unit's slow level (sums A and B with discount D), itself drawn to the level g around the unit (mean
    of adjacent units, country and panel), times the factors :math:`\phi` by which country and adjacent units are now
    above their slow levels. Forecasts so move from the recent level to the base as the horizon grows. The count has
    variance :math:`m + m^2 / (d^h a + \alpha) + c m`; the last part is for events that come together.

    All combinations of :math:`d, \alpha, \beta, (\kappa, \nu), c` and of following season and slope or not are filtered
    side by side. Their weights are proportional to the discounted likelihood of what each predicted one week ahead,
    tempered: that of all units together, to the power of `temper`, times the unit's own, to that of `own_temper`. The
    forecast is their mixture.

    Parameters
    ----------
    discounts : tuple of float
        d; 0.85 remembers about 7 weeks.
    pooling : tuple of float
        :math:`\alpha`, events at the base that are added to the unit's recent ones.
    base_pooling : tuple of float
        :math:`\beta`, events at the level around that are added to the unit's slow ones.
    base_discount, factor_discount : float
        D, and the discount of the recent levels of country and adjacent units.
    factors : tuple of (float, float)
        Exponents :math:`(\kappa, \nu)` of country and adjacent units.
    excesses : tuple of float
        c.
    follow : tuple of bool
        Whether to follow season and slope of the country.
    country : CountrySettings
        How season and slope are filtered.
    half_life_weeks : float
        Of the log likelihoods in the weights.
    temper, own_temper : float
        Exponents of the likelihoods in the weights; the less, the more settings are kept.
    largest_multiple : float
        A mean is at most this multiple of the largest count ever seen (at least 1).

    References
    ----------
    Discounting: Harvey & Fernandes (1989), doi:10.1080/07350015.1989.10509750. Multivariate: Aktekin, Polson & Soyer
    (2018), doi:10.1214/17-BA1054. Factors from an aggregate: Berry & West (2020), doi:10.1080/07350015.2019.1585251.
    Weights: Raftery, Karny & Ettler (2010), doi:10.1198/TECH.2009.08104.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2020-01-04", periods=60, freq="7D", unit="s")
    >>> rng = np.random.default_rng(1)
    >>> panel = Panel.of(rng.poisson([0.2, 2.0], (60, 2)), weeks, Units.of(["A", "B"]))
    >>> fitted = DynamicPoissonGamma().fit(panel, rng)
    >>> fitted.predict(horizon=4, draws=1000, rng=rng).mean()[0].round()
    array([0., 2.])
    """

    family: ClassVar[str] = "dynamic_poisson_gamma"

    discounts: Annotated[tuple[Discount, ...], Field(min_length=1)] = (0.6, 0.85, 0.97)
    pooling: Annotated[tuple[Positive, ...], Field(min_length=1)] = (0.3, 3.0)
    base_pooling: Annotated[tuple[Positive, ...], Field(min_length=1)] = (0.1, 0.4)
    base_discount: Discount = 0.985
    factor_discount: Discount = 0.9
    factors: Annotated[tuple[tuple[Exponent, Exponent], ...], Field(min_length=1)] = ((0.0, 0.0), (0.5, 0.3))
    excesses: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)] = (0.25, 0.7, 2.0)
    follow: Annotated[tuple[bool, ...], Field(min_length=1)] = (False, True)
    country: CountrySettings = CountrySettings()
    half_life_weeks: Positive = 30
    temper: Annotated[float, Field(ge=0, le=1)] = 0.1
    own_temper: Annotated[float, Field(ge=0, le=1)] = 0.2
    largest_multiple: Annotated[float, Field(ge=1, le=100)] = 2.0

    def combinations(self) -> Floats:
        """Return all filters, shape (filters, 6): discount, two poolings, two exponents, whether season is followed."""
        rows = product(self.discounts, self.pooling, self.base_pooling, self.factors, self.follow)
        return np.array([(d, a, b, *exponents, CYCLIC if follow else PLAIN) for d, a, b, exponents, follow in rows])

    def filters(self) -> Filters:
        """Return the filters as the kernels take them."""
        settings = self.combinations()
        settings[:, 0] = [self.discounts.index(discount) for discount in settings[:, 0]]
        return Filters(
            settings,
            np.array([*self.discounts, self.base_discount, self.factor_discount]),
            np.array(self.excesses),
            self.half_life_weeks,
            self.country,
        )

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedDynamicPoissonGamma:
        """Filter the panel and weigh the filters; `rng` is not used.

        Raises
        ------
        InputError
            If no week of any unit is observed.
        """
        require_observed(panel)
        return self._weighed(panel, Filtered.start(self.filters(), panel).follow(self.filters(), panel))

    def refit(self, panel: Panel, rng: np.random.Generator, start: Fitted) -> FittedDynamicPoissonGamma:
        """Weigh the filters anew; where `panel` only adds weeks to that of `start`, only these are filtered."""
        if isinstance(start, FittedDynamicPoissonGamma) and start.family == self:
            return self._weighed(panel, start.update(panel).filtered)
        return self.fit(panel, rng)

    def _weighed(self, panel: Panel, filtered: Filtered) -> FittedDynamicPoissonGamma:
        remarks = []
        if not panel.counts.any(where=panel.observed):
            remarks.append("no event in the history: levels are those of the prior, drawn down by the silence")
        if len(panel.weeks) < 2:
            remarks.append("no weights: a history of one week shows no forecast come true; all settings count the same")
        if any(self.follow) and self.country.harmonics and len(panel.weeks) < YEAR_WEEKS:
            remarks.append(f"hardly a season: {len(panel.weeks)} weeks are known, and a year has {YEAR_WEEKS}")
        return FittedDynamicPoissonGamma(panel, self, panel.units.names, filtered.evidence, filtered, tuple(remarks))


@dataclass(frozen=True, eq=False)
class FittedDynamicPoissonGamma(Fitted):
    """Evidence for each filter at the time of the fit, and the state of the filters after the panel.

    Parameters
    ----------
    panel : Panel
    family : DynamicPoissonGamma
    known : tuple of str
        Units of the fit.
    evidence : ndarray, shape (units of the fit, components)
    filtered : Filtered
        After the last week of the panel; always what filtering the panel from its start gives.
    remarks : tuple of str
    """

    panel: Panel
    family: DynamicPoissonGamma
    known: tuple[str, ...]
    evidence: Floats
    filtered: Filtered
    remarks: tuple[str, ...] = ()

    def update(self, panel: Panel) -> Self:
        """Return the same weights with the levels that `panel` leaves; where it only adds weeks, in time of these."""
        require_observed(panel)
        filters = self.family.filters()
        before = self.filtered if panel.continues(self.panel) else Filtered.start(filters, panel)
        return replace(self, panel=panel, filtered=before.follow(filters, panel))

    def weights(self) -> Floats:
        """Return the weights of the components for each unit of the panel, shape (units, components).

        A unit that was not in the fit has those of all units together.
        """
        return self._weights(self.panel.units.names)

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Return the mixture of the components' negative binomials, and paths that share component and level."""
        filters, filtered = self.family.filters(), self.filtered
        weeks, units = self.target_weeks(horizon), len(self.panel.units)
        scale = filtered.ahead(filters, self.panel, weeks)
        weights = self.weights()
        cumulative = np.cumsum(weights, axis=1)
        cumulative[:, -1] = 1.0
        # Systematic draws: every component gets its share of the paths but for one; then shuffled.
        level = rng.permutation((np.arange(draws) + rng.random()) / draws)
        largest = self.family.largest_multiple * float(self.panel.counts.max(where=self.panel.observed, initial=1))
        paths, heads = np.empty((draws, horizon, units), dtype=np.int32), []
        for first in range(0, units, BLOCK):
            block = slice(first, min(first + BLOCK, units))
            mean, size, shape = np.empty((3, filters.components, horizon, block.stop - first))
            moments(
                scale, first, filtered.sums, filtered.around, filters.settings, filters.speeds, filters.slow_at,
                filters.excesses, largest, mean, size, shape,
            )  # fmt: skip
            heads.append(mixture_pmf(mean, size, np.broadcast_to(weights[block].T[:, None], mean.shape)))
            draw_paths(mean, size, shape, cumulative[block], level, rng, paths[:, :, block])
        longest = max(head.shape[2] for head in heads)
        pmf = np.concatenate([np.pad(head, ((0, 0), (0, 0), (0, longest - head.shape[2]))) for head in heads], axis=1)
        return Forecast(paths, pmf, weeks, self.panel.units)

    def summary(self) -> pd.DataFrame:
        """Return mean and standard deviation of each setting, under the mean weights of the fit's units.

        Settings that are averaged have their spread under the weights in place of a standard error.
        """
        family = self.family
        names = ["discount", "pooling", "base pooling", "country factor", "neighbour factor", "season and slope"]
        rows = [(*one, excess) for one in family.combinations() for excess in family.excesses]
        table = np.array(rows)
        weight = self._weights(self.known).mean(axis=0)
        mean = weight @ table
        spread = np.sqrt(np.maximum(weight @ (table - mean) ** 2, 0.0))
        columns = [*names, "excess"]
        return parameter_table(dict(zip(columns, mean, strict=True)), dict(zip(columns, spread, strict=True)))

    def _weights(self, units: Sequence[str]) -> Floats:
        log_weight = np.tile(self.family.temper * self.evidence.sum(axis=0), (len(units), 1))
        row = {name: at for at, name in enumerate(self.known)}
        for at, name in enumerate(units):
            if name in row:
                log_weight[at] += self.family.own_temper * self.evidence[row[name]]
        weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))
