"""Scores of joint paths in a record: right dependence is told from wrong, and the combined model has them too."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from forecast.combination.dependence import pooled_paths
from forecast.combination.settings import Combination
from forecast.errors import InputError
from forecast.evaluation.backtest import read_record, run_backtest
from forecast.evaluation.block_file import path_table, paths_of, unpack_block
from forecast.evaluation.joint import (
    JOINT_PATHS,
    JOINT_SCORES,
    MOST_UNITS,
    VIEWS,
    joint_scores,
    joint_skill,
    some_paths,
)
from forecast.evaluation.planned_blocks import plan_blocks
from forecast.evaluation.sample_scores import energy_score, variogram_score
from forecast.provenance import generator

HORIZON, UNITS = 6, 5


def shared_level(rng, m):
    """Counts of units and weeks that all go up and down together, shape (m, horizon, units)."""
    level = rng.gamma(0.8, 5, (m, 1, 1))
    return rng.poisson(np.broadcast_to(level, (m, HORIZON, UNITS)))


def shuffled(rng, paths):
    """The same marginals without any dependence."""
    out = paths.reshape(len(paths), -1).copy()
    for column in out.T:
        rng.shuffle(column)
    return out.reshape(paths.shape)


def test_the_right_dependence_has_the_lower_scores():
    rng = np.random.default_rng(1)
    right, wrong = [], []
    for _ in range(300):
        (came,), paths = shared_level(rng, 1), shared_level(rng, JOINT_PATHS)
        seen = np.ones(came.shape, np.bool_)
        right.append(joint_scores(paths, came, seen)[0])
        wrong.append(joint_scores(shuffled(rng, paths), came, seen)[0])
    gain = np.array(wrong) - np.array(right)
    assert (gain.mean(axis=0) > 4 * gain.std(axis=0) / np.sqrt(len(gain))).all()


def test_the_scores_are_those_of_sums_over_weeks_and_over_units():
    rng = np.random.default_rng(2)
    (came,), paths = shared_level(rng, 1), shared_level(rng, 50)
    seen = np.ones(came.shape, np.bool_)
    seen[1, 2] = False
    scores, dimensions = joint_scores(paths, came, seen)
    kept, weeks = [0, 1, 3, 4], [0, 2, 3, 4, 5]
    units = paths[:, :4].sum(axis=1)[:, kept], came[:4].sum(axis=0)[kept]
    totals = paths.sum(axis=2)[:, weeks], came.sum(axis=1)[weeks]
    expected = [[float(energy_score(*each)), float(variogram_score(*each))] for each in (units, totals)]
    np.testing.assert_allclose(scores, expected, rtol=1e-12)
    assert dimensions.tolist() == [4, 5]


def test_nothing_is_scored_that_is_not_known_or_has_no_pairs():
    paths = np.ones((3, 2, 1), np.int32)
    scores, dimensions = joint_scores(paths, np.ones((2, 1), np.int64), np.ones((2, 1), np.bool_))
    assert np.isnan(scores[0]).all()
    assert np.isfinite(scores[1]).all()
    assert dimensions.tolist() == [1, 2]
    assert np.isnan(joint_scores(paths[:0], np.ones((2, 1), np.int64), np.ones((2, 1), np.bool_))[0]).all()


def test_so_many_units_have_no_pairs_to_be_kept():
    assert some_paths(np.zeros((300, 1, MOST_UNITS + 1), np.int32)).shape == (0, 1, MOST_UNITS + 1)
    assert len(some_paths(np.zeros((300, 1, MOST_UNITS), np.int32))) == JOINT_PATHS
    assert len(some_paths(np.zeros((30, 1, 2), np.int32))) == 30


def test_paths_come_back_as_they_were_kept():
    rng = np.random.default_rng(3)
    paths = [rng.poisson(2.0, (m, 2, 3)).astype(np.int32) for m in (5, 0, 4)]
    for kept, found in zip(paths, paths_of(path_table(paths), 2, 3), strict=True):
        np.testing.assert_array_equal(kept, found)


@pytest.fixture(scope="module")
def whole(plugin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("joint") / "trial"
    plan = dataclasses.replace(plugin.make_plan(), combination=Combination(members=("short", "long")))
    return plan, folder, run_backtest(plan, folder, workers=1)


def test_every_model_of_a_record_has_them_at_the_same_origins(whole):
    _, _, record = whole
    table = record.joint
    assert set(table["model"]) == {"short", "long", "combined"}
    assert set(zip(table["joint"], table["score"], strict=True)) == {(v, s) for v in VIEWS for s in JOINT_SCORES}
    keys = ["origin", "unit_kind", "joint", "score", "dimensions"]
    each = [table.loc[table["model"] == name, keys].reset_index(drop=True) for name in ("short", "long", "combined")]
    pd.testing.assert_frame_equal(each[0], each[1])
    pd.testing.assert_frame_equal(each[0], each[2])


def test_the_combined_model_is_scored_on_whole_paths_of_its_members(whole):
    plan, folder, record = whole
    store = folder.parent / f".blocks-{folder.name}"
    first = [block for block in plan_blocks(plan) if block.kind == "region" and plan.origins[0] in block.origins]
    paths = {
        block.model.name: paths_of(unpack_block((store / f"{block.key}.block").read_bytes())["paths"], 4, 4)[0]
        for block in first
    }
    origin, panel = plan.origins[0], plan.panels["region"]
    rng = generator(plan.seed, "joint", "region", f"{origin:%Y-%m-%d}")
    pooled = pooled_paths([paths["short"], paths["long"]], [0.5, 0.5], rng)
    start = panel.weeks.get_loc(origin)
    here = slice(start, start + 4)
    expected, _ = joint_scores(pooled, panel.counts[here], panel.observed[here])
    table = record.joint.query("model == 'combined' and unit_kind == 'region'")
    np.testing.assert_allclose(table.loc[table["origin"] == origin, "value"], expected[np.isfinite(expected)])


def test_skill_is_that_of_the_mean_scores(whole):
    _, _, record = whole
    rng = np.random.default_rng(1)
    found = joint_skill(record.joint, ["combined", "short"], "short", "region", rng)
    assert found["skill"][found["model"] == "short"].eq(0).all()
    mean = (
        record.joint.query("unit_kind == 'region'").groupby(["joint", "score", "model"], observed=True)["value"].mean()
    )
    for row in found.to_dict("records"):
        key = row["joint"], row["score"]
        assert row["loss"] == pytest.approx(mean[*key, row["model"]])
        assert row["skill"] == pytest.approx(1 - mean[*key, row["model"]] / mean[*key, "short"])
    assert joint_skill(record.joint, ["combined", "absent"], "combined", "region", rng).empty


def test_a_record_without_them_is_told_to_be_made_again(whole, tmp_path):
    plan, _, _ = whole
    folder = tmp_path / "trial"
    run_backtest(plan, folder, workers=1, blocks=whole[1].parent / ".blocks-trial")
    manifest = folder / "manifest.json"
    (folder / "joint.parquet").unlink()
    lines = [line for line in manifest.read_text().splitlines() if '"joint.parquet"' not in line]
    manifest.write_text("\n".join(lines))
    with pytest.raises(InputError, match="earlier version"):
        read_record(folder)
