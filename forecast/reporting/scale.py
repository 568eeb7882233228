"""A plain-language scale of probability, that of US Intelligence Community Directive 203 (2015), and its classes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from forecast.language import Text, said, say
from forecast.plots.classes import CLASS_EDGES, probability_class
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
