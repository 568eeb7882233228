import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.evaluation.losses import common_losses, skill_table, winners, without_largest


@pytest.fixture
def losses():
    """Three models, 60 weeks, 2 horizons, 3 units; the last lacks a horizon in the first ten weeks."""
    rng = np.random.default_rng(1)
    values = rng.gamma(2, 1, (3, 60, 2, 3)) * np.array([1.0, 1.5, 2.0])[:, None, None, None]
    values[2, :10, 0] = np.nan
    return values


MODELS = ["good", "year", "zero"]


def test_only_common_forecasts_count_and_the_others_are_said(losses):
    found = common_losses(losses, MODELS)
    assert found.n == 60 * 6 - 30
    assert found.missing == {"good": 0, "year": 0, "zero": 30}
    sums, n = found.weekly()
    assert n.tolist() == [3.0] * 10 + [6.0] * 50
    np.testing.assert_allclose(sums[0, :10], losses[0, :10, 1].sum(axis=1))
    with pytest.raises(InputError, match="no forecast is common"):
        common_losses(np.array([[[1.0, np.nan]], [[np.nan, 1.0]]]), ["a", "b"])
    with pytest.raises(InputError, match="3 models"):
        common_losses(losses[:2], MODELS)


def test_skill_against_each_kind_of_reference(losses):
    table = skill_table(
        losses, MODELS, {"zero": ["zero"], "best of both": ["zero", "year"]}, np.random.default_rng(1)
    ).set_index(["against", "model"])
    mean = np.nanmean(common_losses(losses, MODELS).losses, axis=(1, 2))
    assert table.loc[("zero", "good"), "skill"] == pytest.approx(1 - mean[0] / mean[2])
    assert table.loc[("best of both", "good"), "reference"] == "year"
    assert table.loc[("best of both", "good"), "skill"] == pytest.approx(1 - mean[0] / mean[1])
    row = table.loc[("zero", "good")]
    assert 0 < row["low"] < row["skill"] < row["high"]
    assert row["n"] == 330
    assert table.loc[("zero", "zero"), "missing"] == 30
    with pytest.raises(InputError, match="unknown model 'nil'"):
        skill_table(losses, MODELS, {"zero": ["nil"]}, np.random.default_rng(1))


def test_where_and_when_each_model_wins(losses):
    losses[1, :30, :, 1] = 0.01
    where = winners(losses, MODELS, ["A", "B", "C"], axis="unit").set_index("label")
    assert where["n"].tolist() == [110, 110, 110]
    assert where.loc["A", "best"] == "good"
    assert where.loc["B", "best"] == "year"
    assert where.loc["A", "margin"] == pytest.approx(
        1 - where.loc["A", "good"] / where.loc["A", where.loc["A", "second"]]
    )
    when = winners(losses, MODELS, np.repeat([2017, 2018], 30), axis="time").set_index("label")
    assert when["n"].tolist() == [150, 180]
    common = common_losses(losses, MODELS).losses
    np.testing.assert_allclose(when.loc[2017, MODELS].astype(float), np.nanmean(common[:, :30], axis=(1, 2)))
    losses[2, 30:] = np.nan
    empty = winners(losses, MODELS, np.repeat([2017, 2018], 30), axis="time").set_index("label").loc[2018]
    assert empty["n"] == 0
    assert pd.isna(empty["best"])
    with pytest.raises(InputError, match="2 labels"):
        winners(losses, MODELS, ["A", "B"], axis="unit")


def test_leaving_out_the_largest_weeks():
    losses = np.ones((2, 20, 1))
    losses[1] = 0.9
    losses[1, 7] = 30.0
    losses[0, 7] = 10.0
    table = without_largest(losses, ["steady", "wild"], drop=[0, 1, 19, 20])
    assert table[table["dropped"] == 0]["model"].tolist() == ["steady", "wild"]
    assert table[table["dropped"] == 1]["model"].tolist() == ["wild", "steady"]
    assert table["dropped"].unique().tolist() == [0, 1, 19]
    assert table[table["dropped"] == 1]["loss"].tolist() == pytest.approx([0.9, 1.0])
    other = without_largest(losses, ["steady", "wild"], by=-np.arange(20.0), drop=[1])
    assert other["model"].tolist() == ["steady", "wild"]
    with pytest.raises(InputError, match="20 weeks"):
        without_largest(losses, ["steady", "wild"], by=np.ones(3))
