"""Escalations in short: rules over the sum of the coming weeks, to ask a forecast for their probability."""

from __future__ import annotations

from forecast.config import parse
from forecast.predictive.escalation import AboveRecent, AnyEvent, AtLeast, Increase, Record


def any_event(*, weeks: int = 4) -> AnyEvent:
    """Return the rule "at least one event in the next `weeks` weeks".

    Parameters
    ----------
    weeks : int, default 4
        1 to 52.

    Raises
    ------
    InputError
        If a number is out of range.

    Examples
    --------
    >>> any_event(weeks=2).sentence()
    'at least one event within the next 2 weeks'
    """
    settings = {"rule": "any_event", "name": f"any_in_{weeks}", "weeks": weeks}
    return parse(AnyEvent, settings, where="any_event")


def at_least(count: int, *, weeks: int = 4) -> AtLeast:
    """Return the rule "at least `count` events in the next `weeks` weeks".

    Parameters
    ----------
    count : int
        At least 1.
    weeks : int, default 4
        1 to 52.

    Raises
    ------
    InputError
        If a number is out of range.

    Examples
    --------
    >>> at_least(5).sentence()
    'at least 5 events within the next 4 weeks'
    """
    return parse(
        AtLeast,
        {"rule": "at_least", "name": f"at_least_{count}_in_{weeks}", "count": count, "weeks": weeks},
        where="at_least",
    )


def above_recent(*, quantile: float = 0.9, window: int = 52, weeks: int = 4) -> AboveRecent:
    """Return the rule "more events in `weeks` weeks than in most such spans of the region's own recent past".

    Parameters
    ----------
    quantile : float, default 0.9
        Share of the past spans that must be exceeded, in (0, 1).
    window : int, default 52
        Weeks of the past that are looked at, 4 to 520.
    weeks : int, default 4
        1 to 52.

    Raises
    ------
    InputError
        If a number is out of range.

    Examples
    --------
    >>> above_recent().sentence()
    'more events within the next 4 weeks than in 90 % of the 4-week spans of its own last 52 weeks'
    """
    return parse(
        AboveRecent,
        {
            "rule": "above_recent",
            "name": f"above_recent_{weeks}",
            "quantile": quantile,
            "window": window,
            "weeks": weeks,
        },
        where="above_recent",
    )


def increase(*, factor: float = 2.0, over: int = 12, weeks: int = 4) -> Increase:
    """Return the rule "a weekly mean of `factor` times that of the last `over` weeks, or more".

    Parameters
    ----------
    factor : float, default 2
        Above 1.
    over : int, default 12
        Weeks of the past, 1 to 520.
    weeks : int, default 4
        1 to 52.

    Raises
    ------
    InputError
        If a number is out of range.

    Examples
    --------
    >>> increase().sentence()
    'events within the next 4 weeks at 2 times the rate of the last 12 weeks or more'
    """
    return parse(
        Increase,
        {"rule": "increase", "name": f"increase_{weeks}", "factor": factor, "over": over, "weeks": weeks},
        where="increase",
    )


def record_high(*, window: int = 52, weeks: int = 4) -> Record:
    """Return the rule "more events in `weeks` weeks than in any such span of the last `window` weeks".

    Parameters
    ----------
    window : int, default 52
        4 to 520.
    weeks : int, default 4
        1 to 52.

    Raises
    ------
    InputError
        If a number is out of range.

    Examples
    --------
    >>> record_high().sentence()
    'more events within the next 4 weeks than in any such span of the last 52 weeks'
    """
    return parse(
        Record, {"rule": "record", "name": f"record_{weeks}", "window": window, "weeks": weeks}, where="record_high"
    )
