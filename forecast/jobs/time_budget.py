"""How long a run may take: what is left out when the time is spent, and never silently."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from forecast.errors import ForecastError, InputError
from forecast.language import Text, decimal_sign, say

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class BudgetSpentError(ForecastError):
    """The time is over, and work on models that can be left out goes on."""


@dataclass(frozen=True)
class TimeBudget:
    """A time from now on, after which only the headline model is worked on.

    Parameters
    ----------
    seconds : float
    now : callable
        Seconds of a clock that never goes back.
    start : float
        What it showed when the run began.
    took : dict of model name to seconds
        How long the models took to be fitted and to forecast: the quick ones are back-tested first.
    """

    seconds: float
    now: Callable[[], float]
    start: float
    took: dict[str, float] = field(default_factory=dict)

    @property
    def spent(self) -> bool:
        """Whether the time is over."""
        return self.now() - self.start >= self.seconds

    def refusal(self, model: str) -> str:
        """Return why a model is left out.

        Examples
        --------
        >>> TimeBudget(90, lambda: 0.0, 0.0).refusal("pool")
        "model 'pool' did not fit into the time budget of 1.5 minutes"
        """
        return say(
            "model {name!r} did not fit into the time budget of {minutes} minutes",
            name=model,
            minutes=Text(partial(_plain, self.seconds / 60)),
        )

    def check(self) -> None:
        """Stop what is being done if the time is over.

        Raises
        ------
        BudgetSpentError
        """
        if self.spent:
            raise BudgetSpentError(f"the time budget of {self.seconds / 60:g} minutes is spent")


def duration(text: str, where: str = "--time-budget") -> float:
    """Return a time such as ``90s``, ``30m`` or ``2h`` in seconds; a plain number is of minutes.

    Raises
    ------
    InputError
        If it is none, or not more than zero.

    Examples
    --------
    >>> duration("90s"), duration("30"), duration("1.5h")
    (90.0, 1800.0, 5400.0)
    """
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?) ?([smh]?)", text.strip(), re.ASCII)
    seconds = float(found[1]) * _UNITS[found[2] or "m"] if found else 0.0
    if seconds <= 0:
        raise InputError(f"{text!r} is no time", where=where, expected="such as 90s, 30m or 2h")
    return seconds


def _plain(value: float) -> str:
    """Return a number without more decimals than it needs."""
    return f"{value:g}".replace(".", decimal_sign())
