"""Names match across spellings and languages; what is another region stays unmatched, with the reason."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.panel.other_names import country_key, normalised, packaged_names, read_other_names
from forecast.panel.place_names import edit_distance, match_names

MALI = tuple(
    f"Mali/{name}"
    for name in ("Bamako", "Gao", "Kayes", "Kidal", "Koulikoro", "Mopti", "Sikasso", "Ségou", "Tombouctou")
)
PRESENT_BURKINA = (
    "Bankui", "Djôrô", "Goulmou", "Guiriko", "Kuilsé", "Liptako", "Nakambé", "Nando", "Nazinon", "Sirba", "Soum",
    "Sourou", "Tannounyan", "Tapoa", "Yaadga",
)  # fmt: skip


def sources() -> Path:
    folder = os.environ.get("ESCALATION_FORECAST_SOURCES")
    if not folder:
        pytest.skip("ESCALATION_FORECAST_SOURCES does not name the folder of the source event files")
    return Path(folder)


def regions() -> tuple[str, ...]:
    """Country/name of the 288 old first-level regions."""
    content = json.loads(gzip.decompress((sources() / "adm1_west_africa_naturalearth.geojson.gz").read_bytes()))
    properties = [feature["properties"] for feature in content["features"]]
    return tuple(f"{item['country']}/{item['adm1']}" for item in properties)


def hows(names: list[str], known: tuple[str, ...], **more: object) -> list[tuple[str, str]]:
    return [(match.known, match.how) for match in match_names(names, known, **more).matches]


def test_the_same_name_in_many_spellings():
    names = ["Ségou", "Segou", "SEGOU", "Segou region", "Région de Ségou", "Se\u0301gou", "Segu", "Segouu", "Sgou"]
    assert hows(names[:7], MALI) == [("Mali/Ségou", "exact")] + [("Mali/Ségou", "normalised")] * 5 + [
        ("Mali/Ségou", "alias")
    ]
    assert hows(["Segouu"], MALI) == [("Mali/Ségou", "near")]
    assert hows(["Sgou"], MALI) == [("", "none")]  # too short to be near


@pytest.mark.parametrize(
    ("name", "country", "known", "how"),
    [
        ("Timbuktu", "Mali", "Mali/Tombouctou", "alias"),
        ("Tomboctou", "Mali", "Mali/Tombouctou", "near"),
        ("Nasarawa state", "Nigeria", "Nigeria/Nassarawa", "alias"),
        ("Abuja", "Nigeria", "Nigeria/Federal Capital Territory", "alias"),
        ("Far North region", "Cameroon", "Cameroon/Extrême-Nord", "alias"),
        ("N\u2019Djaména", "Tchad", "Chad/Ville de N'Djamena", "normalised"),
        ("Nord", "Cameroun", "Cameroon/Nord", "exact"),
        ("Nord", "Burkina Faso", "Burkina Faso/Nord", "exact"),
    ],
)
def test_names_within_their_country(name, country, known, how):
    all_known = (
        *MALI, "Nigeria/Nassarawa", "Nigeria/Federal Capital Territory", "Cameroon/Extrême-Nord", "Cameroon/Nord",
        "Chad/Ville de N'Djamena", "Burkina Faso/Nord",
    )  # fmt: skip
    assert hows([name], all_known, countries=[country]) == [(known, how)]


def test_a_name_of_two_countries_is_no_match_without_its_country():
    known = ("Cameroon/Nord", "Burkina Faso/Nord")
    (match,) = match_names(["Nord"], known).matches
    assert (match.how, match.position) == ("none", -1)
    assert set(match.candidates) <= set(known)
    assert match.candidates


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Southern", "Sierra Leone/Northern"),
        ("Mayo-Kebbi Est", "Chad/Mayo-Kebbi Ouest"),
        ("Ouest", "Cameroon/Est"),
        ("Nouakchott 12 arrondissement", "X/Nouakchott 13 arrondissement"),
        ("Edo", "Nigeria/Ondo"),
        ("Ogun", "Nigeria/Osun"),
    ],
)
def test_neighbours_with_names_alike_are_never_near(name, known):
    assert hows([name], (known,)) == [("", "none")]


def test_near_names_are_one_to_one():
    # two names as near to one region, one name as near to two, and a region that its own name has taken
    assert hows(["Sikassa", "Sikasse"], ("Sikasso",)) == [("", "none")] * 2
    assert hows(["Maradu"], ("Maradi", "Marada")) == [("", "none")]
    assert hows(["Sikassa", "Sikasso"], ("Sikasso",)) == [("", "none"), ("Sikasso", "exact")]
    assert hows(["Sikassa", "Sikasoo region"], ("Sikasso", "Gao")) == [("", "none")] * 2


def test_present_regions_are_no_old_ones():
    old = tuple(
        f"Burkina Faso/{name}"
        for name in ("Boucle du Mouhoun", "Cascades", "Centre", "Centre-Est", "Centre-Nord", "Centre-Ouest",
                     "Centre-Sud", "Est", "Hauts-Bassins", "Nord", "Plateau-Central", "Sahel", "Sud-Ouest")
    )  # fmt: skip
    names = [f"{name} region" for name in PRESENT_BURKINA]
    found = match_names([*names, "Ménaka region"], old + MALI, countries=["Burkina Faso"] * len(names) + ["Mali"])
    assert [match.how for match in found.matches] == ["none"] * (len(names) + 1)
    notes = {match.name: match.note for match in found.unmatched()}
    assert notes["Yaadga region"] == "a region since 2025; part of Nord before"
    assert notes["Ménaka region"] == "a region since 2016; part of Gao before"


def test_positions_and_table_follow_the_rows():
    found = match_names(["Gao", None, "Kidol", "Gao", float("nan"), "", "Nowhere"], MALI)
    assert found.position.tolist() == [1, -1, 3, 1, -1, -1, -1]
    assert found.table()["how"].tolist() == ["exact", "near", "none"]
    assert [match.name for match in found.near()] == ["Kidol"]


def test_an_unknown_country_has_a_note():
    (match,) = match_names(["Gao"], MALI, countries=["Atlantis"]).matches
    assert (match.how, match.note) == ("none", "no known name is of this country")


def test_lengths_must_fit():
    with pytest.raises(InputError, match="1 countries for 2 names"):
        match_names(["a", "b"], MALI, countries=["Mali"])
    with pytest.raises(InputError, match="for 9 known names"):
        match_names(["a"], MALI, known_countries=["Mali"])


def test_a_table_of_ones_own(tmp_path):
    path = tmp_path / "names.toml"
    path.write_text('[aliases.X]\nAlpha = ["First"]\n', encoding="utf-8")
    assert hows(["First"], ("X/Alpha",), others=read_other_names(path)) == [("X/Alpha", "alias")]
    path.write_text('[aliases.X]\nAlpha = ["First"]\nBeta = ["first"]\n', encoding="utf-8")
    with pytest.raises(InputError, match="stands for 'alpha' and 'Beta'"):
        read_other_names(path)


@given(st.text(max_size=12), st.text(max_size=12))
def test_edit_distance_is_symmetric_and_bounded(a, b):
    distance = edit_distance(a, b)
    assert distance == edit_distance(b, a)
    assert abs(len(a) - len(b)) <= distance <= max(len(a), len(b))
    assert (distance == 0) == (a == b)


@given(st.text(max_size=30))
def test_normalised_is_settled(name):
    assert normalised(normalised(name)) in {normalised(name), normalised(normalised(normalised(name)))}
    match_names([name], MALI)


def test_every_packaged_name_means_a_region_of_the_embedded_frame():
    known = {
        (country_key(country), normalised(name)) for country, _, name in (item.partition("/") for item in regions())
    }
    chiefs = {(country, chief) for (country, _), chief in packaged_names().names.items()}
    later = set(packaged_names().successors)
    assert chiefs - known - later == set()
    before = {(c, normalised(name)) for (c, _), item in packaged_names().successors.items() for name in item.before}
    assert before - known == set()
    assert later & known == set()


def test_the_embedded_regions_match_themselves_only():
    known = regions()
    found = match_names(
        [name.partition("/")[2] for name in known], known, countries=[name.partition("/")[0] for name in known]
    )
    assert found.position.tolist() == list(range(len(known)))
    assert {match.how for match in found.matches} == {"exact"}


def test_real_names_of_2026_and_nigeria():
    events = pd.read_csv(sources() / "ucdp_candidate_2026_sahel.csv.gz")
    found = match_names(events["adm_1"], regions(), countries=events["country"])
    lost = {match.name for match in found.unmatched()}
    assert lost == {f"{name} region" for name in PRESENT_BURKINA} | {"Ménaka region"}
    assert not found.near()
    assert (found.position >= 0).sum() == (~events["adm_1"].isin(lost) & events["adm_1"].notna()).sum()

    nigeria = pd.read_csv(sources() / "ucdp_ged201_nigeria_full.csv.gz")
    found = match_names(nigeria["adm_1"], regions(), countries=nigeria["country"])
    assert [match.name for match in found.unmatched()] == ["Gongola state"]
    assert {match.known for match in found.matches if match.how == "alias"} == {"Nigeria/Nassarawa"}
