"""A plain-language scale of probability, that of US Intelligence Community Directive 203 (2015)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from forecast.reporting.words import DASH, SPACE, UNKNOWN

SOURCE = "US Intelligence Community Directive 203, Analytic Standards (2015)"


@dataclass(frozen=True)
class Step:
    """One expression of the scale.

    Parameters
    ----------
    words : str
    low, high : float
        The probabilities that it stands for.
    """

    words: str
    low: float
    high: float

    @property
    def range(self) -> str:
        """The probabilities in whole percents."""
        return f"{100 * self.low:.0f}{DASH}{100 * self.high:.0f}{SPACE}%"


SCALE = (
    Step("almost no chance", 0.01, 0.05),
    Step("very unlikely", 0.05, 0.20),
    Step("unlikely", 0.20, 0.45),
    Step("roughly even chance", 0.45, 0.55),
    Step("likely", 0.55, 0.80),
    Step("very likely", 0.80, 0.95),
    Step("almost certain", 0.95, 0.99),
)


def plain_word(probability: float) -> str:
    """Return the expression for a probability.

    An edge belongs to the step nearer to one half, so that a rule and its opposite are worded alike. What lies
    below 1 % or above 99 % takes the outermost step.

    Parameters
    ----------
    probability : float
        NaN gives a dash.

    Examples
    --------
    >>> plain_word(0.05), plain_word(0.5), plain_word(0.8), plain_word(0.001)
    ('very unlikely', 'roughly even chance', 'likely', 'almost no chance')
    """
    if math.isnan(probability):
        return UNKNOWN
    for step in SCALE:
        if probability < step.high or (probability == step.high and step.low >= 0.45):
            return step.words
    return SCALE[-1].words
