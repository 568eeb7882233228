"""Regions are found however people spell them, and what is not found is said with what could be meant."""

from __future__ import annotations

import pytest

from forecast.errors import InputError
from forecast.panel.region_choice import choose_regions

KNOWN = (
    "Mali/Gao", "Mali/Mopti", "Mali/Ségou", "Mali/Tombouctou", "Burkina Faso/Centre", "Burkina Faso/Sahel",
    "Cameroon/Centre", "Ivory Coast/Lagunes", "Sahara",
)  # fmt: skip
COUNTRIES = (*(name.partition("/")[0] for name in KNOWN[:-1]), "")


def chosen(**wanted: list[str]) -> list[str]:
    mask = choose_regions(KNOWN, COUNTRIES, **wanted)
    return [name for name, is_meant in zip(KNOWN, mask, strict=True) if is_meant]


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("Mali/Ségou", "Mali/Ségou"),
        ("Ségou", "Mali/Ségou"),
        ("Segou region", "Mali/Ségou"),
        ("Mali/Segou", "Mali/Ségou"),
        ("MALI / segou", "Mali/Ségou"),
        ("MLI/Segou", "Mali/Ségou"),
        ("Timbuktu", "Mali/Tombouctou"),
        ("Mali/Timbuktu", "Mali/Tombouctou"),
        ("Cameroun/Centre", "Cameroon/Centre"),
        ("Côte d'Ivoire/Lagoons", "Ivory Coast/Lagunes"),
        ("sahara", "Sahara"),
    ],
)
def test_a_region_is_found_however_it_is_spelled(written, known):
    assert chosen(names=[written]) == [known]


def test_countries_and_names_add_up_and_nothing_means_all():
    assert chosen() == list(KNOWN)
    assert chosen(countries=["Burkina"], names=["Gao", "Gao region"]) == [KNOWN[0], *KNOWN[4:6]]
    assert chosen(countries=["Côte d'Ivoire"]) == ["Ivory Coast/Lagunes"]
    assert choose_regions([], []).tolist() == []


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Tomboctou", "one of the 9 known names, such as 'Mali/Tombouctou'"),  # near names are offered, not taken
        ("Mali/Mopty", "such as 'Mali/Mopti'"),
        ("Timbuktoo", "such as 'Mali/Tombouctou'"),
        ("Centre", "such as 'Burkina Faso/Centre', 'Cameroon/Centre'"),
        ("Maly/Mopti", "'Mali/Mopti'"),
        ("Xyz", "one of 'Burkina Faso/Centre', 'Burkina Faso/Sahel'"),
        (" ", "one of 'Burkina Faso/Centre'"),
        ("Mali/", "such as 'Mali/Gao'"),
    ],
)
def test_what_is_not_found_is_offered(written, expected):
    with pytest.raises(InputError) as caught:
        chosen(names=["Gao", written])
    assert caught.value.what == f"unknown region {written!r}"
    assert expected in caught.value.expected


def test_all_that_is_not_found_is_listed():
    with pytest.raises(InputError) as caught:
        choose_regions(KNOWN, COUNTRIES, names=["Mopty", "Gao", "Ménaka", "Xyz"], where="forecast.toml [regions]")
    assert caught.value.what == "unknown regions 'Mopty', 'Ménaka', 'Xyz'"
    assert caught.value.where == "forecast.toml [regions]"
    such = "'Mali/Mopti' for 'Mopty'; 'Mali/Gao' for 'Ménaka'"
    assert caught.value.expected == f"names of the 9 known regions, such as {such}"
    assert caught.value.hint == "'Ménaka' is a region since 2016; part of Gao before"


def test_what_is_like_nothing_is_answered_with_the_first_of_all():
    with pytest.raises(InputError, match=r"unknown regions 'Xyz', 'Qq'(.|\n)*one of 'Burkina Faso/Centre', "):
        chosen(names=["Xyz", "Qq"])


def test_an_unknown_country_is_offered_the_nearest():
    with pytest.raises(InputError, match=r"unknown country 'Maly'(.|\n)*'Mali'"):
        chosen(countries=["Maly"])
    with pytest.raises(InputError, match="unknown country ''"):
        choose_regions(["Mali/Gao"], ["Mali"], countries=[""])
