"""Which past weeks an INGARCH model looks at, through which link, and where its coefficients may lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forecast.errors import InputError

Floats = NDArray[np.float64]
Link = Literal["identity", "log"]

LONGEST_LAG = 520
INSIDE = 1e-6
"""How far coefficients stay from the limits of their region, as in tscount (`epsilon` and `slackvar`)."""


@dataclass(frozen=True)
class Order:
    r"""Lags and link.

    With scale :math:`s_t`, covariates :math:`x_t` and the transform :math:`g(u) = u` (identity link) or
    :math:`g(u) = \log(1 + u)` (log link), the mean of the count of week t is

    .. math::
        \mu_t = s_t \, \nu_t \;\text{ or }\; s_t e^{\nu_t}, \qquad
        \nu_t = \beta_0 + \sum_k \beta_k \, g(y_{t - i_k} / s_{t - i_k}) + \sum_l \alpha_l \nu_{t - j_l} + \eta' x_t .

    With a scale of 1 these are the two models of tscount.

    Parameters
    ----------
    past_obs : tuple of int
        The lags :math:`i_k`.
    past_mean : tuple of int
        The lags :math:`j_l`.
    link : {"identity", "log"}

    References
    ----------
    Ferland, Latour & Oraichi (2006), doi:10.1111/j.1467-9892.2006.00496.x; Fokianos & Tjostheim (2011),
    doi:10.1016/j.jmva.2010.11.002; Liboschik, Fokianos & Fried (2017), doi:10.18637/jss.v082.i05.

    Examples
    --------
    >>> Order((1,), (13,)).names()
    ['past_obs_1', 'past_mean_13']
    """

    past_obs: tuple[int, ...] = (1,)
    past_mean: tuple[int, ...] = (1,)
    link: Link = "identity"

    def __post_init__(self) -> None:
        for label, lags in (("past_obs", self.past_obs), ("past_mean", self.past_mean)):
            if len(set(lags)) < len(lags) or not all(1 <= lag <= LONGEST_LAG for lag in lags):
                raise InputError(f"{label} {list(lags)}", expected=f"different weeks from 1 to {LONGEST_LAG}")
        if self.link not in ("identity", "log"):
            raise InputError(f"link {self.link!r}", expected="identity or log")

    @property
    def lags(self) -> int:
        """How many past weeks the model looks at, of counts and of means together."""
        return len(self.past_obs) + len(self.past_mean)

    @property
    def longest(self) -> int:
        """The longest lag."""
        return max((*self.past_obs, *self.past_mean), default=0)

    def names(self) -> list[str]:
        """Return the names of the coefficients of the past, counts first."""
        return [f"past_obs_{lag}" for lag in self.past_obs] + [f"past_mean_{lag}" for lag in self.past_mean]

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
        """Return lags of counts, lags of means, and whether the link is the logarithm; for kernels."""
        return np.array(self.past_obs, np.int64), np.array(self.past_mean, np.int64), self.link == "log"

    def transform(self, counts: Floats) -> Floats:
        """Return g of counts free of scale."""
        return np.log1p(counts) if self.link == "log" else counts


def check_covariates(covariates: Floats | None, weeks: int, order: Order) -> Floats:
    """Return covariates of shape (weeks, columns), or none.

    Raises
    ------
    InputError
        If the shape is wrong, a value is not finite, or one is negative under the identity link, where a positive
        mean could not be guaranteed.
    """
    if covariates is None:
        return np.zeros((weeks, 0))
    found = np.asarray(covariates, np.float64)
    found = found[:, None] if found.ndim == 1 else found
    if found.ndim != 2 or len(found) != weeks:
        raise InputError(f"covariates of shape {found.shape}", expected=f"({weeks}, columns)")
    if not np.isfinite(found).all():
        raise InputError("a covariate is not a number everywhere")
    if order.link == "identity" and (found < 0).any():
        raise InputError(
            "a covariate is negative", expected=">= 0 with the identity link", hint="the log link, or another origin"
        )
    return found


def check_stationary(order: Order, past: Sequence[float] | Floats) -> None:
    """Refuse coefficients of the past outside of the stationary region.

    Parameters
    ----------
    order : Order
    past : sequence of float, shape (lags,)
        As `Order.names` orders them.

    Raises
    ------
    InputError
        Identity link: if one is negative or they sum to 1 or more. Log link: if one, or their sum, is 1 or more in
        size.

    Examples
    --------
    >>> check_stationary(Order((1,), (1,)), [0.6, 0.5])
    Traceback (most recent call last):
    ...
    forecast.errors.InputError: coefficients of the past sum to 1.1
      expected: a sum below 1
    """
    values = np.asarray(past, np.float64)
    if len(values) != order.lags:
        raise InputError(f"{len(values)} coefficients of the past", expected=str(order.lags))
    total = float(values.sum())
    if order.link == "identity" and (values < 0).any():
        raise InputError(f"coefficient of the past {values.min():g}", expected=">= 0 with the identity link")
    if order.link == "log" and (np.abs(values) >= 1).any():
        raise InputError(f"coefficient of the past {values[np.abs(values).argmax()]:g}", expected="between -1 and 1")
    if abs(total) >= 1:
        raise InputError(f"coefficients of the past sum to {total:g}", expected="a sum below 1")
