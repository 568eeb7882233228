"""Escalations in words, from how the ledger defines them."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import TypeAdapter, ValidationError

from forecast.predictive.escalation import Escalation
from forecast.reporting.site.content import RuleText

_ESCALATION: TypeAdapter[Escalation] = TypeAdapter(Escalation)


def rule_texts(rules: Sequence[tuple[str, int, str]], front: str) -> tuple[RuleText, ...]:
    """Return the escalations of an issue, the one that stands in front first, those of other versions last.

    Parameters
    ----------
    rules : sequence of (name, weeks, definition)
        Of the ledger.
    front : str
        The first of them stands in front if there is none of this name.

    Examples
    --------
    >>> definition = '{"name":"any","rule":"any_event","weeks":4}'
    >>> [rule.title for rule in rule_texts([("of_old", 2, "{}"), ("any", 4, definition)], "any")]
    ['At least one event in 4 weeks', 'of old']
    """
    known = {name: _parsed(definition) for name, _, definition in rules}
    among = tuple(rule for rule in known.values() if rule is not None)
    texts = [RuleText(name, weeks, definition, known[name], among) for name, weeks, definition in rules]
    return tuple(sorted(texts, key=lambda text: (text.rule is None, text.name != front)))


def _parsed(definition: str) -> Escalation | None:
    try:
        return _ESCALATION.validate_json(definition)
    except ValidationError:  # of another version of the package
        return None
