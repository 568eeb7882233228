"""The pool: several models as one, with equal weights or with those that were best on the panel's own past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from forecast.combination.dependence import pooled_paths, with_marginals
from forecast.combination.evidence import Evidence
from forecast.combination.online import online_weights
from forecast.combination.pools import linear_pool, quantile_pool
from forecast.combination.stacking import crps_stacking, equal_weights, log_stacking
from forecast.config import parse
from forecast.families.parameters import parameter_table
from forecast.families.protocol import Family, Fitted
from forecast.families.registry import family_class
from forecast.panel.panel import Panel
from forecast.predictive.forecast import TAIL, Forecast

Floats = NDArray[np.float64]

TRIAL_DRAWS = 200
"""Paths of the forecasts from which weights are learned; only their marginals count."""
LEAST_TRIALS = 8
"""Origins; with fewer behind them the weights are equal."""


class Member(BaseModel):
    """One model of a pool.

    Parameters
    ----------
    family : str
        A registered family, but no pool.
    settings : dict
        As in a model's own spec.
    name : str
        What it is called in the table of weights; its family if not given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str
    settings: dict[str, Any] = {}
    name: str = ""

    @property
    def title(self) -> str:
        """The name, or else the family."""
        return self.name or self.family

    def build(self) -> Family:
        """Return the family with its settings.

        Raises
        ------
        InputError
            If either is unknown.
        """
        where = f"member {self.title!r} of the pool"
        return parse(family_class(self.family, where=where), self.settings, where=where)


class Pool(Family):
    r"""A mixture of the forecasts of several models, :math:`\sum_m w_m p_m`, or the mean of their quantiles.

    Equal weights are hard to beat: what weights gain on the past they often lose again. Learned ones come from trials
    on the panel itself: the members are fitted `learn_weeks` ago, and forecast from every `learn_every`-th week since;
    what came true by now says which weights would have been best. Nothing but the panel is used.

    Paths are whole paths of the members, each of which gives its share, so that the dependence over weeks and units
    stays; where weights differ by horizon, or quantiles are averaged, their ranks are kept and their counts replaced.

    A member whose fit finds itself unreliable is left out, which is remarked, and the others share its weight.

    Parameters
    ----------
    members : tuple of Member
        Two or more.
    kind : {"linear", "quantile", "median"}
        Mixture; mean of the quantiles, which is narrower; their median.
    weights : {"equal", "log", "crps", "online"}
        Equal; best by log score or CRPS over the trials; or following the trials one by one (CRPS).
    by_horizon : bool
        Learn weights of their own for each week ahead.
    prior : float
        Origins' worth of evidence for equal weights.
    half_life_weeks : float
        Of a trial's weight. Not for online weights, which forget by themselves.
    learn_weeks : int
        Weeks before the end of the panel at which the members are fitted for the trials.
    learn_every : int
        Weeks between trials.
    learn_horizon : int
        Weeks ahead of each trial.

    References
    ----------
    Linear pool: Stone (1961), doi:10.1214/aoms/1177704873. Stacking: Yao et al. (2018), doi:10.1214/17-BA1091. Equal
    weights: Smith & Wallis (2009), doi:10.1111/j.1468-0084.2008.00541.x.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2020-01-04", periods=60, freq="7D", unit="s")
    >>> rng = np.random.default_rng(1)
    >>> panel = Panel.of(rng.poisson([0.2, 2.0], (60, 2)), weeks, Units.of(["A", "B"]))
    >>> pool = Pool(members=[{"family": "discount_negbin"}, {"family": "window_negbin"}])
    >>> pool.fit(panel, rng).predict(horizon=4, draws=1000, rng=rng).mean()[0].round()
    array([0., 2.])
    """

    family: ClassVar[str] = "pool"

    members: Annotated[tuple[Member, ...], Field(min_length=2, max_length=20)] = (
        Member(family="direct_endemic"),
        Member(family="grid_filter"),
    )
    kind: Literal["linear", "quantile", "median"] = "linear"
    weights: Literal["equal", "log", "crps", "online"] = "equal"
    by_horizon: bool = False
    prior: Annotated[float, Field(ge=0)] = 13
    half_life_weeks: Annotated[float, Field(gt=0)] = 104
    learn_weeks: Annotated[int, Field(ge=26, le=520)] = 156
    learn_every: Annotated[int, Field(ge=1, le=26)] = 4
    learn_horizon: Annotated[int, Field(ge=1, le=26)] = 8

    @model_validator(mode="after")
    def _check(self) -> Self:
        titles = [member.title for member in self.members]
        repeated = sorted({title for title in titles if titles.count(title) > 1})
        if repeated:
            raise ValueError(f"two members are called {repeated[0]!r}: give one a name")
        if any(member.family == self.family for member in self.members):
            raise ValueError("a pool cannot be a member of a pool")
        for member in self.members:
            member.build()
        return self

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedPool:
        """Fit the members, and learn the weights from trials on the panel's own past."""
        return self._fitted(panel, rng, [member.build().fit(panel, rng) for member in self.members])

    def refit(self, panel: Panel, rng: np.random.Generator, start: Fitted) -> FittedPool:
        """Fit anew, each member from its earlier fit."""
        if not isinstance(start, FittedPool) or start.family != self:
            return self.fit(panel, rng)
        pairs = zip(self.members, start.members, strict=True)
        return self._fitted(panel, rng, [member.build().refit(panel, rng, before) for member, before in pairs])

    def _fitted(self, panel: Panel, rng: np.random.Generator, members: Sequence[Fitted]) -> FittedPool:
        weights, told = self._learn(panel, rng)
        return FittedPool(panel, self, tuple(members), weights, told, self.remarks_of(members, told))

    def remarks_of(self, members: Sequence[Fitted], told: tuple[str, ...]) -> tuple[str, ...]:
        """Return what the members and the learning of the weights remarked, and which members are left out."""
        pairs = list(zip(self.members, members, strict=True))
        said = [f"{member.title}: {remark}" for member, fitted in pairs for remark in fitted.remarks]
        left_out = [member.title for member, fitted in pairs if not fitted.reliable]
        if left_out and len(left_out) == len(pairs):
            said.append("no member is reliable; all are pooled nevertheless")
        else:
            said += [f"{title} is left out: its fit is unreliable" for title in left_out]
        return (*said, *told)

    def _learn(self, panel: Panel, rng: np.random.Generator) -> tuple[Floats, tuple[str, ...]]:
        """Return weights of shape (learn_horizon, members), and what is to be said of them."""
        equal = np.tile(equal_weights(len(self.members)), (self.learn_horizon, 1))
        if self.weights == "equal":
            return equal, ()
        first = max(len(panel.weeks) - self.learn_weeks, len(panel.weeks) // 2)
        ends = list(range(len(panel.weeks) - 1, first - 1, -self.learn_every))[::-1]
        if len(ends) < LEAST_TRIALS:
            return equal, (f"weights are equal: {len(ends)} trials are fewer than {LEAST_TRIALS}",)
        trials = [self._trial(panel, ends, member, rng) for member in self.members]
        horizons = [slice(h, h + 1) for h in range(self.learn_horizon)] if self.by_horizon else [slice(None)]
        out = equal.copy()
        for span in horizons:
            steps = [_evidence(panel, end, [trial[at][span] for trial in trials], span) for at, end in enumerate(ends)]
            out[span] = self._best(steps, len(panel.weeks) - np.array(ends))
        return out, ()

    def _trial(self, panel: Panel, ends: list[int], member: Member, rng: np.random.Generator) -> list[Floats]:
        """Return the marginals that a member would have forecast, each of shape (horizon, units, k)."""
        fitted = member.build().fit(panel.weeks_between(0, ends[0]), rng)
        out = []
        for end in ends:
            fitted = fitted.update(panel.weeks_between(0, end))
            out.append(marginals(fitted.predict(self.learn_horizon, TRIAL_DRAWS, rng)))
        return out

    def _best(self, steps: list[Evidence], age: NDArray[np.int64]) -> Floats:
        if self.weights == "online":
            return np.asarray(online_weights(steps, share=0.01)[-1])
        every = Evidence.joined(steps)
        if not len(every):
            return equal_weights(len(self.members))
        sizes = np.array([len(step) for step in steps])
        # An origin counts as one, however many units and weeks ahead it has: these depend on each other.
        cases = np.repeat(0.5 ** (age / self.half_life_weeks) / np.maximum(sizes, 1), sizes)
        stacking = log_stacking if self.weights == "log" else crps_stacking
        return stacking(every, cases=cases, prior=self.prior)


@dataclass(frozen=True, eq=False)
class FittedPool(Fitted):
    """Fitted members with their weights.

    Parameters
    ----------
    panel : Panel
    family : Pool
    members : tuple of Fitted
    weight : ndarray, shape (horizon, members)
        As given or learned. Weeks beyond the last row have its weights.
    told : tuple of str
        What is to be said of the weights.
    remarks : tuple of str
    """

    panel: Panel
    family: Pool
    members: tuple[Fitted, ...]
    weight: Floats
    told: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def reliable(self) -> bool:
        """Whether any member is."""
        return any(member.reliable for member in self.members)

    @property
    def shares(self) -> Floats:
        """Weights of the members that are reliable, shape (horizon, members); of all of them where none is."""
        usable = np.array([member.reliable for member in self.members])
        if usable.all() or not usable.any():
            return self.weight
        kept = self.weight * usable
        total = kept.sum(axis=1, keepdims=True)
        # Weights that were all on members now left out are shared equally.
        return np.asarray(np.where(total > 0, kept / np.where(total > 0, total, 1.0), usable / usable.sum()))

    def update(self, panel: Panel) -> Self:
        """Return the same weights with each member in the state that `panel` leaves it in."""
        members = tuple(member.update(panel) for member in self.members)
        return replace(self, panel=panel, members=members, remarks=self.family.remarks_of(members, self.told))

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Pool the members' forecasts."""
        found = [member.predict(horizon, draws, rng) for member in self.members]
        weight = self.shares[np.minimum(np.arange(horizon), len(self.weight) - 1)]
        paths = pooled_paths([each.paths for each in found], weight.mean(axis=0), rng)
        longest = max(each.pmf.shape[2] for each in found)
        pmf = np.stack([np.pad(each.pmf, ((0, 0), (0, 0), (0, longest - each.pmf.shape[2]))) for each in found])
        if self.family.kind == "linear":
            pooled = linear_pool(pmf, np.broadcast_to(weight.T[:, :, None], pmf.shape[:3]))
            changed = bool((np.ptp(weight, axis=0) > 0).any())
        else:
            share = np.broadcast_to(weight.T[:, :, None], pmf.shape[:3])
            pooled, changed = quantile_pool(pmf, share, middle=self.family.kind == "median"), True
        if changed:
            near = np.stack([each.tail() for each in found]).max(axis=0) <= TAIL
            paths = np.where(near, with_marginals(paths, pooled, rng), paths)
        return Forecast(paths, pooled, found[0].weeks, self.panel.units)

    def summary(self) -> pd.DataFrame:
        """Return the weights, over all weeks ahead, and each member's own parameters under its name."""
        titles = [member.title for member in self.family.members]
        weights = {f"weight[{title}]": value for title, value in zip(titles, self.shares.mean(axis=0), strict=True)}
        tables = [parameter_table(weights)]
        for title, member in zip(titles, self.members, strict=True):
            table = member.summary()
            tables.append(table.set_axis(pd.Index([f"{title}.{name}" for name in table.index], name="parameter")))
        return pd.concat(tables)


def marginals(found: Forecast) -> Floats:
    """Return the pmf of a forecast with what its head leaves out spread as its paths are, shape (horizon, units, k)."""
    tail = found.tail()
    if not (tail > TAIL).any():
        return found.pmf
    k = max(found.pmf.shape[2], int(found.paths.max()) + 1)
    out = np.zeros((*found.pmf.shape[:2], k))
    out[:, :, : found.pmf.shape[2]] = found.pmf
    for h, u in np.argwhere(tail > TAIL):
        out[h, u] = np.bincount(found.paths[:, h, u], minlength=k) / found.draws
    return out


def _evidence(panel: Panel, end: int, pmf: list[Floats], span: slice) -> Evidence:
    """Score the members' forecasts of the weeks after `end` that are known by now."""
    horizon = len(pmf[0])
    first = end + (span.start or 0)
    weeks = np.arange(first, min(first + horizon, len(panel.weeks)))
    k = max(each.shape[2] for each in pmf)
    every = np.stack([np.pad(each, ((0, 0), (0, 0), (0, k - each.shape[2]))) for each in pmf])[:, : len(weeks)]
    seen = panel.observed[weeks]
    return Evidence.of(every[:, seen], panel.counts[weeks][seen])
