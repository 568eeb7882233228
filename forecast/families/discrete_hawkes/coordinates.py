"""The parameters: their order, their natural values, what they are before any data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from forecast.families.discrete_hawkes.kernels import (
    KM,
    DelayKind,
    SpreadKind,
    delay_names,
    delay_shares,
    usual_delay,
    usual_spread,
)

Floats = NDArray[np.float64]

USUAL_BRANCHING, USUAL_OWN, USUAL_POOLING, USUAL_PRECISION, USUAL_SIZE = 0.4, 0.8, 0.1, 0.5, 2.0
"""Before any data: events that one triggers in all, the share of them in its own unit, events at the pooled baseline
that count beside a unit's own, precision of the baseline, size of the negative binomial."""
SPREAD_BRANCHING, SPREAD_OTHER = 1.5, 1.0
"""Standard deviations of the normal priors: of the logit of branching and own share, and of the logarithms."""
RIDGE = 0.05
"""Precision of the prior on each log weight of a free delay kernel, beside that on its second differences."""


@dataclass(frozen=True)
class Layout:
    """Which parameters there are.

    Parameters
    ----------
    delay : {"geometric", "negbin", "power", "free"}
    lags : int
    spread : {"exponential", "power", "adjacent", "none"}
        None where no unit has others around it.
    unit : float
        What distances are measured in: `KM`, or 1 for borders that lie between.
    overdispersed : bool
        Whether counts given their rates are negative binomial.
    """

    delay: DelayKind
    lags: int
    spread: SpreadKind
    unit: float
    overdispersed: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters, all on the whole line; first those of the excitation."""
        own = () if self.spread == "none" else ("logit own share",)
        reach = {"exponential": ("log distance",), "power": ("log distance power",)}.get(self.spread, ())
        size = ("log size",) if self.overdispersed else ()
        return ("logit branching", *own, *delay_names(self.delay, self.lags), *reach, *LAST, *size)

    @property
    def excitation(self) -> int:
        """How many of them the excitation depends on."""
        return self.names.index(LAST[0])

    @property
    def delay_at(self) -> slice:
        """Where those of the delay stand."""
        first = 1 if self.spread == "none" else 2
        return slice(first, first + len(delay_names(self.delay, self.lags)))

    def natural(self, parameters: Floats) -> Natural:
        """Return what the parameters stand for."""
        branching = float(expit(parameters[0]))
        share = 1.0 if self.spread == "none" else float(expit(parameters[1]))
        last = self.excitation
        return Natural(
            branching,
            share,
            delay_shares(self.delay, self.lags, parameters[self.delay_at]),
            parameters[self.delay_at.stop : last],
            float(np.exp(parameters[last])),
            float(np.exp(parameters[last + 1])),
            float(np.exp(-parameters[last + 2])) if self.overdispersed else 0.0,
        )

    def prior(self, smoothness: float) -> tuple[Floats, Floats]:
        """Return centre and precision matrix of the normal prior.

        Parameters
        ----------
        smoothness : float
            Precision of the second differences of the log weights of a free delay kernel.
        """
        centre = self.usual()
        precision = np.full(len(centre), SPREAD_OTHER**-2)
        precision[: self.delay_at.start] = SPREAD_BRANCHING**-2
        matrix = np.diag(precision)
        if self.delay == "free":
            second = np.diff(np.eye(self.lags), 2, axis=0)[:, 1:]
            count = self.lags - 1
            matrix[self.delay_at, self.delay_at] = smoothness * second.T @ second + RIDGE * np.eye(count)
        return centre, matrix

    def usual(self, branching: float = USUAL_BRANCHING, delay: float | None = None) -> Floats:
        """Return the parameters before any data, or with another branching ratio and delay."""
        own = () if self.spread == "none" else (logit(USUAL_OWN),)
        delays = usual_delay(self.delay, self.lags) if delay is None else usual_delay(self.delay, self.lags, delay)
        last = [np.log(USUAL_POOLING), np.log(USUAL_PRECISION), *([np.log(USUAL_SIZE)] if self.overdispersed else [])]
        return np.array([logit(branching), *own, *delays, *usual_spread(self.spread, self.unit), *last])

    def starts(self) -> list[Floats]:
        """Return where the search begins: usual, fast and weak, slow and strong."""
        return [self.usual(), self.usual(0.15, 0.5), self.usual(0.8, 10.0)]


LAST = ("log pooling", "log precision")
"""The parameters of the baseline."""


@dataclass(frozen=True, eq=False)
class Natural:
    """What the parameters stand for.

    Parameters
    ----------
    branching : float
        Events that one event triggers, in all units together.
    own_share : float
        Of them in its own unit.
    shares : ndarray, shape (lags, 1 + delay parameters)
        Over the lags, with slopes.
    reach : ndarray, shape (0 or 1,)
        Of the distance.
    pooling, precision : float
        Of the baseline.
    noise : float
        1 / size of the negative binomial.
    """

    branching: float
    own_share: float
    shares: Floats
    reach: Floats
    pooling: float
    precision: float
    noise: float

    @property
    def own(self) -> float:
        """Events that one event triggers in its own unit."""
        return self.branching * self.own_share

    @property
    def others(self) -> float:
        """Events that one event triggers in other units together."""
        return self.branching * (1.0 - self.own_share)


def distance_unit(in_km: bool) -> float:
    """Return what distances are measured in."""
    return KM if in_km else 1.0
