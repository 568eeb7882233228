"""Escalations: rules over a path of weekly counts, and how probable a forecast says that they are met."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from forecast.compiled import compiled
from forecast.language import say, say_count
from forecast.panel.panel import Panel
from forecast.predictive.forecast import Forecast

Floats = NDArray[np.float64]


FEWEST_ORIGINS = 13
"""A quarter of weekly origins; a base rate from fewer says nothing."""
ROUNDING = 1e-12
"""Differences of probabilities below this are none."""
_UNREACHED = 2.0**62
"""A level that no sum of counts reaches."""
ENOUGH_ORIGINS = 52
"""A year of weekly origins; a base rate from fewer is told with their number."""


class _Rule(BaseModel):
    """What all rules share: the sum over the next `weeks` weeks is compared with a level known at the origin.

    Parameters
    ----------
    name : str
        Small letters, digits and underscores; it names the columns of tables.
    weeks : int
        Weeks ahead that are added up; at most the horizon of the report and of the backtest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
    weeks: Annotated[int, Field(ge=1, le=52)] = 4

    @property
    def looks_back(self) -> int:
        """Weeks before the origin that the level depends on; 0 if on none."""
        return 0

    def level(self, history: Panel) -> Floats:
        """Return what the sum must reach (a number that counts can equal), shape (units,); NaN if unknown."""
        raise NotImplementedError

    def sentence(self) -> str:
        """Return the rule in plain words."""
        raise NotImplementedError

    def met(self, counts: NDArray[np.integer], level: Floats) -> NDArray[np.bool_]:
        """Tell which paths meet the rule.

        Parameters
        ----------
        counts : ndarray of int, shape (..., horizon, units)
            At least `weeks` weeks from the origin on.
        level : ndarray, shape (units,)
            From `level` at the origin.

        Returns
        -------
        ndarray of bool, shape (..., units)
        """
        total = counts[..., : self.weeks, :].sum(axis=-2)
        return np.asarray(total >= level)


class AnyEvent(_Rule):
    """At least one event in the next `weeks` weeks."""

    rule: Literal["any_event"]

    def level(self, history: Panel) -> Floats:
        """Return one event."""
        return np.ones(len(history.units))

    def sentence(self) -> str:
        """Return the rule in plain words."""
        return say("at least one event within {weeks}", weeks=_weeks(self.weeks))


class AtLeast(_Rule):
    """At least `count` events in the next `weeks` weeks.

    Parameters
    ----------
    count : int
        Events.
    """

    rule: Literal["at_least"]
    count: Annotated[int, Field(ge=1)]

    def level(self, history: Panel) -> Floats:
        """Return `count` events."""
        return np.full(len(history.units), float(self.count))

    def sentence(self) -> str:
        """Return the rule in plain words."""
        return say_count(
            "at least {count} event within {weeks}",
            "at least {count} events within {weeks}",
            self.count,
            count=self.count,
            weeks=_weeks(self.weeks),
        )


class AboveRecent(_Rule):
    """The sum of the next `weeks` weeks lies strictly above a quantile of such sums in the recent past.

    Parameters
    ----------
    quantile : float
        Share of the past sums that must be exceeded.
    window : int
        Weeks before the origin within which they lie.
    """

    rule: Literal["above_recent"]
    quantile: Annotated[float, Field(gt=0, lt=1)] = 0.9
    window: Annotated[int, Field(ge=4, le=520)] = 52

    @property
    def looks_back(self) -> int:
        """Weeks before the origin that the level depends on."""
        return self.window

    def level(self, history: Panel) -> Floats:
        """Return the next whole number above the quantile of the trailing sums."""
        sums = _trailing_sums(history, self.weeks, self.window)
        # Units of which no span is missing are worked on together, to the same bits.
        whole = np.isfinite(sums).all(axis=0)
        found = np.empty(sums.shape[1])
        found[whole] = np.quantile(sums[:, whole], self.quantile, axis=0)
        found[~whole] = _over_known(np.nanquantile, sums[:, ~whole], self.quantile)
        return np.floor(found) + 1

    def sentence(self) -> str:
        """Return the rule in plain words."""
        return say(
            "more events within {weeks} than in {percent} % of the {count}-week spans of its own last {window} weeks",
            weeks=_weeks(self.weeks),
            percent=f"{100 * self.quantile:g}",
            count=self.weeks,
            window=self.window,
        )


class Increase(_Rule):
    """The weekly mean of the next `weeks` weeks is at least `factor` times that of the last `over` weeks.

    With no event in the last `over` weeks one event is enough.

    Parameters
    ----------
    factor : float
        By which the weekly mean grows at least.
    over : int
        Weeks before the origin with which it is compared.
    """

    rule: Literal["increase"]
    factor: Annotated[float, Field(gt=1)] = 2.0
    over: Annotated[int, Field(ge=1, le=520)] = 12

    @property
    def looks_back(self) -> int:
        """Weeks before the origin that the level depends on."""
        return self.over

    def level(self, history: Panel) -> Floats:
        """Return the smallest whole number that is an increase by the factor."""
        recent = _mean_observed(history, self.over)
        return np.maximum(np.ceil(self.factor * self.weeks * recent - 1e-9), 1)

    def sentence(self) -> str:
        """Return the rule in plain words."""
        return say(
            "events within {weeks} at {factor} times the rate of the last {over} weeks or more",
            weeks=_weeks(self.weeks),
            factor=f"{self.factor:g}",
            over=self.over,
        )


class Record(_Rule):
    """The sum of the next `weeks` weeks lies strictly above every such sum of the last `window` weeks.

    Parameters
    ----------
    window : int
        Weeks before the origin.
    """

    rule: Literal["record"]
    window: Annotated[int, Field(ge=4, le=520)] = 52

    @property
    def looks_back(self) -> int:
        """Weeks before the origin that the level depends on."""
        return self.window

    def level(self, history: Panel) -> Floats:
        """Return one more than the highest trailing sum."""
        return _over_known(np.nanmax, _trailing_sums(history, self.weeks, self.window)) + 1

    def sentence(self) -> str:
        """Return the rule in plain words."""
        return say(
            "more events within {weeks} than in any such span of the last {window} weeks",
            weeks=_weeks(self.weeks),
            window=self.window,
        )


Escalation = Annotated[AnyEvent | AtLeast | AboveRecent | Increase | Record, Field(discriminator="rule")]
"""A rule as it stands in ``forecast.toml``; the key ``rule`` says which."""


def probability(rule: Escalation, forecast: Forecast, history: Panel) -> Floats:
    r"""Return the probability that the rule is met in each unit.

    The share of the paths that meet it, steadied by the marginals, which are exact or smoother than paths: with the
    level L, I whether a path meets the rule and C in how many of its weeks it reaches the level in that week alone,

    .. math:: P = \bar I + \beta \Bigl(\sum_h P(Y_h \ge L) - \bar C\Bigr), \qquad
        \beta = \frac{\operatorname{cov}(I, C)}{\operatorname{var}(C)} \in [0, 1]

    (a control variate: Glasserman (2003), doi:10.1007/978-0-387-21617-1, chapter 4). Where no path reaches the level in
    any week :math:`\beta` is 1: of a rare event, which hardly ever comes in two weeks of one path, P is then the sum of
    what the weeks say. It is never less than the largest of them nor, of a single event, more than their sum, hence
    never more than the expected count.

    Parameters
    ----------
    rule : Escalation
    forecast : Forecast
        With a horizon of at least ``rule.weeks``.
    history : Panel
        What was known at the origin; the same units in the same order.

    Returns
    -------
    ndarray, shape (units,)
        NaN where the history does not reach far enough to say what the level is.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> import pandas as pd
    >>> weeks, units = pd.date_range("2026-01-03", periods=6, freq="7D"), Units.of(["Gao"])
    >>> past = Panel.of(np.zeros((4, 1), int), weeks[:4], units)
    >>> quiet = Forecast(np.zeros((100, 2, 1), np.int32), np.full((2, 1, 1), 0.998), weeks[4:], units)
    >>> probability(AnyEvent(name="any", weeks=2, rule="any_event"), quiet, past).round(4)
    array([0.004])
    """
    return probability_of(rule, forecast, rule.level(history))


def probability_of(rule: Escalation, forecast: Forecast, level: Floats) -> Floats:
    """Return what `probability` does, where the caller has the level, shape (units,), already."""
    # Counts are whole: what no path can reach is a level beyond them all.
    least = np.where(np.isfinite(level), np.ceil(np.minimum(level, _UNREACHED)), _UNREACHED).astype(np.int64)
    share, reached, slope = _tallied(np.ascontiguousarray(forecast.paths), rule.weeks, least)
    size = forecast.pmf.shape[2]
    told = np.isfinite(level) & (level >= 1) & (level <= size)
    below = np.where(told, level, 1).astype(np.intp) - 1
    cumulated = np.cumsum(forecast.pmf[: rule.weeks], axis=2)
    weekly = 1 - np.take_along_axis(cumulated, below[None, :, None], axis=2)[:, :, 0]
    # Rounding alone is no reason to change a share.
    gap = weekly.sum(axis=0) - reached
    gap[np.abs(gap) < ROUNDING] = 0.0
    steadied = share + slope * gap
    most = np.where(level == 1, np.minimum(weekly.sum(axis=0), 1.0), 1.0)
    steadied = np.clip(steadied, np.minimum(weekly.max(axis=0), most), most)
    return np.where(np.isfinite(level), np.where(told, steadied, share), np.nan)


@compiled
def _tallied(paths: NDArray[np.int32], weeks: int, level: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Return the share of paths that meet the level, in how many weeks it is reached, and the slope between them.

    All of shape (units,), from one pass over the paths.
    """
    draws, units = len(paths), paths.shape[2]
    met, both, several = np.zeros(units, np.int64), np.zeros(units, np.int64), np.zeros(units, np.int64)
    reached, total = np.zeros((draws, units), np.int64), np.zeros(units, np.int64)
    always = np.full(units, weeks)
    for d in range(draws):
        total[:] = 0
        for h in range(weeks):
            for u in range(units):
                total[u] += paths[d, h, u]
                reached[d, u] += paths[d, h, u] >= level[u]
        for u in range(units):
            meets = total[u] >= level[u]
            met[u] += meets
            both[u] += meets * reached[d, u]
            several[u] += reached[d, u]
            always[u] = min(always[u], reached[d, u])
    share, mean, variance, slope = met / draws, several / draws, np.zeros(units), np.ones(units)
    for d in range(draws):
        for u in range(units):
            variance[u] += (reached[d, u] - mean[u]) ** 2
    for u in range(units):
        if variance[u] > 0.0:
            slope[u] = min(max((both[u] / draws - share[u] * mean[u]) / (variance[u] / draws), 0.0), 1.0)
        elif always[u] > 0:  # then the count of weeks tells nothing
            slope[u] = 0.0
    return share, mean, slope


def base_rate(rule: Escalation, history: Panel, window: int = 104) -> Floats:
    """Return how often the rule was met from the origins of the last `window` weeks, shape (units,).

    Only origins count whose target weeks are over and known, and which know at least half of the weeks that the rule
    looks back: what is usual cannot be told from a few weeks. NaN where fewer than `FEWEST_ORIGINS` are left.
    """
    return base_rate_and_origins(rule, history, window)[0]


def base_rate_and_origins(rule: Escalation, history: Panel, window: int = 104) -> tuple[Floats, NDArray[np.int64]]:
    """Return `base_rate`, and on how many origins it rests, both of shape (units,)."""
    last = len(history.weeks) - rule.weeks
    met = np.zeros(len(history.units))
    origins = np.zeros(len(history.units), dtype=np.int64)
    for stop in range(max(1, last - window + 1), last + 1):
        past = history.weeks_between(max(0, stop - max(rule.looks_back, 1)), stop)
        level, far = rule.level(past), 2 * weeks_known(rule, past) >= rule.looks_back
        known = far & np.isfinite(level) & history.observed[stop : stop + rule.weeks].all(axis=0)
        met += known & rule.met(history.counts[stop : stop + rule.weeks], level)
        origins += known
    enough = origins >= FEWEST_ORIGINS
    return np.divide(met, origins, out=np.full(met.shape, np.nan), where=enough), origins


def weeks_known(rule: Escalation, history: Panel) -> NDArray[np.int64]:
    """Return how many of the weeks that the rule looks back from the end of the history are known, shape (units,)."""
    seen: NDArray[np.int64] = history.observed[max(0, len(history.weeks) - rule.looks_back) :].sum(axis=0)
    return seen


def _weeks(count: int) -> str:
    return say_count("the next week", "the next {weeks} weeks", count, weeks=count)


def _trailing_sums(history: Panel, weeks: int, window: int) -> Floats:
    """Return sums of every `weeks` consecutive weeks within the last `window`, shape (spans, units).

    A span with a missing week is NaN; one row of NaN if no span fits.
    """
    counts = np.where(history.observed, history.counts.astype(np.float64), np.nan)[-window:]
    if counts.shape[0] < weeks:
        return np.full((1, counts.shape[1]), np.nan)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(counts, weeks, axis=0).sum(axis=-1))


def _over_known(statistic: Callable[..., Floats], sums: Floats, *arguments: float) -> Floats:
    """Return a statistic of each column over the spans that are known; NaN where none is."""
    out = np.full(sums.shape[1], np.nan)
    known = np.isfinite(sums).any(axis=0)
    if known.any():
        out[known] = statistic(sums[:, known], *arguments, axis=0)
    return out


def _mean_observed(history: Panel, weeks: int) -> Floats:
    """Mean weekly count over the observed ones of the last `weeks` weeks; NaN where none is."""
    seen = history.observed[-weeks:]
    total, count = (history.counts[-weeks:] * seen).sum(axis=0), seen.sum(axis=0)
    mean: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean
