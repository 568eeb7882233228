"""Scores and reliability of the probabilities that `place_risk` has made.

Writes ``benchmarks/studies/results/place_risk.csv`` (Brier and log score, and what the pool gains over each method),
``place_reliability.csv`` (how often events came by what was said, with the band in which a calibrated forecast would
lie) and the picture of the latter, ``docs/images/place-reliability.svg``.

    python benchmarks/studies/place_risk_scores.py FILE.parquet...
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from forecast.evaluation.calibration import reliability
from forecast.evaluation.comparison import REPLICATES, block_bootstrap
from forecast.jobs.place_calibration import past_map
from forecast.panel.weeks import WEEK
from forecast.provenance import generator

RESULTS = Path(__file__).parent / "results"
PICTURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "place-reliability.svg"
COLUMNS = ("origin", "ring", "radius", "front", "weeks", "came")
SEED = 1
FLOOR = 1e-4
"""Of probabilities in the log score: one surprise must not decide it."""
BLOCK = 13
"""Weeks of origins that a bootstrap keeps together."""
GRID = 0.005
"""To which probabilities are rounded for their reliability: a curve has few points then."""
SHOWN = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
"""Points of the curve that go into the table."""
DRAWN = ("pool", "calibrated")
SPANS = (1, 4, 8)
"""Numbers of weeks whose reliability is shown, beside that of all together."""


def write(said: pd.DataFrame) -> None:
    """Score, print, and write the tables and the picture."""
    said = calibrated(said.reset_index(drop=True))
    scores, curves = score_table(said), reliability_table(said)
    print(scores.round(5).to_string())
    print(curves.groupby(["radius", "weeks", "method"])[["outside", "miscalibration"]].first().round(5).to_string())
    print(f"{said['origin'].nunique()} origins, {said['ring'].nunique()} rings, {len(said)} cases")
    RESULTS.mkdir(exist_ok=True)
    scores.round(5).to_csv(RESULTS / "place_risk.csv", index=False, lineterminator="\n")
    curves.round(5).to_csv(RESULTS / "place_reliability.csv", index=False, lineterminator="\n")
    draw(curves)


def calibrated(said: pd.DataFrame) -> pd.DataFrame:
    """Add the recalibrated pool: each origin's map knows only what had come true by then."""
    out = said["pool"].to_numpy(copy=True)
    week = ((said["origin"] - said["origin"].min()) // WEEK).to_numpy()
    pool, came = said["pool"].to_numpy(), said["came"].to_numpy(dtype=np.float64)
    for (_, weeks), mine in said.groupby(["radius", "weeks"]).indices.items():
        for at in np.unique(week[mine]):
            before, here = mine[week[mine] < at], mine[week[mine] == at]
            out[here] = past_map(week[before], pool[before], came[before], weeks=int(weeks), at=int(at))(pool[here])
    return said.assign(calibrated=out)


def score_table(said: pd.DataFrame) -> pd.DataFrame:
    """Return Brier and log score of each method by radius and distance to the front, and the pool's gain over it.

    Gains are of the pool over the method, as a share of its score, with 90 % intervals by a bootstrap over blocks of
    13 weeks of origins.
    """
    methods = [name for name in said if name not in COLUMNS]
    came = said["came"].to_numpy(dtype=np.float64)
    losses = {}
    for name in methods:
        p = np.clip(said[name].to_numpy(), FLOOR, 1 - FLOOR)
        losses[name, "brier"] = (said[name].to_numpy() - came) ** 2
        losses[name, "log"] = -np.log(np.where(came > 0, p, 1 - p))
    loss = pd.DataFrame(losses)
    groups = [("all", "all", None)]
    groups += [("front", name, said["front"] == name) for name in ("front", "near", "far")]
    groups += [("weeks", str(weeks), said["weeks"] == weeks) for weeks in sorted(said["weeks"].unique())]
    rows = []
    for radius in sorted(said["radius"].unique()):
        for by, group, mask in groups:
            mine = (said["radius"] == radius) if mask is None else (said["radius"] == radius) & mask
            by_origin = loss[mine].groupby(said.loc[mine, "origin"]).mean()
            block = max(BLOCK // max((by_origin.index[1] - by_origin.index[0]).days // 7, 1), 1)
            drawn = block_bootstrap(len(by_origin), REPLICATES, generator(SEED, "bootstrap"), block=block)
            for name in methods:
                row = {"radius": radius, "by": by, "group": group, "method": name, "cases": int(mine.sum())}
                for score in ("brier", "log"):
                    theirs, pool = (by_origin[one, score].to_numpy() for one in (name, "pool"))
                    low, high = np.quantile(1 - (drawn @ pool) / (drawn @ theirs), [0.05, 0.95])
                    row |= {
                        score: theirs.mean(),
                        f"{score}_gain": 1 - pool.mean() / theirs.mean(),
                        f"{score}_gain_low": low,
                        f"{score}_gain_high": high,
                    }
                rows.append(row | {"said": said.loc[mine, name].mean(), "came": came[mine].mean()})
    return pd.DataFrame(rows)


def reliability_table(said: pd.DataFrame) -> pd.DataFrame:
    """Return points of reliability curves with their 90 % consistency bands.

    Returns
    -------
    DataFrame
        radius, weeks ("all" together), method, probability, n (cases within half the way to the neighbouring points),
        came (by isotonic regression), low, high; and of the whole curve: outside, the share of its points (each `GRID`)
        out of the band, of which 10 % would be by chance, and miscalibration, a part of the Brier score.
    """
    tables = []
    spans = [*SPANS, "all"]
    for (radius, mine), weeks in ((group, weeks) for group in said.groupby("radius") for weeks in spans):
        of = mine if weeks == "all" else mine[mine["weeks"] == weeks]
        for method in ("space-time", "regions", "towns", *DRAWN):
            near = (of[method] / GRID).round() * GRID
            rng = generator(SEED, "reliability")
            found = reliability(near.clip(0, 1), of["came"].astype(int), of["origin"], rng)
            curve, tiny = found.curve, 1e-9
            out = (curve["recalibrated"] < curve["low"] - tiny) | (curve["recalibrated"] > curve["high"] + tiny)
            at = np.abs(curve["probability"].to_numpy()[:, None] - np.array(SHOWN)).argmin(axis=0)
            edges = [-np.inf, *((np.array(SHOWN)[1:] + np.array(SHOWN)[:-1]) / 2), np.inf]
            n = np.histogram(near, edges)[0]
            shown = curve.iloc[at][["probability", "recalibrated", "low", "high"]]
            tables.append(
                shown.rename(columns={"recalibrated": "came"}).assign(
                    radius=radius, weeks=str(weeks), method=method, n=n, inside=~out.to_numpy()[at],
                    outside=float(out.mean()), miscalibration=found.miscalibration,
                )
            )  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def draw(curves: pd.DataFrame) -> None:
    """Draw the curves of four weeks."""
    mpl.rcParams |= {"svg.hashsalt": "place", "svg.fonttype": "none"}  # the same bytes each time; text as text
    picture = Figure(figsize=(8.4, 4.2), layout="constrained")
    for axes, (radius, mine) in zip(picture.subplots(1, 2), curves.groupby("radius"), strict=True):
        pool = mine[(mine["weeks"] == "4") & (mine["method"] == "pool")]
        axes.fill_between(
            pool["probability"], pool["low"], pool["high"], color="#c9d8e6", label="90 % band if calibrated"
        )
        axes.plot([0, 1], [0, 1], color="#888888", linewidth=0.8)
        for method, colour in zip(DRAWN, ("#1b4f72", "#b5651d"), strict=True):
            line = mine[(mine["weeks"] == "4") & (mine["method"] == method)]
            axes.plot(line["probability"], line["came"], color=colour, marker="o", markersize=3, label=method)
        axes.set(title=f"{radius} km, 4 weeks", xlabel="said", ylabel="came", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.legend(frameon=False, loc="upper left", fontsize=8)
    PICTURE.parent.mkdir(exist_ok=True)
    picture.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit("skipped: no files of probabilities are named; place_risk.py makes them and scores them itself")
    write(pd.concat([pd.read_parquet(path) for path in sys.argv[1:]]))
