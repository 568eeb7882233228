import numpy as np
import pytest

from forecast.errors import InputError
from forecast.evaluation.relative_skill import pairwise_ratios, relative_skill

MODELS = ["a", "b", "c"]


@pytest.fixture
def losses():
    values = np.array([[1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 6.0, 6.0], [4.0, np.nan, np.nan, 4.0]])
    return values[:, :, None]


def test_ratios_are_over_what_each_pair_has(losses):
    pairs = pairwise_ratios(losses, MODELS).set_index(["model", "against"])
    assert pairs.loc[("a", "b"), "ratio"] == pytest.approx(10 / 16)
    assert pairs.loc[("b", "a"), "ratio"] == pytest.approx(16 / 10)
    assert pairs.loc[("a", "c"), "ratio"] == pytest.approx(5 / 8)
    assert pairs.loc[("c", "b"), "ratio"] == pytest.approx(8 / 8)
    assert pairs["n"].tolist() == [4, 4, 2, 2, 2, 2]


def test_relative_skill_is_the_geometric_mean_with_the_model_itself(losses):
    table = relative_skill(losses, MODELS, baseline="b").set_index("model")
    theta = {"a": (10 / 16 * 5 / 8) ** (1 / 3), "b": (16 / 10 * 1) ** (1 / 3), "c": (8 / 5 * 1) ** (1 / 3)}
    for name, value in theta.items():
        assert table.loc[name, "relative_skill"] == pytest.approx(value, rel=1e-12)
        assert table.loc[name, "scaled_relative_skill"] == pytest.approx(value / theta["b"], rel=1e-12)
    assert table.index[0] == "a"
    assert table.loc["c", ["n", "missing"]].tolist() == [2, 2]


def test_models_that_share_nothing_and_unknown_ones(losses):
    losses[0, [0, 3]] = np.nan
    pairs = pairwise_ratios(losses, MODELS).set_index(["model", "against"])
    assert np.isnan(pairs.loc[("a", "c"), "ratio"])
    assert relative_skill(losses, MODELS)["relative_skill"].notna().all()
    with pytest.raises(InputError, match="unknown model 'd'"):
        relative_skill(losses, MODELS, baseline="d")
    with pytest.raises(InputError, match="2 models"):
        pairwise_ratios(losses, MODELS[:2])
