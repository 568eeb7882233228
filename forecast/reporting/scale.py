"""A plain-language scale of probability, that of US Intelligence Community Directive 203 (2015), and its classes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.language import Text, said, say
from forecast.reporting.words import DASH, UNKNOWN, percent_sign

SOURCE = "US Intelligence Community Directive 203, Analytic Standards (2015)"


@dataclass(frozen=True)
class Step:
    """One expression of the scale.

    Parameters
    ----------
    words : Text
    low, high : float
        The probabilities that it stands for.
    """

    words: Text
    low: float
    high: float

    @property
    def range(self) -> str:
        """The probabilities in whole percents."""
        return percents(self.low, self.high)


def percents(low: float, high: float) -> str:
    """Return a range of probabilities in whole percents.

    Examples
    --------
    >>> from forecast.reporting.words import SPACE
    >>> percents(0.05, 0.2).replace(SPACE, " ")
    '5–20 %'
    """
    return percent_sign(f"{100 * low:.0f}{DASH}{100 * high:.0f}")


SCALE = (
    Step(say("almost no chance"), 0.01, 0.05),
    Step(say("very unlikely"), 0.05, 0.20),
    Step(say("unlikely"), 0.20, 0.45),
    Step(say("roughly even chance"), 0.45, 0.55),
    Step(say("likely"), 0.55, 0.80),
    Step(say("very likely"), 0.80, 0.95),
    Step(say("almost certain"), 0.95, 0.99),
)

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


def plain_word(probability: float) -> str:
    """Return the expression for a probability, that of its class.

    Parameters
    ----------
    probability : float
        NaN gives a dash; below 1 % and above 99 % the outermost step speaks.

    Examples
    --------
    >>> plain_word(0.05), plain_word(0.5), plain_word(0.8), plain_word(0.001)
    ('very unlikely', 'roughly even chance', 'likely', 'almost no chance')
    """
    if math.isnan(probability):
        return UNKNOWN
    upper = CLASS_EDGES[probability_class(probability) + 1]
    return str(said(next((step.words for step in SCALE if upper <= step.high), SCALE[-1].words)))
