"""What is offered for a name that is not known."""

from __future__ import annotations

import pytest

from forecast.errors import nearest_names


@pytest.mark.parametrize(
    ("written", "known", "offered"),
    [
        ("lat", ["Latitude", "late_report", "date", "lon"], ["Latitude", "late_report"]),
        ("latt", ["lat", "lon", "date"], ["lat"]),
        ("latitude", ["Latitude", "Longitude", "fatalities"], ["Latitude"]),
        ("lng", ["lat", "lon", "long"], ["long"]),
        ("day", ["dead", "data", "Days"], ["Days"]),
        ("nr", ["no", "when", "where"], []),
        ("id", ["side_a", "code", "ID_1"], []),
        ("date", ["event_date", "dead", "rate_of"], ["event_date"]),
        ("Segu", ["Mali/Ségou", "Mali/Gao", "Sikasso"], ["Mali/Ségou"]),
        ("window_negbinn", ["window_negbin", "discount_negbin", "zero"], ["window_negbin", "discount_negbin"]),
        ("", ["a", "b"], []),
    ],
)
def test_short_names_are_not_alike_by_chance(written, known, offered):
    assert nearest_names(written, known) == offered


def test_no_more_names_than_asked_for():
    assert len(nearest_names("event", [f"event_{number}" for number in range(9)], count=2)) == 2
