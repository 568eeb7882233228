"""Classes of probability: what the maps and the track record colour alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CLASS_EDGES = (0.0, 0.05, 0.10, 0.20, 0.30, 0.45, 0.55, 0.80, 0.95, 1.0)
"""Classes of the map and of the track record: the steps of the scale, with those from 5 to 45 % cut once more."""


def probability_classes(probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the positions of probabilities' classes among those that `CLASS_EDGES` bound, the same shape.

    The whole percent decides, as it is what a reader sees; an edge belongs to the class nearer to one half, so that a
    rule and its opposite are treated alike.

    Examples
    --------
    >>> probability_classes(np.array([0.0, 0.049, 0.2, 0.8, 1.0])).tolist()
    [0, 1, 3, 6, 8]
    """
    shown = np.round(np.round(100 * probabilities, 6))  # as words.whole_percent
    edges = np.round(100 * np.array(CLASS_EDGES[1:-1]))
    low, high = edges[edges < 50], edges[edges > 50]
    return np.searchsorted(low, shown, side="right") + np.searchsorted(high, shown, side="left")


def probability_class(probability: float) -> int:
    """Return the class of one probability, as `probability_classes`."""
    return int(probability_classes(np.array([probability]))[0])
