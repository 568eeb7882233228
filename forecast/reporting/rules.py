"""What the escalations are called: a short title of each, drawn from its rule; the whole rule is its sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from forecast.language import say, say_count
from forecast.predictive.escalation import AboveRecent, AnyEvent, AtLeast, Escalation, Increase

_YEAR = 52


def rule_titles(rules: Sequence[Escalation]) -> dict[str, str]:
    """Return the titles of escalations by their names; those that would share one carry the name as well.

    Examples
    --------
    >>> rule_titles([AnyEvent(rule="any_event", name="any", weeks=4), AtLeast(rule="at_least", name="five", count=5)])
    {'any': 'At least one event in 4 weeks', 'five': 'At least 5 events in 4 weeks'}
    """
    titles = {
        rule.name: str(
            say_count(
                "{kind} in {weeks} week", "{kind} in {weeks} weeks", rule.weeks, kind=_kind(rule), weeks=rule.weeks
            )
        )
        for rule in rules
    }
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
    return say("“{title}”", title=f"{title[:1].lower()}{title[1:]}")


def _kind(rule: Escalation) -> str:
    if isinstance(rule, AnyEvent):
        return say("At least one event")
    if isinstance(rule, AtLeast):
        return say_count("At least {count} event", "At least {count} events", rule.count, count=rule.count)
    if isinstance(rule, AboveRecent):
        return say("Above its recent past")
    if isinstance(rule, Increase):
        if rule.factor in {2.0, 3.0}:
            return say("Doubling") if rule.factor == 2.0 else say("Tripling")
        return say("{factor} times as many events", factor=f"{rule.factor:g}")
    return say("Highest of a year") if rule.window == _YEAR else say("Highest of {weeks} weeks", weeks=rule.window)
