r"""Paths whose weeks share a component and a level.

A path takes one component for each unit: that at the same level of the cumulative weights for all units. Given it, the
count of week h is Poisson with rate ``mean_h * G_h / size_h`` and ``G_h = C_h + I_h`` gamma of shape ``size_h``. The
part C of shape ``size_h**2 / shape_h`` is what is not known of the level. A week on, a beta variable keeps the share
``size_k / size_h`` of it and a gamma one makes up the rest of its shape, so that rates have the covariance of levels,
``mean_h mean_k / shape_h`` for h < k; less where that share is above 1 or more than the part's new shape. I is each
week's own. Each count has its negative binomial distribution.

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
    mean: Floats, size: Floats, shape: Floats, cumulative: Floats, level: Floats,
    rng: np.random.Generator, out: NDArray[np.int32],
) -> None:  # fmt: skip
    """Write paths (draws, horizon, units).

    `mean`, `size` and `shape` are (components, horizon, units), `cumulative` weights (units, components) that end at 1;
    `level` (draws,) is in [0, 1).
    """
    draws, horizon, units = out.shape
    for p in range(draws):
        for u in range(units):
            k = np.searchsorted(cumulative[u], level[p], side="right")
            carried, before, size_before = 0.0, 0.0, 1.0
            for h in range(horizon):
                m, r = mean[k, h, u], size[k, h, u]
                common = r * r / shape[k, h, u]
                kept = min(before * min(r / size_before, 1.0), common)
                if kept < before:
                    if before > SMALL:
                        carried *= rng.beta(kept, before - kept)
                    elif rng.random() * before > kept:
                        carried = 0.0
                if kept < common:
                    carried += rng.gamma(common - kept, 1.0)
                before, size_before = common, r
                own = rng.gamma(r - common, 1.0) if r > common else 0.0
                out[p, h, u] = min(rng.poisson(m / r * (carried + own)), 2147483647)
