"""What a message tells of: thresholds and their order."""

from __future__ import annotations

import pytest

from forecast.delivery.digest import digest_of
from forecast.delivery.targets import When
from forecast.errors import InputError


@pytest.fixture
def known(summary):
    """A report of which four units have these probabilities and changes."""
    facts = [(0.5, 0.4), (0.3, 0.4), (0.3, 0.3), (None, 0.1), (0.1, None)]
    units = []
    for unit, (now, before) in zip(summary.units, facts, strict=True):
        update = {"probability": now, "week_before": before, "last_issue": None}
        units.append(unit.model_copy(update={"risks": tuple(risk.model_copy(update=update) for risk in unit.risks)}))
    return summary.model_copy(update={"units": tuple(units)})


def names(digest):
    return [each.unit.name for each in digest.told]


def test_without_thresholds_the_most_probable_are_told(known):
    found = digest_of(known, When(), 3)
    assert names(found) == ["Mali/Mopti", "Mali/Gao", "Niger/Tillabéri"]
    assert (found.more, found.chosen) == (0, False)


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ({"at_least": 0.3}, ["Mali/Mopti", "Mali/Gao", "Niger/Tillabéri"]),
        ({"at_least": 0.5}, ["Mali/Mopti"]),
        ({"changed_by": 0.1}, ["Mali/Mopti", "Mali/Gao"]),
        ({"at_least": 0.5, "changed_by": 0.1}, ["Mali/Mopti", "Mali/Gao"]),
        ({"at_least": 0.1, "units": "place"}, ["Bamako 100 km"]),
    ],
)
def test_any_threshold_that_is_reached_counts(known, when, told):
    assert names(digest_of(known, When(**when), 10)) == told


def test_nothing_is_told_where_none_is_reached(known):
    assert digest_of(known, When(at_least=0.51), 10) is None
    assert digest_of(known, When(changed_by=0.11), 10) is None


def test_those_beyond_the_most_are_counted(known):
    found = digest_of(known, When(at_least=0.3), 1)
    assert (names(found), found.more) == (["Mali/Mopti"], 2)


def test_an_escalation_that_the_report_does_not_have_is_an_error(known):
    assert digest_of(known, When(escalation="any_event"), 1).rule.name == "any_event"
    with pytest.raises(InputError, match="'above_recnt', which the report does not have"):
        digest_of(known, When(escalation="above_recnt"), 1)
