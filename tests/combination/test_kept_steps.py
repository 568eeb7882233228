"""Steps as a track keeps them: the same to the last bit."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from forecast.combination.kept_steps import KeptLaw, KeptStep
from forecast.combination.member_forecasts import MemberForecasts, StepForecasts


def test_a_kept_step_is_the_step_and_holds_a_fraction_of_it():
    rng = np.random.default_rng(1)
    pmf = np.zeros((2, 3, 50, 200))
    pmf[..., :3] = rng.dirichlet([1.0, 1.0, 1.0], (2, 3, 50))
    pmf[0, 0, 7] = rng.dirichlet(np.ones(200))
    pool = pmf.mean(axis=0)
    trial = pool.copy()
    trial[..., -1] += 1 - trial.sum(axis=-1)
    weight, chance = np.full((3, 3, 2), 0.5), rng.random((1, 50))
    said = MemberForecasts(7, pmf, np.zeros(50, np.int64), chance[None], np.empty((0, 50)))
    step = StepForecasts(said, weight, weight, pool, trial, pool, chance, chance, chance)

    kept = KeptStep.of(step)
    again = kept.whole()

    for each in fields(StepForecasts):
        if each.name != "members":
            assert getattr(again, each.name).tobytes() == getattr(step, each.name).tobytes(), each.name
    assert again.members.pmf.tobytes() == pmf.tobytes()
    assert kept.laws[2] is kept.laws[0]  # where no step is on, nothing is kept twice
    assert (kept.members.number, kept.members.horizon) == (2, 3)
    assert kept.laws[0].values.nbytes + kept.laws[0].there.nbytes < pool.nbytes / 20


def test_a_law_of_any_shape():
    for shape in ((0, 3), (1, 1), (5, 3, 7)):
        law = np.where(np.random.default_rng(2).random(shape) > 0.5, 0.25, 0.0)
        assert (KeptLaw.of(law).whole() == law).all()
        assert KeptLaw.of(law).whole().shape == shape
