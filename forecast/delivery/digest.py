"""What a message tells of a report: the regions and places that reached a threshold, or the most probable ones."""

from __future__ import annotations

from dataclasses import dataclass

from forecast.delivery.targets import When
from forecast.errors import InputError
from forecast.reporting.summary import Risk, Rule, Summary, Unit

_SLACK = 1e-9
"""A change of 0.1 is one although 0.4 - 0.3 is a little less."""


@dataclass(frozen=True)
class Told:
    """A region or place that is told of."""

    unit: Unit
    risk: Risk


@dataclass(frozen=True)
class Digest:
    """What is told.

    Parameters
    ----------
    rule : Rule
        The escalation.
    told : tuple of Told
        The most probable first; those that reached a threshold, where there is one.
    more : int
        Units that reached a threshold and are not told of.
    chosen : bool
        Whether there is a threshold.
    """

    rule: Rule
    told: tuple[Told, ...]
    more: int
    chosen: bool


def digest_of(summary: Summary, when: When, most: int) -> Digest | None:
    """Return what is told of a report; None if there are thresholds and none is reached.

    Parameters
    ----------
    summary : Summary
    when : When
    most : int
        Regions and places that are told of.

    Raises
    ------
    InputError
        If the report has no such escalation.
    """
    name = when.escalation or summary.headline_escalation
    known = [rule.name for rule in summary.escalations]
    if name not in known:
        raise InputError(
            f"`when` names the escalation {name!r}, which the report does not have",
            where="[[delivery]]",
            expected=f"one of {', '.join(known)}",
        )
    units = [unit for unit in summary.units if when.units in {None, unit.kind}]
    found = [Told(unit, unit.risk(name)) for unit in units if any(risk.escalation == name for risk in unit.risks)]
    found = [each for each in found if each.risk.probability is not None]
    chosen = when.at_least is not None or when.changed_by is not None
    if chosen:
        found = [each for each in found if _reached(each.risk, when)]
        if not found:
            return None
    found.sort(key=lambda each: (-(each.risk.probability or 0.0), each.unit.name))
    return Digest(summary.rule(name), tuple(found[:most]), len(found[most:]) if chosen else 0, chosen)


def _reached(risk: Risk, when: When) -> bool:
    high = when.at_least is not None and (risk.probability or 0.0) >= when.at_least - _SLACK
    change = risk.change
    moved = when.changed_by is not None and change is not None and abs(change) >= when.changed_by - _SLACK
    return high or moved
