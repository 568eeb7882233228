"""Parameters as people read them: rates of countries, weeks, shares, instead of coordinates without bounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from forecast.families.bayes.layout import Layout

Floats = NDArray[np.float64]

POSITIVE = ("country_spread", "spread", "half_life", "size", "own", "neighbours")
SHARES = ("zeros", "branching", "spillover", "decay")


def readable(layout: Layout, theta: Floats) -> dict[str, Floats]:
    """Return each parameter on its natural scale, those of a country as its whole value.

    Parameters
    ----------
    layout : Layout
    theta : ndarray, shape (..., parameters)

    Returns
    -------
    dict of str to ndarray, shape (...)
        ``level`` is the log of the events a week, ``half_life`` in weeks.

    Examples
    --------
    >>> from forecast.families.bayes.priors import Prior
    >>> layout = Layout.of([("size", Prior(mean=0, sd=1))], [], ["A"])
    >>> readable(layout, np.array([0.0]))["size"]
    np.float64(1.0)
    """
    out = {}
    for at, entry in enumerate(layout.names):
        name, own, _ = entry.partition("[")
        value = theta[..., at]
        if own:
            scale = np.exp(theta[..., layout.at("country_spread")]) if name == "level" else 1.0
            value = theta[..., layout.at(name)] + scale * value
        if name in POSITIVE:
            value = np.exp(value)
        elif name in SHARES:
            value = expit(value)
        out[entry] = value
    return out
