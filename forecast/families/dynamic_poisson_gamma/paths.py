r"""Paths whose weeks share a component and a level.

A path takes one component: the same level of its cumulative weights for all units and weeks. Given it, the count of
week h is Poisson with rate ``mean_h * G_h / size_h`` and ``G_h = C_h + I_h`` gamma of shape ``size_h``. The part C of
shape ``size_h**2 / shape_h`` is what is not known of the level: from week to week it is thinned by a beta variable or
topped up by a gamma one, as its shape falls or rises, so that rates have covariance
``mean_h mean_k / shape`` as levels have. I is each week's own. Each count has its negative binomial distribution.

Beta-gamma thinning: Lewis, McKenzie & Hugus (1989), doi:10.1080/15326348908807096.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled

Floats = NDArray[np.float64]

SMALL = 1e-4
"""Beta variables whose parameters have a smaller sum are 0 or 1, but for about that share; numba's take long there."""


@compiled
def draw_paths(
    mean: Floats, size: Floats, shape: Floats, cumulative: Floats, scored: NDArray[np.int64], level: Floats,
    rng: np.random.Generator, out: NDArray[np.int32],
) -> None:  # fmt: skip
    """Write paths (draws, horizon, units).

    `mean`, `size` and `shape` are (components, horizon, units), `cumulative` weights (scored, units, components) that
    end at 1, `scored` (horizon,) says which of them holds; `level` (draws,) is in [0, 1).
    """
    draws, horizon, units = out.shape
    for p in range(draws):
        for u in range(units):
            carried, before = 0.0, 0.0
            k = 0
            for h in range(horizon):
                if h == 0 or scored[h] != scored[h - 1]:
                    k = np.searchsorted(cumulative[scored[h], u], level[p], side="right")
                m, r = mean[k, h, u], size[k, h, u]
                common = r * r / shape[k, h, u]
                if common < before:
                    if before > SMALL:
                        carried *= rng.beta(common, before - common)
                    elif rng.random() * before > common:
                        carried = 0.0
                elif common > before:
                    carried += rng.gamma(common - before, 1.0)
                before = common
                own = rng.gamma(r - common, 1.0) if r > common else 0.0
                out[p, h, u] = min(rng.poisson(m / r * (carried + own)), 2147483647)
