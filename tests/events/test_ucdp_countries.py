"""Names and numbers of countries, as UCDP has them."""

from __future__ import annotations

import pytest

from forecast.errors import InputError
from forecast.events.ucdp_countries import country_numbers

# Country and country_id of events in UCDP's releases.
UCDP = {
    "Algeria": 615, "Benin": 434, "Burkina Faso": 439, "Burundi": 516, "Cameroon": 471, "Central African Republic": 482,
    "Chad": 483, "DR Congo (Zaire)": 490, "Ethiopia": 530, "Gambia": 420, "Ghana": 452, "Guinea": 438,
    "Guinea-Bissau": 404, "Ivory Coast": 437, "Kenya": 501, "Liberia": 450, "Mali": 432, "Mauritania": 435,
    "Mozambique": 541, "Niger": 436, "Nigeria": 475, "Senegal": 433, "Sierra Leone": 451, "Somalia": 520,
    "South Africa": 560, "Sudan": 625, "Togo": 461, "Uganda": 500, "Yemen (North Yemen)": 678,
    "Vietnam (North Vietnam)": 816, "Germany": 260, "Russia (Soviet Union)": 365,
}  # fmt: skip


@pytest.mark.parametrize("name", UCDP)
def test_the_names_of_ucdp(name):
    assert country_numbers([name]) == [UCDP[name]]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("mali", 432),
        (" MALI ", 432),
        ("Cote d'Ivoire", 437),
        ("CÔTE D\u2019IVOIRE", 437),
        ("Guinea Bissau", 404),
        ("The Gambia", 420),
        ("Democratic Republic of Congo", 490),
        ("Republic of Congo", 484),
        ("eSwatini", 572),
        ("Yemen", 678),
        ("Türkiye", 640),
        ("Antigua and Barbuda", 58),
    ],
)
def test_other_ways_to_write_them(written, number):
    assert country_numbers([written]) == [number]


def test_numbers_names_and_repetitions():
    assert country_numbers([436, "432", "Niger", "Burkina Faso"]) == [432, 436, 439]
    assert country_numbers([]) == []


def test_a_name_of_two_states_asks_for_both():
    assert country_numbers(["Serbia"]) == [340, 345]
    assert country_numbers(["Niger"]) == [436]


@pytest.mark.parametrize("number", ["999", "0", 1, "00000000000000000000001"])
def test_unknown_numbers_are_refused(number):
    with pytest.raises(InputError, match="no country has the number"):
        country_numbers([number])


@pytest.mark.parametrize(("name", "nearest"), [("Malli", "Mali"), ("Nigera", "Nigeria"), ("Burkina Fasso", "Burkina")])
def test_unknown_names_offer_the_nearest(name, nearest):
    with pytest.raises(InputError, match=f"unknown country '{name}'[^$]*'{nearest}") as refused:
        country_numbers([name], where="--countries")
    assert "where: --countries" in str(refused.value)


@pytest.mark.parametrize("text", ["", "\u00b2", "-432", "4 32"])
def test_what_is_no_country_is_refused(text):
    with pytest.raises(InputError):
        country_numbers([text])
