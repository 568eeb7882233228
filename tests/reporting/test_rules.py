import pytest

from forecast.predictive.escalation import AboveRecent, AnyEvent, AtLeast, Escalation, Increase, Record
from forecast.reporting.rules import rule_titles


@pytest.mark.parametrize(
    ("rule", "title"),
    [
        (AnyEvent(rule="any_event", name="a", weeks=1), "At least one event in 1 week"),
        (AtLeast(rule="at_least", name="a", count=5), "At least 5 events in 4 weeks"),
        (AboveRecent(rule="above_recent", name="a"), "Above its recent past in 4 weeks"),
        (Increase(rule="increase", name="a"), "Doubling in 4 weeks"),
        (Increase(rule="increase", name="a", factor=1.5), "1.5 times as many events in 4 weeks"),
        (Record(rule="record", name="a"), "Highest of a year in 4 weeks"),
        (Record(rule="record", name="a", window=26), "Highest of 26 weeks in 4 weeks"),
    ],
)
def test_titles(rule: Escalation, title: str) -> None:
    assert rule_titles([rule]) == {"a": title}


def test_rules_of_one_title_are_told_apart() -> None:
    rules = [
        AboveRecent(rule="above_recent", name=name, window=w) for name, w in (("one_year", 52), ("two_years", 104))
    ]
    assert list(rule_titles(rules).values()) == [
        "Above its recent past in 4 weeks (one year)",
        "Above its recent past in 4 weeks (two years)",
    ]
