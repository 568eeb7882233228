"""Shares and large numbers as a reader wants them: whole percents, thousands marked off."""

from __future__ import annotations

import math

from forecast.language import say, spoken

SPACE = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
UNKNOWN = "\N{EM DASH}"
"""What stands for a number that is not known."""
THOUSANDS = {"fr": "\N{NARROW NO-BREAK SPACE}"}
"""What marks off thousands where it is not a whole space."""


def percent(share: float) -> str:
    """Return a probability or share as a whole percent; near 0 and 1 as a bound, because no model knows better.

    Examples
    --------
    >>> [percent(p).replace(SPACE, " ") for p in (0.0, 0.004, 0.345, 0.995, float("nan"))]
    ['<1 %', '<1 %', '34 %', '>99 %', '—']
    """
    if math.isnan(share):
        return UNKNOWN
    if share < 0.01:
        return say("<1\u00a0%")
    if share > 0.99:
        return say(">99\u00a0%")
    return percent_sign(f"{whole_percent(share)}")


def percent_sign(figures: str) -> str:
    """Return figures with a percent sign behind them, at the distance that the language asks for.

    Examples
    --------
    >>> percent_sign("5–20").replace(SPACE, " ")
    '5–20 %'
    """
    return say("{figures}\u00a0%", figures=figures)


def whole_percent(share: float) -> int:
    """Return a share in percent, rounded half to even; the slack keeps 0.345 from depending on its last bit."""
    return round(round(100 * share, 6))


def number(count: float) -> str:
    """Return a whole number with thousands marked off.

    Examples
    --------
    >>> number(12345).replace(SPACE, " ")
    '12 345'
    """
    return f"{count:,.0f}".replace(",", THOUSANDS.get(spoken(), SPACE))
