import numpy as np
import pytest

from forecast.errors import InputError
from forecast.evaluation.murphy import murphy_mean, murphy_quantile

CELLS = np.arange(0, 30, 0.01) + 0.005


def test_areas_are_half_the_squared_error_and_the_pinball_loss():
    rng = np.random.default_rng(1)
    x, y = np.round(rng.gamma(2, 3, 50), 2), rng.poisson(6, 50)
    assert murphy_mean(x, y, CELLS).sum() * 0.01 == pytest.approx(((x - y) ** 2).mean() / 2, rel=1e-10)
    for level in (0.1, 0.5, 0.9):
        pinball = ((y < x) - level) * (x - y)
        assert murphy_quantile(x, y, CELLS, level=level).sum() * 0.01 == pytest.approx(pinball.mean(), rel=1e-10)


def test_area_of_probabilities_is_half_the_brier_score():
    rng = np.random.default_rng(2)
    p, y = np.round(rng.random(80), 2), rng.integers(0, 2, 80)
    t = np.arange(100) / 100 + 0.005
    assert murphy_mean(p, y, t).mean() == pytest.approx(((p - y) ** 2).mean() / 2, rel=1e-10)


def test_the_true_mean_is_best_at_every_threshold():
    rng = np.random.default_rng(3)
    mean = rng.gamma(2, 2, 20000)
    y = rng.poisson(mean)
    t = np.array([1.0, 3.0, 6.0])
    assert (murphy_mean(mean, y, t) < murphy_mean(mean * 1.3, y, t)).all()


def test_bad_cases_are_refused():
    with pytest.raises(InputError, match="level 1"):
        murphy_quantile([1], [1], [0], level=1)
    with pytest.raises(InputError, match="as many"):
        murphy_mean([1], [1, 2], [0])
