"""What the combined model brings under the trials' protocol, with what each of its steps brought or cost.

Mali, Burkina Faso and Niger, 30 regions, horizons 1 to 8, target weeks of 2017 to 2019 as in ``embedded_protocol.py``;
forecasts begin in 2012, so that weights, maps and switches have earlier origins to be learned from, as they were known
at each. How members were chosen is said at `POOLS`. Writes ``combination.csv`` (scores, calibration, skill),
``combination_events.csv`` (escalations against the window model) and ``combination_steps.csv`` (over all origins since
2012) to ``benchmarks/results/``, and prints them; with other choices it only prints. The blocks of the backtest are
kept in ``--keep``.

    python benchmarks/studies/combination.py
    python benchmarks/studies/combination.py --pools best-three --first 2013-01-01 --last 2016-12-31
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from forecast.combination.settings import Combination
from forecast.evaluation.backtest import blocks_folder, run_backtest
from forecast.evaluation.calibration import central_coverage, reliability
from forecast.evaluation.diagnosis import pit_band
from forecast.evaluation.plan import BacktestPlan
from forecast.evaluation.record import BacktestRecord
from forecast.evaluation.resampling import bootstrap_interval
from forecast.families.model import choose_models
from forecast.panel.dataset import Dataset
from forecast.panel.weeks import WEEK
from forecast.provenance import generator
from forecast.workspace import open_workspace

sys.path.insert(0, str(Path(__file__).parent))
from embedded_protocol import COUNTRIES, HORIZON, REFERENCE, ROOT, TRIALS, Targets, summary, target_scores

POOLS = {
    # Of what can be back-tested within a run of the reference workspace; named with the targets in sight.
    "affordable": ("direct-endemic", "excited-hurdle", "discount-negbin"),
    # Three of different kinds, the cheapest that are good; named with the targets in sight.
    "three-kinds": ("direct-endemic", "dynamic-poisson-gamma", "excited-hurdle"),
    # The best three on targets of 2013 to 2016, by CRPS and log score relative to the best single model's.
    "best-three": ("dynamic-poisson-gamma", "excited-hurdle", "tree-forest"),
    # One model of each family that had a better log score than the window model on targets of 2013 to 2016.
    "families": (
        *("direct-endemic", "grid-filter", "tree-boosting", "excited-hurdle"),
        *("discrete-hawkes", "dynamic-poisson-gamma", "hidden-markov"),
    ),
}
SINGLES = (
    *("direct-endemic", "grid-filter", "tree-boosting", "tree-forest", "excited-hurdle", "discrete-hawkes"),
    *("dynamic-poisson-gamma", "hidden-markov", "discount-negbin", "endemic-epidemic", "ingarch", "glm-negbin"),
)
LEARN_FROM = pd.Timestamp("2012-01-01")
RESULTS = Path(__file__).parent / "results"


def trial(names: Sequence[str], targets: Targets) -> BacktestPlan:
    """Return the protocol with origins from 2012 on."""
    workspace = open_workspace(ROOT)
    panel = Dataset.open(ROOT / "data" / "west-africa-weekly").region_panel(countries=targets.countries)
    panel = panel.until(targets.last + WEEK)
    return BacktestPlan(
        name="combination",
        panels={"region": panel},
        fit_panels={},
        models=tuple(choose_models(workspace.catalogue, list(dict.fromkeys([*names, REFERENCE])), where="models")),
        escalations=workspace.spec.escalations,
        origins=panel.weeks[panel.weeks.searchsorted(LEARN_FROM) :],
        horizon=HORIZON,
        refit_every=13,
        draws=1000,
        seed=1,
    )


def calibration(record: BacktestRecord, targets: Targets) -> pd.DataFrame:
    """Return coverage overall, in active regions and at horizons 1, 4 and 8, and how many PIT bars leave their band."""
    rows = {}
    for model, mine in target_scores(record, targets).groupby("model", observed=True):
        wide = mine.pivot_table(
            index=["origin", "horizon", "unit", "activity"], columns="score", values="value", observed=True
        ).reset_index()
        parts = {"": wide, "active_": wide[wide["activity"] == "active"]}
        parts |= {f"h{h}_": wide[wide["horizon"] == h] for h in (1, 4, 8)}
        found = dict[str, float]()
        for name, part in parts.items():
            shares = central_coverage(part[["pit_below", "pit_upto"]].to_numpy())
            found |= {f"{name}cov{level}": share for level, share in zip((50, 80, 95), shares, strict=True)}
        for name in ("", "active_"):
            pit = parts[name][["pit_below", "pit_upto"]].to_numpy()
            week = parts[name]["origin"] + pd.to_timedelta(7 * (parts[name]["horizon"] - 1), unit="D")
            band = pit_band(pit, week, generator(1, "pit", str(model), name))
            outside = (band["density"] < band["low"]) | (band["density"] > band["high"])
            found[f"{name}pit_outside"] = int(outside.sum())
        rows[str(model)] = found
    return pd.DataFrame(rows).T.rename_axis("model")


def events(record: BacktestRecord, targets: Targets) -> pd.DataFrame:
    """Return Brier score, its CORP parts, and the gain over the window model, of each model and escalation."""
    risk = record.risk[record.risk["origin"] >= targets.first]
    rows = []
    for (rule, scope), cases in _scopes(risk):
        reference = cases[cases["model"] == REFERENCE].set_index(["origin", "unit"])["brier"]
        for model, mine in cases.groupby("model", observed=True):
            parts = reliability(
                mine["probability"], mine["outcome"], mine["origin"], generator(1, rule), replicates=500
            )
            each = mine.set_index(["origin", "unit"])["brier"]
            by_week = pd.DataFrame({"base": reference, "mine": each}).groupby("origin").sum()
            gain = 1 - by_week["mine"].sum() / by_week["base"].sum()
            won = (by_week["base"] - by_week["mine"]).to_numpy()[:, None]
            low, high = bootstrap_interval(won, by_week["base"].to_numpy()[:, None], generator(1, "events"))
            figures = (len(mine), parts.score, parts.miscalibration, parts.discrimination, parts.uncertainty)
            shares = np.array([parts.miscalibration, parts.right_mean, parts.right_high]) / (parts.score or np.nan)
            rows.append((rule, scope, str(model), *figures, *shares, gain, low[0], high[0]))
    names = ["escalation", "activity", "model", "n", "brier", "mcb", "dsc", "unc"]
    shares = ["mcb_share", "mcb_share_right", "mcb_share_right_high"]  # the last two by chance, if all were right
    return pd.DataFrame(rows, columns=[*names, *shares, "gain", "gain_low", "gain_high"])


def _scopes(risk: pd.DataFrame) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    found = []
    for rule, cases in risk.groupby("escalation", observed=True):
        found.append(((str(rule), "all"), cases))
        found += [((str(rule), str(kind)), mine) for kind, mine in cases.groupby("activity", observed=True)]
    return found


def main() -> None:
    """Run every pool, and the single models once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pools", nargs="*", choices=list(POOLS), default=list(POOLS))
    parser.add_argument("--first", type=pd.Timestamp, default=TRIALS.first)
    parser.add_argument("--last", type=pd.Timestamp, default=TRIALS.last)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder of the blocks, to go on from")
    chosen = parser.parse_args()
    targets = Targets(chosen.first, chosen.last, COUNTRIES)
    whole = chosen.pools == list(POOLS) and targets == TRIALS
    names = SINGLES if whole else tuple(dict.fromkeys(name for pool in chosen.pools for name in POOLS[pool]))
    plan = trial(names, targets)
    with tempfile.TemporaryDirectory() as temporary:
        folder = (chosen.keep or Path(temporary)) / "record"
        boards, risks, steps = list[pd.DataFrame](), list[pd.DataFrame](), list[pd.DataFrame]()
        for pool in chosen.pools:
            name = f"combined-{pool}"
            combination = Combination(members=POOLS[pool], name=name)
            record = run_backtest(
                replace(plan, combination=combination), folder, workers=chosen.workers, blocks=blocks_folder(folder)
            )
            extra = calibration(record, targets).drop(columns=["cov50", "cov80", "cov95"])
            board, risk = summary(record, targets).join(extra), events(record, targets)
            boards.append(board.loc[[name]] if boards else board)
            risks.append(risk[risk["model"] == name] if risks else risk)
            if record.steps is not None:
                steps.append(record.steps.assign(pool=pool))
            print(boards[-1].to_string(), file=sys.stderr)
    tables = {
        "combination": pd.concat(boards).sort_values("crps").round(5).reset_index(),
        "combination_events": pd.concat(risks, ignore_index=True).round(5),
        "combination_steps": pd.concat(steps, ignore_index=True).round(6),
    }
    for name, table in tables.items():
        print(table.to_string())
        if whole:
            table.to_csv(RESULTS / f"{name}.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
