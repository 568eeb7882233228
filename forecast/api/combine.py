"""One forecast from several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from forecast.api.forecast import Forecast
from forecast.combination.dependence import pooled_paths, with_marginals
from forecast.combination.pool import marginals
from forecast.combination.pools import linear_pool, quantile_pool
from forecast.errors import InputError
from forecast.predictive import forecast as core
from forecast.provenance import generator

Kind = Literal["linear", "quantile", "median"]


def combine(
    forecasts: Sequence[core.Forecast],
    *,
    weights: Sequence[float] | None = None,
    kind: Kind = "linear",
    name: str = "combined",
    seed: int = 1,
) -> Forecast:
    """Pool forecasts of the same weeks and units.

    Parameters
    ----------
    forecasts : sequence of Forecast
        Two or more, of the same weeks and units.
    weights : sequence of float, optional
        Non-negative, summing to 1; equal if not given. Equal ones are hard to beat.
    kind : {"linear", "quantile", "median"}
        Mixture of the distributions; mean or median of their quantiles.
    name : str, default "combined"
    seed : int, default 1
        Of which paths of each member are taken.

    Returns
    -------
    Forecast
        Whole paths of the members, in shares of their weights, so that the dependence over weeks and units is kept;
        as many as the first has.

    Raises
    ------
    InputError
        If the forecasts differ in weeks or units, there are fewer than two, or the weights are no weights.

    References
    ----------
    Stone (1961), doi:10.1214/aoms/1177704873; Lichtendahl, Grushka-Cockayne & Winkler (2013),
    doi:10.1287/mnsc.1120.1667.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("west-africa-weekly", countries=["Mali"]).until("2019-01-05")
    >>> members = [fc.model(name).fit(panel).predict(4) for name in ("climatology-52", "discount-negbin")]
    >>> pooled = fc.combine(members)
    >>> bool(abs(pooled.mean() - (members[0].mean() + members[1].mean()) / 2).max() < 1e-9)
    True
    """
    if len(forecasts) < 2:
        raise InputError(f"a pool of {len(forecasts)} forecasts", expected="two or more")
    first = forecasts[0]
    for other in forecasts[1:]:
        if not first.weeks.equals(other.weeks) or first.units.names != other.units.names:
            raise InputError(
                f"forecasts of {first.model!r} and {other.model!r} are of other weeks or units",
                expected="the same, in the same order",
                hint="take_units(names), and the same origin and horizon",
            )
    share = np.full(len(forecasts), 1 / len(forecasts)) if weights is None else np.asarray(weights, dtype=np.float64)
    whole = [marginals(each) for each in forecasts]
    longest = max(pmf.shape[2] for pmf in whole)
    pmf = np.stack([np.pad(each, ((0, 0), (0, 0), (0, longest - each.shape[2]))) for each in whole])
    pooled = linear_pool(pmf, share) if kind == "linear" else quantile_pool(pmf, share, middle=kind == "median")
    rng = generator(seed, "combine", name)
    paths = pooled_paths([each.paths for each in forecasts], share, rng)
    if kind != "linear":
        paths = with_marginals(paths, pooled, rng)
    history = next((each.history for each in forecasts if isinstance(each, Forecast)), None)
    return Forecast.of(core.Forecast(paths, pooled, first.weeks, first.units, name), history)
