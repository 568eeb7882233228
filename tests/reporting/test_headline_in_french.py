"""The sentences of the headline in French: nothing of them is left in English."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from forecast.language import speaking
from forecast.predictive.escalation import AboveRecent, AnyEvent, AtLeast, Escalation, Increase, Record
from forecast.reporting.content import ReportContent
from forecast.reporting.headline import lead, statements
from forecast.reporting.rules import rule_titles
from forecast.reporting.scale import SCALE, plain_word
from forecast.reporting.words import DASH, central, day, events, expected, expected_events, number, percent

ENGLISH = re.compile(
    r"\b(the|of|and|in|is|was|has|have|than|weeks?|events?|times|its|chance of|statements|likely|almost no)\b", re.I
)
RULES: list[Escalation] = [
    AnyEvent(rule="any_event", name="any", weeks=1),
    AtLeast(rule="at_least", name="five", count=5),
    AboveRecent(rule="above_recent", name="above"),
    Increase(rule="increase", name="double"),
    Increase(rule="increase", name="more", factor=2.5),
    Record(rule="record", name="year"),
    Record(rule="record", name="half", window=26),
]


def spaced(text: str) -> str:
    return text.replace("\N{NARROW NO-BREAK SPACE}", "_")


def test_the_headline(content: ReportContent) -> None:
    with speaking("fr"):
        told = [lead(content), *(f"{item.word} {item.text} {item.track}" for item in statements(content))]
    assert len(told) > 3
    for text in told:
        # The title of a dataset is a name, and the same in every language.
        assert ENGLISH.findall(re.sub("«.*?»", "", text)) == [], text
    assert spaced(told[1]).count("intervalle à 80_%_:") == 1


def test_the_headline_is_english_again_after_it(content: ReportContent) -> None:
    before = [item.text for item in statements(content)]
    with speaking("fr"):
        assert not set(before) & {item.text for item in statements(content)}
    assert [item.text for item in statements(content)] == before


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rules(rule: Escalation) -> None:
    with speaking("fr"):
        told = [rule.sentence(), rule_titles([rule])[rule.name]]
    assert [ENGLISH.findall(text) for text in told] == [[], []], told


def test_the_scale_is_said_when_it_is_shown_not_when_it_was_made() -> None:
    assert plain_word(0.5) == "roughly even chance"
    with speaking("fr"):
        assert [plain_word(chance) for chance in (0.01, 0.5, 0.97)] == [
            "presque exclu",
            "environ une chance sur deux",
            "quasi certain",
        ]
    assert SCALE[0].words == "almost no chance"


def test_numbers_and_days() -> None:
    with speaking("fr"):
        told = [percent(0.345), percent(0.001), number(12345), expected(0.44), expected(0.01), central(0.8, 2, 7)]
        assert [spaced(text) for text in told] == [
            "34_%",
            "<_1_%",
            "12_345",
            "0,4",
            "<_0,1",
            f"intervalle à 80_%_: 2{DASH}7",
        ]
        assert [events(0), events(1), events(3)] == ["0 événement", "1 événement", "3 événements"]
        assert [expected_events(x) for x in (0.01, 1.0, 1.9, 2.0)] == [
            "presque aucun événement",
            "1,0 événement",
            "1,9 événement",
            "2,0 événements",
        ]
        assert day(pd.Timestamp("2026-11-22"), weekday=True) == "dimanche 22 novembre 2026"
