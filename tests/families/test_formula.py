"""Formulas: what is read, what is refused, and that none can run code."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.config import parse
from forecast.errors import InputError
from forecast.families.formula import Design, check_formula
from forecast.families.glm import Glm


def frame(rows: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    numbers = {name: rng.random(rows) for name in ("trend", "sin1", "cos1", "own_1", "own_ewm_8")}
    return pd.DataFrame({"unit": ["a", "b", "c"] * (rows // 3), "group": ["x", "y"] * (rows // 2), **numbers})


def test_names_are_sorted_into_known_in_advance_and_from_earlier_counts():
    checked = check_formula("count ~ 0 + C(unit) + sin1*group + neighbour_ewm_12 + own_3:trend")
    assert checked.static == ("unit", "sin1", "group", "trend")
    found = [(item.name, item.neighbour, item.smoothed, item.weeks) for item in checked.dynamic]
    assert found == [("neighbour_ewm_12", True, True, 12), ("own_3", False, False, 3)]


@pytest.mark.parametrize(
    "formula",
    [
        "count ~ __import__('os').system('true')",
        "count ~ own_1.__class__",
        "count ~ C(unit, levels=[1])",
        "count ~ `own_1`",
        "count ~ {own_1 + 1}",
        "count ~ eval(own_1)",
        "count ~ I(own_1)",
        "count ~ np.exp(own_1)",
        "count ~ Q('own_1')",
        "count ~ own_1 ** 2",
        "count ~ own_1 / trend",
        "count ~ (lambda: 1)()",
        "count ~ log1p(C(unit))",
        "count ~ log1p",
        "count ~ C(own_1)",
        "count ~ log1p(unit)",
        "count ~ own_1 ~ own_2",
        "count ~ own_0",
        "count ~ own_1000",
        "count ~ 7 + own_1",
        "count ~ -",
        "count ~ (own_1",
        "count ~ ",
        "count ~ 0",
        "own_1 + own_2",
        "rate ~ own_1",
        "count ~ " + "*".join(["own_1"] * 12),
        "count ~ " + " + ".join(["own_1"] * 200),
        "count ~ öwn_1",
    ],
)
def test_everything_else_is_refused(formula):
    with pytest.raises(InputError):
        Design.of(check_formula(formula), frame())


def test_an_unknown_name_offers_the_nearest_ones_when_the_catalogue_is_read():
    with pytest.raises(InputError, match=r"unknown covariate 'neighbor_1'(.|\n)*'neighbour_1'"):
        parse(Glm, {"formula": "count ~ neighbor_1"}, where="models/mine.toml [settings]")


@pytest.mark.parametrize("formula", ["count ~ own_1:own_ewm_8", "count ~ log1p(own_1)", "count ~ own_1*own_ewm_8"])
def test_terms_that_bend_in_earlier_counts_are_refused(formula):
    with pytest.raises(InputError, match="not linear"):
        Design.of(check_formula(formula), frame())


@pytest.mark.parametrize("formula", ["count ~ sqrt(sin1)", "count ~ own_1 + log1p(sin1):trend"])
def test_functions_of_numbers_they_are_not_defined_for_are_refused(formula):
    table = frame()
    table.loc[3, "sin1"] = -1.0
    with pytest.raises(InputError, match="is not a number everywhere"):
        Design.of(check_formula(formula), table)


def test_the_linear_parts_make_up_the_matrix():
    table = frame()
    design = Design.of(check_formula("count ~ C(unit)*own_1 + own_ewm_8:sin1 + sqrt(trend)"), table)
    parts = design.linear_parts(table)
    together = (
        parts[0] + table["own_1"].to_numpy()[:, None] * parts[1] + table["own_ewm_8"].to_numpy()[:, None] * parts[2]
    )
    np.testing.assert_allclose(together, design.matrix(table))
