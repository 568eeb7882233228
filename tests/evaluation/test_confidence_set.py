import numpy as np
import pytest

from forecast.evaluation.confidence_set import model_confidence_set


def test_clearly_worse_models_go_first_and_p_values_never_fall():
    rng = np.random.default_rng(1)
    losses = rng.gamma(2, 1, (4, 156, 3)) + np.array([0.0, 0.05, 0.5, 1.0])[:, None, None]
    table = model_confidence_set(losses, list("abcd"), rng)
    assert table["model"].tolist()[:2] == ["d", "c"]
    assert table["p"].is_monotonic_increasing
    assert table["p"].iloc[-1] == 1
    assert not table["inside"].iloc[:2].any()
    assert table.set_index("model").loc["a", "inside"]
    np.testing.assert_allclose(table.set_index("model")["loss"][list("abcd")], losses.mean(axis=(1, 2)))


def test_of_two_models_it_is_a_two_sided_bootstrap_test():
    rng = np.random.default_rng(2)
    losses = rng.normal(5, 1, (2, 200, 1))
    losses[1] += 0.15
    p = model_confidence_set(losses, ["a", "b"], rng, block=1, replicates=20000)["p"].iloc[0]
    d = (losses[1] - losses[0]).ravel()
    z = abs(d.mean()) / (d.std() / np.sqrt(200))
    from scipy.stats import norm

    assert p == pytest.approx(2 * norm.sf(z), abs=0.015)


def test_identical_models_stay():
    losses = np.repeat(np.random.default_rng(3).random((1, 60, 2)), 3, axis=0)
    table = model_confidence_set(losses, list("abc"), np.random.default_rng(1))
    assert table["inside"].all()


def test_only_common_forecasts_are_compared():
    rng = np.random.default_rng(4)
    losses = rng.random((3, 80, 2))
    losses[2, :20] = np.nan
    losses[0, :20] = 100.0
    table = model_confidence_set(losses, list("abc"), rng).set_index("model")
    assert table["n"].tolist() == [120] * 3
    assert table["missing"].to_dict() == {"a": 0, "b": 0, "c": 40}
    assert table.loc["a", "loss"] < 1
    whole = model_confidence_set(losses[:2], list("ab"), np.random.default_rng(1)).set_index("model")
    assert whole["inside"].to_dict() == {"a": False, "b": True}


def test_p_values_are_those_of_arch():
    # arch 8.0.0: MCS(losses, size=0.1, reps=20000, block_size=13, method="max", bootstrap="circular", seed=1).
    expected = {"4": 0.07010, "3": 0.16715, "2": 0.30375, "0": 0.69895, "1": 1.0}
    rng = np.random.default_rng(11)
    losses = np.round(rng.gamma(2, 1, (156, 5)) + np.array([0, 0.05, 0.1, 0.2, 0.35]), 3)
    table = model_confidence_set(losses.T[..., None], list("01234"), np.random.default_rng(1), replicates=20000)
    assert table["model"].tolist() == list(expected)
    np.testing.assert_allclose(table["p"], list(expected.values()), atol=0.003)
