from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.plots.classes import CLASS_EDGES, probability_class
from forecast.reporting.scale import SCALE, plain_word
from forecast.reporting.tables import provenance_rows
from forecast.reporting.words import MINUS, SPACE, expected, frequency, listing, number, percent, points


@pytest.mark.parametrize(
    ("probability", "word"),
    [
        (0.0, "almost no chance"),
        (0.0449, "almost no chance"),
        (0.0499, "very unlikely"),
        (0.05, "very unlikely"),
        (0.1949, "very unlikely"),
        (0.20, "unlikely"),
        (0.4449, "unlikely"),
        (0.45, "roughly even chance"),
        (0.55, "roughly even chance"),
        (0.5549, "roughly even chance"),
        (0.5551, "likely"),
        (0.80, "likely"),
        (0.8051, "very likely"),
        (0.95, "very likely"),
        (0.9551, "almost certain"),
        (1.0, "almost certain"),
        (math.nan, "—"),
    ],
)
def test_edges_of_the_scale(probability: float, word: str) -> None:
    assert plain_word(probability) == word


def test_scale_has_no_gap() -> None:
    assert [step.high for step in SCALE[:-1]] == [step.low for step in SCALE[1:]]
    assert (SCALE[0].low, SCALE[-1].high) == (0.01, 0.99)


@given(st.floats(0.01, 0.99))
def test_word_and_percent_agree(probability: float) -> None:
    step = next(step for step in SCALE if step.words == plain_word(probability))
    shown = int(percent(probability).removesuffix(f"{SPACE}%"))
    assert round(100 * step.low) <= shown <= round(100 * step.high)


@given(st.integers(0, 1000))
def test_a_rule_and_its_opposite_are_worded_alike(per_mille: int) -> None:
    words = [step.words for step in SCALE]
    here, there = plain_word(per_mille / 1000), plain_word((1000 - per_mille) / 1000)
    assert words.index(here) == len(words) - 1 - words.index(there)


@given(st.floats(0, 1), st.floats(0, 1))
def test_one_percent_has_one_word_and_class(one: float, other: float) -> None:
    if percent(one) == percent(other):
        assert plain_word(one) == plain_word(other)
        assert probability_class(one) == probability_class(other)


def test_every_border_of_the_words_is_a_border_of_the_classes() -> None:
    assert {step.low for step in SCALE[1:]} <= set(CLASS_EDGES)


def test_probabilities_are_whole_percents_with_bounds() -> None:
    assert percent(0.0) == f"<1{SPACE}%"
    assert percent(1.0) == f">99{SPACE}%"
    assert percent(0.01) == f"1{SPACE}%"
    assert percent(0.99) == f"99{SPACE}%"
    assert percent(0.345) == f"34{SPACE}%"


def test_frequencies_may_be_never_and_always() -> None:
    assert frequency(0.0) == f"0{SPACE}%"
    assert frequency(1.0) == f"100{SPACE}%"
    assert frequency(0.001) == f"<1{SPACE}%"


def test_changes_carry_their_sign() -> None:
    assert [points(change) for change in (0.1, -0.1, 0.001, -0.001, math.nan)] == ["+10", f"{MINUS}10", "±0", "±0", "—"]


@pytest.mark.parametrize(("mean", "told"), [(0.0, "<0.1"), (0.1, "0.1"), (9.94, "9.9"), (9.95, "9.9"), (120.4, "120")])
def test_expected_counts_have_no_false_precision(mean: float, told: str) -> None:
    assert expected(mean) == told


def test_enumerations_and_thousands() -> None:
    assert listing(["a"]) == "a"
    assert listing(["a", "b"]) == "a and b"
    assert number(1234567) == f"1{SPACE}234{SPACE}567"


def test_manifest_is_flattened() -> None:
    assert provenance_rows({"a": {"b": {"c": 1}}, "d": ["x", "y"], "e": None}) == [("a: b: c", "1"), ("d", "x, y")]
