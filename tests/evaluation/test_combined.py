"""The combined model in a backtest: a model like any other, made of its members' forecasts."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from forecast.combination.settings import Combination
from forecast.errors import InputError
from forecast.evaluation.backtest import backtest_and_combine, run_backtest
from forecast.evaluation.block_file import marginal_table, marginals_of, unpack_block
from forecast.evaluation.planned_blocks import plan_blocks
from forecast.evaluation.scores import crps_pmf
from forecast.evaluation.step_table import STEPS

MEMBERS = ("short", "long")
ALWAYS = Combination(members=MEMBERS, weights="crps", recalibration="beta", events="surge", least_origins=26)


def planned(plugin, combination, **changes):
    return dataclasses.replace(plugin.make_plan(**changes), combination=combination)


@pytest.fixture(scope="module")
def whole(plugin, tmp_path_factory):
    """A record whose steps can have earned nothing yet."""
    plan, folder = planned(plugin, Combination(members=MEMBERS)), tmp_path_factory.mktemp("combined") / "trial"
    return plan, folder, run_backtest(plan, folder, workers=1)


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def of(table, model="combined"):
    return table[table["model"] == model].drop(columns="model").reset_index(drop=True)


def test_the_combined_model_stands_in_every_table(whole):
    _, _, record = whole
    assert set(record.leaderboard["model"]) == {*MEMBERS, "combined"}
    for table in (record.forecasts, record.scores, record.risk):
        keys = [
            name
            for name in ("origin", "horizon", "unit", "unit_kind", "activity", "score", "escalation")
            if name in table
        ]
        pd.testing.assert_frame_equal(of(table)[keys], of(table, "short")[keys])


def test_before_anything_is_earned_it_is_the_equal_pool(whole):
    plan, folder, record = whole
    blocks = [block for block in plan_blocks(plan) if block.kind == "region" and len(block.origins) == 5][::3]
    store = folder.parent / f".blocks-{folder.name}"
    names = {block.model.name for block in plan_blocks(plan)}
    assert names == set(MEMBERS)
    block = blocks[0]
    laws = []
    for each in plan_blocks(plan):
        if each.kind == "region" and each.origins.equals(block.origins):
            part = unpack_block((store / f"{each.key}.block").read_bytes())
            laws.append(list(marginals_of(part["marginals"], plan.horizon, 4))[2])
    k = max(law.shape[2] for law in laws)
    pool = np.mean([np.pad(law, ((0, 0), (0, 0), (0, k - law.shape[2]))) for law in laws], axis=0)
    rows, scores = of(record.forecasts), of(record.scores)
    rows, scores = (
        table[(table["origin"] == block.origins[2]) & (table["unit_kind"] == "region")] for table in (rows, scores)
    )
    np.testing.assert_allclose(rows["p0"], pool[..., 0].ravel(), rtol=1e-6)
    np.testing.assert_allclose(rows["mean"], (pool @ np.arange(k)).ravel(), rtol=1e-6)
    seen = rows["observed"].notna().to_numpy()
    expected = crps_pmf(pool.reshape(-1, k)[seen], rows["observed"].to_numpy("int64", na_value=0)[seen])
    np.testing.assert_allclose(scores.loc[scores["score"] == "crps", "value"], expected, atol=1e-6)


def test_its_probabilities_are_the_means_of_the_members(whole):
    _, _, record = whole
    mean = (of(record.risk, "short")["probability"] + of(record.risk, "long")["probability"]) / 2
    np.testing.assert_allclose(of(record.risk)["probability"], mean)
    pd.testing.assert_series_equal(of(record.risk)["probability"], of(record.risk)["uncalibrated"], check_names=False)


def test_two_workers_and_a_second_run_give_the_same_bytes(whole, tmp_path):
    plan, folder, _ = whole
    run_backtest(plan, tmp_path / "trial", workers=2)
    assert files(tmp_path / "trial") == files(folder)
    run_backtest(plan, tmp_path / "trial", workers=1)
    assert files(tmp_path / "trial") == files(folder)


def test_the_members_do_not_depend_on_it(whole, plugin, tmp_path):
    plan, folder, _ = whole
    run_backtest(dataclasses.replace(plan, combination=None), tmp_path / "trial", workers=1)
    assert "steps.csv" not in files(tmp_path / "trial")
    blocks = [
        {path.stem for path in (at.parent / f".blocks-{at.name}").iterdir()} for at in (folder, tmp_path / "trial")
    ]
    steps = json.loads((folder / "manifest.json").read_text())["made_from"]
    assert blocks[0] - {steps} == blocks[1]


def test_the_steps_are_told(whole):
    _, folder, record = whole
    assert record.steps is not None
    assert set(record.steps["step"]) == set(STEPS)
    taken = record.steps.set_index("step").loc[["weights", "recalibration", "events"], ["was_on", "is_on"]]
    assert (taken == 0).all().all()
    overall = record.steps.query("unit_kind == 'region' and step == 'counts' and horizon == 0 and activity == 'all'")
    board = record.leaderboard.set_index("model").loc["combined"]
    np.testing.assert_allclose(overall.set_index("score")["after"], board[["crps", "log"]].astype(float), rtol=1e-5)
    told = json.loads((folder / "manifest.json").read_text())["combination"]
    assert told["members"] == list(MEMBERS)
    assert told["steps"]["region"]["learned_weights"] == {}


def with_future(plan, day):
    """Return the plan with other counts from a day on, in what is known at any later origin too."""

    def other(panel):
        counts = panel.counts.copy()
        counts[panel.weeks >= day] = 3 * counts[panel.weeks >= day] + 2
        return dataclasses.replace(panel, counts=counts)

    return dataclasses.replace(plan, panels={kind: other(panel) for kind, panel in plan.panels.items()})


def test_nothing_after_an_origin_changes_what_was_combined_by_then(plugin, tmp_path):
    plan = planned(plugin, ALWAYS, weeks=130, origins=80)
    day = plan.origins[50]
    (before, one), (after, other) = (
        backtest_and_combine(each, tmp_path / name, {}, workers=1)
        for each, name in ((plan, "a"), (with_future(plan, day), "b"))
    )
    for name in ("forecasts", "risk"):
        said = []
        for record in (before, after):
            table = of(getattr(record, name))
            keys = [key for key in ("origin", "unit", "horizon", "escalation") if key in table]
            outcome = [column for column in ("observed", "outcome", "brier") if column in table]
            said.append(table[table["origin"] <= day].drop(columns=outcome).set_index(keys))
        shared = said[0].index.intersection(said[1].index)
        assert len(shared) > 100
        pd.testing.assert_frame_equal(said[0].loc[shared], said[1].loc[shared])
    for kind in plan.panels:
        steps = list(zip(one[kind].track.steps, other[kind].track.steps, strict=True))
        same = [np.array_equal(a.trial_weight, b.trial_weight) and np.array_equal(a.trial, b.trial) for a, b in steps]
        traits = [np.array_equal(a.members.traits, b.members.traits) for a, b in steps]
        assert all(traits[:51])
        assert not any(traits[52:])
        assert all(same[:51])
        assert not any(same[56:])


def test_a_vintage_that_comes_later_changes_nothing_before_it(plugin, tmp_path):
    plan = planned(plugin, ALWAYS, weeks=130, origins=80)
    panel = plan.panels["region"]
    turned = plan.origins[50]

    def as_known(day, corrected):
        past = panel.until(day)
        late = 2 * past.counts + 1 if corrected and day >= turned else past.counts
        return dataclasses.replace(past, counts=late)

    records = []
    for corrected in (False, True):
        known = {"region": {day: as_known(day, corrected) for day in panel.weeks[40:]}}
        with_vintages = dataclasses.replace(plan, panels={"region": panel}, known=known)
        records.append(backtest_and_combine(with_vintages, tmp_path / f"{corrected}", {}, workers=1)[1]["region"])
    one, other = (record.track.steps for record in records)
    same = [
        np.array_equal(a.trial_weight, b.trial_weight) and np.array_equal(a.final, b.final)
        for a, b in zip(one, other, strict=True)
    ]
    assert all(same[:50])
    assert not any(same[50:])


def test_other_records_teach_from_the_first_origin_on(plugin, tmp_path):
    plan = planned(plugin, ALWAYS, weeks=150, origins=40)
    earlier = planned(plugin, ALWAYS, weeks=110, origins=80)
    _, lender = backtest_and_combine(earlier, tmp_path / "lender", {}, workers=1)
    tracks = {kind: [mine.track] for kind, mine in lender.items()}
    _, alone = backtest_and_combine(plan, tmp_path / "own", {}, workers=1)
    _, taught = backtest_and_combine(plan, tmp_path / "own", tracks, workers=1)
    assert np.ptp(alone["region"].track.steps[0].weight, axis=2).max() == 0
    assert np.ptp(taught["region"].track.steps[0].weight, axis=2).max() > 0
    assert taught["region"].latest.origins == 120


def test_a_member_that_is_not_there_is_left_out_and_none_is_an_error(plugin, tmp_path):
    plan = planned(plugin, Combination(members=("short", "gone")))
    _, found = backtest_and_combine(plan, tmp_path / "trial", {}, workers=1)
    assert found["region"].members == ("short",)
    with pytest.raises(InputError, match="each once"):
        run_backtest(
            planned(plugin, Combination(members=("long", "gone"), name="short")), tmp_path / "trial", workers=1
        )


def test_distributions_come_back_as_they_were_kept():
    rng = np.random.default_rng(1)
    laws = [rng.dirichlet(np.full(k, 0.3), (2, 3)) for k in (5, 9)]
    for law, found in zip(laws, marginals_of(marginal_table(laws), 2, 3), strict=True):
        np.testing.assert_allclose(found, law[..., : found.shape[2]], atol=1e-6)
        np.testing.assert_allclose(found.sum(axis=2), 1)
