import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import psutil
import pytest

from forecast.errors import ForecastError, InputError
from forecast.evaluation.backtest import blocks_folder, plan_origins, read_record, run_backtest
from forecast.evaluation.blocks_ahead import waiting_blocks
from forecast.evaluation.comparison import leaderboard
from forecast.evaluation.planned_blocks import plan_blocks
from forecast.evaluation.record import HEAD, QUANTILE_LEVELS
from forecast.evaluation.scores import SCORES, score_forecast
from forecast.panel.weeks import WEEK
from forecast.predictive.escalation import AboveRecent, probability
from forecast.provenance import generator

# A shell starts its background jobs with SIGINT ignored, and they hand that on: the blow must land all the same.
RUN = """
import signal
import sys
from pathlib import Path
from recent_poisson import make_plan
from forecast.evaluation.backtest import run_backtest
signal.signal(signal.SIGINT, signal.default_int_handler)
run_backtest(make_plan(), Path(sys.argv[1]), workers=int(sys.argv[2]))
"""

PUBLISHED = ["forecasts.parquet", "joint.parquet", "leaderboard.csv", "manifest.json", "risk.parquet", "scores.parquet"]


posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def block_files(folder):
    return sorted((folder.parent / f".blocks-{folder.name}").glob("*.block"))


@pytest.fixture(scope="module")
def whole(plugin, tmp_path_factory):
    """Plan, folder and record of a backtest in this process that nothing disturbed."""
    plan = plugin.make_plan()
    folder = tmp_path_factory.mktemp("whole") / "trial"
    return plan, folder, run_backtest(plan, folder, workers=1)


def test_two_workers_give_the_same_bytes_as_one(whole, tmp_path):
    plan, folder, _ = whole
    run_backtest(plan, tmp_path / "trial", workers=2)
    assert list(content(folder)) == PUBLISHED
    assert content(tmp_path / "trial") == content(folder)


def test_forecasts_have_a_row_for_each_cell_in_order(whole):
    plan, _, record = whole
    table = record.forecasts
    assert len(table) == len(plan.models) * len(plan.origins) * plan.horizon * (4 + 2)
    assert list(table.columns) == [
        *("model", "origin", "horizon", "week", "unit", "unit_kind", "activity", "observed", "mean"),
        *(f"q{level:g}" for level in QUANTILE_LEVELS),
        *(f"p{count}" for count in range(HEAD)),
    ]
    kinds = {name: str(kind) for name, kind in table.dtypes.items()}
    assert {kinds[name] for name in ("model", "unit", "unit_kind", "activity")} == {"category"}
    assert kinds["origin"] == kinds["week"] == "datetime64[s]"
    assert kinds["observed"] == "Int64"
    assert (table["week"] == table["origin"] + (table["horizon"] - 1) * WEEK).all()
    first = table.iloc[: plan.horizon * 4]
    assert first["model"].eq("short").all()
    assert first["unit_kind"].eq("region").all()
    assert first["horizon"].tolist() == [h for h in range(1, 5) for _ in range(4)]
    assert first["unit"].tolist() == [f"region {at}" for at in range(4)] * 4


def test_tables_hold_what_the_model_said_and_its_scores(whole):
    plan, _, record = whole
    panel, spec = plan.panels["region"], plan.models[0]
    block = next(block for block in plan_blocks(plan) if block.kind == "region" and len(block.origins) == 5)
    fit_day, origin = block.origins[0], block.origins[3]
    fit_rng = generator(plan.seed, "fit", "short", "region", f"{fit_day:%Y-%m-%d}")
    rng = generator(plan.seed, "predict", "short", "region", f"{origin:%Y-%m-%d}")
    known = panel.until(origin)
    found = spec.fit(panel.until(fit_day), fit_rng).update(known).predict(4, plan.draws, rng)

    rows = record.forecasts.query("model == 'short' and unit_kind == 'region' and origin == @origin")
    np.testing.assert_array_equal(rows["mean"], found.mean().ravel())
    np.testing.assert_array_equal(rows["q0.9"], found.quantile([0.9]).ravel())
    np.testing.assert_array_equal(rows["p0"], found.pmf[..., 0].ravel().astype(np.float32))

    start = len(known.weeks)
    counts, seen = panel.counts[start : start + 4], panel.observed[start : start + 4]
    assert len(counts) == 4
    expected = score_forecast(found, counts)
    scores = record.scores.query("model == 'short' and unit_kind == 'region' and origin == @origin")
    for name in SCORES:
        np.testing.assert_array_equal(scores.loc[scores["score"] == name, "value"], expected[name][seen])

    risk = record.risk.query("model == 'short' and unit_kind == 'region' and origin == @origin")
    any_event = risk[risk["escalation"] == "any"]
    decided = seen[:2].all(axis=0)
    assert any_event["unit"].tolist() == [name for name, known in zip(panel.units.names, decided, strict=True) if known]
    np.testing.assert_array_equal(any_event["outcome"], (counts[:2].sum(axis=0) > 0)[decided])
    np.testing.assert_array_equal(any_event["probability"], probability(plan.escalations[0], found, known)[decided])
    np.testing.assert_allclose(any_event["brier"], (any_event["probability"] - any_event["outcome"]) ** 2)


def test_outcome_of_a_rule_is_measured_against_the_record_before_the_origin(whole):
    plan, _, record = whole
    panel, rule = plan.panels["region"], AboveRecent(name="above", rule="above_recent", window=26)
    rows = record.risk.query("model == 'long' and unit_kind == 'region' and escalation == 'above'")
    assert rows["outcome"].nunique() == 2
    for row in rows.itertuples():
        start, unit = panel.weeks.get_loc(row.origin), panel.units.index(row.unit)
        spans = [slice(at, at + 4) for at in range(start - 26, start - 3)]
        sums = [panel.counts[span, unit].sum() for span in spans if panel.observed[span, unit].all()]
        assert row.outcome == (panel.counts[start : start + 4, unit].sum() > np.quantile(sums, rule.quantile))


def test_missing_and_future_weeks_are_not_scored(whole):
    plan, _, record = whole
    panel = plan.panels["region"]
    rows = record.forecasts[record.forecasts["unit_kind"] == "region"]
    missing, future = panel.weeks[45], panel.weeks[-1]
    assert rows.loc[rows["week"] == missing, "observed"].isna().all()
    assert rows.loc[rows["week"] > future, "observed"].isna().all()
    assert (rows["week"] > future).sum() == len(plan.models) * 4 * (1 + 2 + 3)
    within = (rows["week"] != missing) & (rows["week"] <= future)
    assert rows.loc[within, "observed"].notna().all()
    target = record.scores["origin"] + (record.scores["horizon"] - 1) * WEEK
    assert not target.isin([missing]).any()
    assert target.max() == future
    scored = record.scores[record.scores["unit_kind"] == "region"]
    assert len(scored) == within.sum() * len(SCORES)
    spanning = record.risk["origin"].between(missing - WEEK, missing) & (record.risk["escalation"] == "any")
    assert not spanning.any()


def test_activity_counts_the_year_before_the_origin(whole):
    plan, _, record = whole
    panel = plan.panels["region"]
    for row in record.forecasts.query("model == 'short' and unit_kind == 'region' and horizon == 1").itertuples():
        start = panel.weeks.get_loc(row.origin)
        events = panel.counts[max(0, start - 52) : start, panel.units.index(row.unit)].sum()
        assert row.activity == ("active" if events >= 10 else "low" if events else "silent")
    assert set(record.forecasts["activity"]) >= {"active", "low"}


def test_leaderboard_and_manifest(whole):
    plan, folder, record = whole
    board = record.leaderboard
    assert list(board.columns) == [
        *("model", "n", "crps", "log", "dss", "wis", "brier_any", "brier_above", "brier_double"),
        *("cov50", "cov80", "cov95", "skill", "skill_low", "skill_high", "log_capped"),
    ]
    assert board["crps"].is_monotonic_increasing
    again = leaderboard(record.scores, record.risk, references=(), rng=np.random.default_rng(0))
    pd.testing.assert_frame_equal(board, again, check_exact=True)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["missing_cells"] == {"long": 0, "short": 0}
    assert record.source == manifest["source"] == "test regions, on final data"
    assert manifest["vintages"] is False
    assert [model["name"] for model in manifest["models"]] == [model.name for model in plan.models]


def test_reading_gives_the_same_record(whole):
    _, folder, record = whole
    again = read_record(folder)
    for field in dataclasses.fields(record):
        one, other = getattr(record, field.name), getattr(again, field.name)
        if isinstance(one, pd.DataFrame):
            pd.testing.assert_frame_equal(one, other)
        else:
            assert one == other


def test_reading_a_damaged_record_is_an_error(whole, tmp_path):
    _, folder, _ = whole
    for name, text in content(folder).items():
        (tmp_path / name).write_bytes(text)
    (tmp_path / "risk.parquet").write_bytes((folder / "scores.parquet").read_bytes())
    with pytest.raises(InputError, match="damaged"):
        read_record(tmp_path)
    with pytest.raises(InputError, match="no backtest 'absent'"):
        read_record(tmp_path / "absent")


def strike(folder, workers, blow, *, enough, delay, **environment):
    """Run the backtest in a process of its own and end it by a signal, `delay` seconds after `enough` blocks exist."""
    command = [sys.executable, "-c", RUN, str(folder), str(workers)]
    process = subprocess.Popen(
        command, env={**os.environ, **environment, "OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL
    )
    while len(block_files(folder)) < enough and process.poll() is None:
        time.sleep(0.005)
    time.sleep(delay)
    children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(blow)
    process.wait(20)
    assert psutil.wait_procs(children, timeout=10)[1] == [], "workers live on"
    return len(block_files(folder))


@posix
def test_goes_on_after_being_killed_at_any_moment(whole, tmp_path):
    plan, undisturbed, _ = whole
    folder, log = tmp_path / "trial", tmp_path / "fits"
    total = len(plan_blocks(plan))
    rng = np.random.default_rng()  # another moment every time
    while_computing = {"enough": 3, "delay": rng.uniform(0, 0.3), "FIT_DELAY": "0.1", "FIT_LOG": str(log)}
    first = strike(folder, 1, signal.SIGKILL, **while_computing)
    assert 3 <= first < total
    assert not folder.exists()
    around_publication = {"enough": total, "delay": rng.uniform(0, 0.15), "FIT_LOG": str(log)}
    assert strike(folder, 1, signal.SIGKILL, **around_publication) == total
    assert not folder.exists() or content(folder) == content(undisturbed)
    # Fits are logged as they begin: the blow costs the one block that was being computed.
    assert total <= len(log.read_text().splitlines()) <= total + 1
    run_backtest(plan, folder, workers=1)
    assert content(folder) == content(undisturbed)


@posix
@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them_and_the_rest_is_done_later(whole, tmp_path):
    plan, undisturbed, _ = whole
    folder = tmp_path / "trial"
    rng = np.random.default_rng(7)
    found = [0]
    for blow in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        moment = {"enough": found[-1] + 3, "delay": rng.uniform(0, 0.3)}
        found.append(strike(folder, 2, blow, **moment, FIT_DELAY="0.6"))
        assert found[-1] >= found[-2] + 3
    assert found[-1] < len(plan_blocks(plan))
    run_backtest(plan, folder, workers=2)
    assert content(folder) == content(undisturbed)


def test_a_longer_plan_uses_the_blocks_it_has(plugin, tmp_path, monkeypatch):
    log = tmp_path / "fits"
    monkeypatch.setenv("FIT_LOG", str(log))
    folder = tmp_path / "trial"
    models = (plugin.make_model("short", window=4),)

    def fits(weeks, origins):
        log.write_text("")
        panel = plugin.make_panel(weeks=weeks)
        plan = plugin.make_plan(weeks, origins, models=models, panels={"region": panel})
        record = run_backtest(plan, folder, workers=1)
        return plan, record, log.read_text().splitlines()

    plan, before, first = fits(60, 30)
    assert len(first) == len(plan_blocks(plan))
    assert fits(60, 30)[2] == []
    grown, after, second = fits(61, 31)
    # Only blocks that gained an origin or an outcome: their last target week is a new one.
    fresh = [block for block in plan_blocks(grown) if block.origins[-1] + 4 * WEEK > plan.panels["region"].origin]
    assert second == [f"{block.origins[0]:%Y-%m-%d}" for block in fresh]
    assert 0 < len(fresh) < len(first)
    said = [name for name in before.forecasts.columns if name != "observed"]
    kept = after.forecasts[after.forecasts["origin"] < grown.origins[-1]].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept[said], before.forecasts[said])
    assert len(block_files(folder)) == len(plan_blocks(grown))


def test_blocks_of_the_last_model_are_computed_first_and_each_models_in_their_order(plugin, tmp_path):
    plan = plugin.make_plan()
    planned = plan_blocks(plan)
    assert len({block.model.name for block in planned}) > 1
    waiting = waiting_blocks(planned, tmp_path)
    assert list(dict.fromkeys(block.model.name for block in waiting)) == [model.name for model in reversed(plan.models)]
    for model in plan.models:
        keys = [[block.key for block in blocks if block.model.name == model.name] for blocks in (planned, waiting)]
        assert keys[0] == keys[1]


def test_damaged_blocks_are_computed_again_and_unused_ones_removed(whole, plugin, tmp_path, monkeypatch):
    plan, undisturbed, _ = whole
    folder, log = tmp_path / "trial", tmp_path / "fits"
    run_backtest(plan, folder, workers=1)
    files = block_files(folder)
    files[0].write_bytes(files[0].read_bytes()[:-1])
    files[1].write_bytes(b"")
    altered = bytearray(files[2].read_bytes())
    altered[len(altered) // 2] ^= 1
    files[2].write_bytes(altered)
    stray = files[0].with_name("0" * 64 + ".block")
    stray.write_bytes(b"x")
    steps = []
    monkeypatch.setenv("FIT_LOG", str(log))
    run_backtest(plan, folder, workers=1, progress=lambda done, total: steps.append((done, total)))
    total = len(files)
    assert steps == [(done, total) for done in range(total - 3, total + 1)]
    assert len(log.read_text().splitlines()) == 3
    assert content(folder) == content(undisturbed)
    assert block_files(folder) == files


def test_another_record_uses_the_blocks_and_removes_none(plugin, whole, tmp_path):
    plan, folder, _ = whole
    run_backtest(plan, tmp_path / "trial", workers=1)
    before = {path.name: path.stat().st_mtime_ns for path in block_files(tmp_path / "trial")}
    shorter = dataclasses.replace(plan, origins=plan.origins[:2])
    run_backtest(shorter, tmp_path / "earlier", workers=1, blocks=blocks_folder(tmp_path / "trial"))
    assert block_files(tmp_path / "earlier") == []
    assert content(tmp_path / "trial") == content(folder)
    after = {path.name: path.stat().st_mtime_ns for path in block_files(tmp_path / "trial")}
    assert {name: after[name] for name in before} == before
    run_backtest(plan, tmp_path / "again", workers=1, blocks=blocks_folder(tmp_path / "trial"))
    assert content(tmp_path / "again") == content(folder)


def test_a_block_depends_on_what_was_known_and_asked(plugin):
    plan = plugin.make_plan()
    keys = [block.key for block in plan_blocks(plan)]
    assert len(set(keys)) == len(keys)
    reworded = tuple(model.model_copy(update={"title": "Another"}) for model in plan.models)
    assert [block.key for block in plan_blocks(dataclasses.replace(plan, models=reworded))] == keys
    for change in ({"seed": 4}, {"draws": 201}, {"horizon": 5}, {"escalations": plan.escalations[:1]}):
        assert not {block.key for block in plan_blocks(dataclasses.replace(plan, **change))} & set(keys)
    late = plan.panels["region"].counts.copy()
    late[-1, 0] += 1
    panels = {**plan.panels, "region": dataclasses.replace(plan.panels["region"], counts=late)}
    for block, key in zip(plan_blocks(dataclasses.replace(plan, panels=panels)), keys, strict=True):
        assert (block.key != key) == (
            block.kind == "region" and block.panel.weeks[-1] == plan.panels["region"].weeks[-1]
        )


def test_nothing_after_the_origin_changes_a_forecast(whole, plugin, tmp_path):
    plan, _, record = whole
    turn = 12
    origin = plan.origins[turn]
    start = plan.panels["region"].weeks.get_loc(origin)
    panels = {}
    for kind, panel in plan.panels.items():
        counts, observed = panel.counts.copy(), panel.observed.copy()
        counts[start:], observed[start:] = 50, True
        panels[kind] = dataclasses.replace(panel, counts=counts, observed=observed)
    altered = run_backtest(dataclasses.replace(plan, panels=panels), tmp_path / "trial", workers=1)
    said = [name for name in record.forecasts.columns if name != "observed"]

    def until(table):
        return table.loc[table["origin"] <= origin, said].reset_index(drop=True)

    pd.testing.assert_frame_equal(until(altered.forecasts), until(record.forecasts), check_exact=True)
    later = record.forecasts["origin"] == plan.origins[turn + 1]
    assert (altered.forecasts.loc[later, "mean"] != record.forecasts.loc[later, "mean"]).any()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_model_that_fails_is_named(plugin, tmp_path, workers):
    plan = plugin.make_plan()
    day = f"{plan_blocks(plan)[1].origins[0]:%Y-%m-%d}"
    models = (plan.models[0], plugin.make_model("frail", fails_at=day))
    with pytest.raises(
        ForecastError, match=f"'frail' failed on the region panel at origin {day}.*no such luck"
    ) as caught:
        run_backtest(dataclasses.replace(plan, models=models), tmp_path / "trial", workers=workers)
    assert "no such luck" in str(caught.value.__cause__)
    assert not (tmp_path / "trial").exists()


def test_parameters_come_from_the_fit_panel_cut_at_the_origin(plugin, tmp_path):
    other = plugin.make_panel(weeks=70, units=3, seed=9)
    model = plugin.make_model("borrowed").model_copy(update={"fit_on": "other"})
    plan = plugin.make_plan(models=(model,), fit_panels={("other", "region"): other})
    record = run_backtest(plan, tmp_path / "trial", workers=1)
    block = next(block for block in plan_blocks(plan) if block.kind == "region")
    origin = block.origins[0]
    assert block.fit_origin <= origin
    assert block.fit_panel.origin == block.fit_origin
    rng = generator(plan.seed, "fit", "borrowed", "region", f"{block.fit_origin:%Y-%m-%d}")
    known = plan.panels["region"]
    fitted = model.fit(known.until(block.fit_origin), rng, fit_panel=other).update(known.until(origin))
    expected = fitted.predict(4, 10, rng).mean()
    rows = record.forecasts.query("unit_kind == 'region' and origin == @origin")
    np.testing.assert_array_equal(rows["mean"], expected.ravel())
    own = [block for block in plan_blocks(plan) if block.kind == "place"]
    assert all(block.fit_panel is None for block in own)
    late = {("other", "region"): other.weeks_between(55, 70)}
    with pytest.raises(ForecastError, match=r"no fit on 'other' \(region panel\) at origin"):
        run_backtest(dataclasses.replace(plan, fit_panels=late), tmp_path / "trial", workers=1)


def test_a_plan_that_moves_on_keeps_what_it_said(plugin, tmp_path):
    plan = plugin.make_plan(refit_every=5)
    whole = run_backtest(plan, tmp_path / "whole", workers=1).forecasts
    later = dataclasses.replace(plan, origins=plan.origins[3:])
    moved = run_backtest(later, tmp_path / "later", workers=1).forecasts
    kept = whole[whole["origin"].isin(later.origins)].reset_index(drop=True)
    pd.testing.assert_frame_equal(moved, kept)


def test_an_origin_whose_first_week_nobody_knows_is_none(plugin):
    panel = plugin.make_panel("region", 20)
    observed = panel.observed.copy()
    observed[12:15] = False
    observed[17, 1:] = False
    origins = plan_origins(dataclasses.replace(panel, observed=observed), origins=6, first_after=8)
    assert origins.equals(panel.weeks[[10, 11, 15, 16, 17, 18, 19]][-6:])


def test_origins_are_the_latest_with_a_known_target_week(plugin):
    panel = plugin.make_panel(weeks=20)
    assert plan_origins(panel, origins=5, first_after=8).equals(panel.weeks[15:])
    assert plan_origins(panel, origins=50, first_after=8).equals(panel.weeks[8:])
    with pytest.raises(InputError, match="no origin"):
        plan_origins(panel, origins=5, first_after=20)


def test_a_plan_that_cannot_be_carried_out_is_refused(plugin, tmp_path):
    plan = plugin.make_plan()
    for change, words in (
        ({"models": (plan.models[0], plan.models[0])}, "each once"),
        ({"origins": plan.origins[::-1]}, "ascending"),
        ({"origins": plan.origins + pd.Timedelta(days=1)}, "does not follow a week"),
        ({"origins": plan.origins + 2 * WEEK}, "does not follow a week"),
        ({"horizon": 3}, "beyond horizon"),
    ):
        with pytest.raises(InputError, match=words):
            run_backtest(dataclasses.replace(plan, **change), tmp_path / "trial", workers=1)
    with pytest.raises(InputError, match="0 workers"):
        run_backtest(plan, tmp_path / "trial", workers=0)
