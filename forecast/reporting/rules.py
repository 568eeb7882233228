"""What the escalations are called: a short title of each, drawn from its rule; the whole rule is its sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from forecast.predictive.escalation import AboveRecent, AnyEvent, AtLeast, Escalation, Increase

_YEAR = 52


def rule_titles(rules: Sequence[Escalation]) -> dict[str, str]:
    """Return the titles of escalations by their names; those that would share one carry the name as well.

    Examples
    --------
    >>> rule_titles([AnyEvent(rule="any_event", name="any", weeks=4), AtLeast(rule="at_least", name="five", count=5)])
    {'any': 'At least one event in 4 weeks', 'five': 'At least 5 events in 4 weeks'}
    """
    titles = {rule.name: f"{_kind(rule)} in {'1 week' if rule.weeks == 1 else f'{rule.weeks} weeks'}" for rule in rules}
    often = Counter(titles.values())
    return {
        name: title if often[title] == 1 else f"{title} ({name.replace('_', ' ')})" for name, title in titles.items()
    }


def quoted(title: str) -> str:
    """Return a title as it stands within a sentence.

    Examples
    --------
    >>> quoted("Doubling in 4 weeks")
    '“doubling in 4 weeks”'
    """
    return f"“{title[:1].lower()}{title[1:]}”"


def _kind(rule: Escalation) -> str:
    if isinstance(rule, AnyEvent):
        return "At least one event"
    if isinstance(rule, AtLeast):
        return f"At least {rule.count} event{'' if rule.count == 1 else 's'}"
    if isinstance(rule, AboveRecent):
        return "Above its recent past"
    if isinstance(rule, Increase):
        return {2.0: "Doubling", 3.0: "Tripling"}.get(rule.factor, f"{rule.factor:g} times as many events")
    return "Highest of a year" if rule.window == _YEAR else f"Highest of {rule.window} weeks"
