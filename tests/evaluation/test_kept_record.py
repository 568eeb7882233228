"""A record that is there already, made from the same, is neither combined nor written again."""

import dataclasses
import json

import numpy as np
import pytest

from forecast.combination.settings import Combination
from forecast.evaluation import backtest
from forecast.evaluation.backtest import backtest_and_combine
from forecast.evaluation.step_file import ALIKE, pack_steps, unpack_steps

MEMBERS = ("short", "long")
LEARNS = Combination(members=MEMBERS, weights="crps", recalibration="beta", events="surge", least_origins=26)


@pytest.fixture(scope="module")
def made(plugin, tmp_path_factory):
    plan = dataclasses.replace(plugin.make_plan(), combination=LEARNS)
    folder = tmp_path_factory.mktemp("kept") / "trial"
    record, combined = backtest_and_combine(plan, folder, {}, workers=1)
    return plan, folder, record, combined


@pytest.fixture
def written(monkeypatch):
    """Names of the records that are written during a test."""
    found, publish = [], backtest._publish

    def spied(plan, *rest):
        found.append(plan.name)
        return publish(plan, *rest)

    monkeypatch.setattr(backtest, "_publish", spied)
    return found


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def assert_same(first, second):
    """The same steps, and the same is known at the end."""
    assert first.keys() == second.keys()
    for kind, one in first.items():
        other = second[kind]
        assert one.members == other.members
        assert one.track.made_from == other.track.made_from != ""
        np.testing.assert_array_equal(one.latest.trial_weight, other.latest.trial_weight)
        np.testing.assert_array_equal(one.latest.events_on, other.latest.events_on)
        for mine, theirs in zip(one.track.steps, other.track.steps, strict=True):
            np.testing.assert_array_equal(mine.members.pmf, theirs.members.pmf)
            for name in ("pool", "trial", "final", *ALIKE):
                np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))


def test_an_unchanged_record_is_not_made_again(made, written):
    plan, folder, record, combined = made
    before = files(folder)
    again, found = backtest_and_combine(plan, folder, {}, workers=1)
    assert not written
    assert files(folder) == before
    assert again.leaderboard.equals(record.leaderboard)
    assert_same(found, combined)


def test_what_learns_from_it_later_finds_the_same(made, plugin, tmp_path):
    plan, folder, _, combined = made
    _, again = backtest_and_combine(plan, folder, {}, workers=1)
    other = dataclasses.replace(plugin.make_plan(seed=5), combination=LEARNS, name="other")
    results = []
    for at, tracks in enumerate((combined, again)):
        earlier = {kind: [found.track] for kind, found in tracks.items()}
        backtest_and_combine(other, tmp_path / f"{at}" / "other", earlier, workers=1)
        results.append(files(tmp_path / f"{at}" / "other"))
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 99},
        {"draws": 60},
        {"combination": Combination(members=MEMBERS)},
        {"combination": None},
        {"name": "another"},
    ],
)
def test_another_plan_makes_it_anew(made, written, tmp_path, change):
    plan, folder, _, _ = made
    changed = dataclasses.replace(plan, **change)
    backtest_and_combine(changed, folder, {}, workers=1)
    backtest_and_combine(changed, tmp_path / "fresh" / folder.name, {}, workers=1)
    assert len(written) == 2
    assert files(folder) == files(tmp_path / "fresh" / folder.name)
    backtest_and_combine(plan, folder, {}, workers=1)


def test_other_records_to_learn_from_make_it_anew(made, written, plugin, tmp_path):
    plan, folder, _, _ = made
    other = dataclasses.replace(plugin.make_plan(seed=5), combination=LEARNS, name="other")
    _, tracks = backtest_and_combine(other, tmp_path / "other", {}, workers=1)
    backtest_and_combine(plan, folder, {kind: [found.track] for kind, found in tracks.items()}, workers=1)
    assert written == ["other", plan.name]
    backtest_and_combine(plan, folder, {}, workers=1)


@pytest.mark.parametrize("which", ["scores.parquet", "leaderboard.csv", "steps", "manifest.json"])
@pytest.mark.parametrize("how", ["gone", "cut", "altered"])
def test_a_damaged_one_is_made_anew(made, written, which, how):
    plan, folder, _, combined = made
    before = files(folder)
    name = json.loads((folder / "manifest.json").read_text())["made_from"]
    path = folder.parent / f".blocks-{folder.name}" / f"{name}.steps" if which == "steps" else folder / which
    content = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(content[:-20] if how == "cut" else content[:50] + b"?" + content[51:])
    _, found = backtest_and_combine(plan, folder, {}, workers=1)
    assert written == [plan.name]
    assert path.read_bytes() == content
    assert files(folder) == before
    assert_same(found, combined)


def test_steps_of_other_forecasts_are_refused(made):
    _, _, _, combined = made
    steps = {kind: found.track.steps for kind, found in combined.items()}
    members = {kind: [step.members for step in each] for kind, each in steps.items()}
    assert unpack_steps(pack_steps(steps), members).keys() == steps.keys()
    with pytest.raises(ValueError, match="zip"):
        unpack_steps(pack_steps(steps), {kind: each[1:] for kind, each in members.items()})
