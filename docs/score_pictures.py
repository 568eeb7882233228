"""Draw the pictures of docs/explanation, and write the figures that its pages quote: python docs/score_pictures.py.

Everything comes from one backtest on the embedded counts of Mali, Burkina Faso and Niger, with a fixed seed.
"""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

import forecast as fc
from forecast.api.backtest import Backtest
from forecast.evaluation.calibration import central_coverage, pit_histogram
from forecast.plots.theme import CONTRAST, FORECAST, GRID, INK, MUTED

FOLDER = Path(__file__).parent / "images"
FIGURES = "scores.csv"
GOOD, SIMPLE, NARROW = "discount-negbin", "climatology-52", "last"
REGION, WEEK = "Mali/Mopti", "2018-06-23"
LEVELS = (50, 80, 95)
STATED = (0.25, 0.35)


def main(folder: Path = FOLDER) -> None:
    """Make the record, draw the pictures and write the figures."""
    mpl.rcParams |= {"svg.hashsalt": "scores", "svg.fonttype": "none", "font.family": "sans-serif", "text.color": INK}
    mpl.rcParams |= {"axes.edgecolor": MUTED, "axes.labelcolor": INK, "xtick.color": MUTED, "ytick.color": MUTED}
    made = record()
    pictures = {
        "score-statements": statements(made),
        "score-crps": distances(made),
        "score-intervals": intervals(made),
        "score-pit": pits(made),
    }
    for name, picture in pictures.items():
        picture.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None}, facecolor="white")
    with (folder / FIGURES).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("figure", "value"), *figures(made).items()])


def record() -> Backtest:
    """Return the backtest: weekly origins of 2017 to October 2019, one to four weeks ahead, 30 regions."""
    panel = fc.load("west-africa-weekly", countries=["Mali", "Burkina Faso", "Niger"])
    return fc.backtest(
        [GOOD, SIMPLE, NARROW],
        panel,
        start="2016-12-31",
        end="2019-11-02",
        horizon=4,
        draws=200,
        refit_every=26,
        escalations=[fc.any_event(weeks=4)],
    )


def figures(made: Backtest) -> dict[str, str]:
    """Return every figure that the pages quote, as they quote it."""
    said = _said(made)
    found = {
        "statements of 25 to 35 %": f"{len(said)}",
        "their mean": f"{100 * said['probability'].mean():.0f}",
        "came true": f"{100 * said['outcome'].mean():.0f}",
    }
    for model in (GOOD, SIMPLE, NARROW):
        row = made.leaderboard.set_index("model").loc[model]
        found[f"CRPS of {model}"] = f"{row['crps']:.3f}"
        found[f"log score of {model}"] = f"{row['log']:.3f}"
        found[f"Brier score of {model}"] = f"{row['brier_any_in_4']:.3f}"
        found[f"CRPS of {model} in the example"] = f"{_squares(made, model)[1]:.2f}"
        found[f"probability of the count by {model}"] = f"{100 * _one(made, model)['p4']:.0f}"
        held = central_coverage(_active_pit(made, model), [level / 100 for level in LEVELS])
        for level, share in zip(LEVELS, held, strict=True):
            found[f"{level} % range of {model}, active regions"] = f"{100 * share:.0f}"
    weeks = _weeks(made)
    outside = (weeks["observed"] < weeks["q0.1"]) | (weeks["observed"] > weeks["q0.9"])
    return found | {"weeks in the picture": f"{len(weeks)}", "weeks outside": f"{outside.sum()}"}


def statements(made: Backtest) -> Figure:
    """Draw a dot for each statement of about 30 %, filled where an event came."""
    outcome = np.sort(_said(made)["outcome"].to_numpy())[::-1]
    across = 30
    picture = Figure(figsize=(7.5, 2.6), layout="constrained")
    axes = picture.subplots()
    at = np.arange(len(outcome))
    filled = np.where(outcome > 0, FORECAST, "white")
    axes.scatter(at % across, -(at // across), s=90, c=filled, edgecolors=FORECAST, linewidths=1)
    axes.set_axis_off()
    axes.set_title("Statements of 25 to 35 %: filled where an event came within four weeks", loc="left", fontsize=10)
    return picture


def distances(made: Backtest) -> Figure:
    """Draw two cumulative distributions, and how far they are from what came."""
    picture = Figure(figsize=(7.5, 3.2), layout="constrained")
    for axes, model in zip(picture.subplots(1, 2, sharey=True), (GOOD, SIMPLE), strict=True):
        (counts, reached), score = _curve(made, model), _squares(made, model)[1]
        came = np.where(counts >= int(_one(made, model)["observed"]), 1.0, 0.0)
        axes.stairs(reached, [*counts, counts[-1] + 1], baseline=None, color=FORECAST, linewidth=2, label="forecast")
        axes.stairs(came, [*counts, counts[-1] + 1], baseline=None, color=CONTRAST, linewidth=2, label="what came")
        axes.fill_between([*counts, counts[-1] + 1], [*reached, 1], [*came, 1], step="post", color=GRID, zorder=0)
        axes.set_title(f"{model}: CRPS {score:.2f}", loc="left", fontsize=10)
        axes.set_xlabel("events in the week")
        axes.spines[["top", "right"]].set_visible(False)
    picture.axes[0].set_ylabel("probability of at most so many")
    picture.axes[0].legend(loc="lower right", frameon=False, fontsize=9)
    return picture


def intervals(made: Backtest) -> Figure:
    """Draw the 80 % range of each week of a region, said a week before, and what came."""
    weeks = _weeks(made)
    days = pd.to_datetime(weeks["week"]).to_numpy()
    outside = ((weeks["observed"] < weeks["q0.1"]) | (weeks["observed"] > weeks["q0.9"])).to_numpy()
    picture = Figure(figsize=(7.5, 3.0), layout="constrained")
    axes = picture.subplots()
    axes.vlines(days, weeks["q0.1"] - 0.15, weeks["q0.9"] + 0.15, color=FORECAST, alpha=0.35, linewidth=3)
    for which, colour, told in ((~outside, INK, "within"), (outside, CONTRAST, "outside")):
        axes.scatter(days[which], weeks["observed"].to_numpy()[which], s=16, color=colour, zorder=3, label=told)
    axes.set_title(f"{REGION}: range of 80 % said a week before, and the events that came", loc="left", fontsize=10)
    axes.set_ylabel("events in the week")
    axes.legend(loc="upper left", frameon=False, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    return picture


def pits(made: Backtest) -> Figure:
    """Draw the PIT of a model that is about right and of one that is too sure."""
    picture = Figure(figsize=(7.5, 3.0), layout="constrained")
    for axes, model in zip(picture.subplots(1, 2, sharey=True), (GOOD, NARROW), strict=True):
        bars = pit_histogram(_active_pit(made, model))
        axes.bar(bars["left"], bars["density"], width=0.1, align="edge", color=FORECAST, edgecolor="white")
        axes.axhline(1, color=CONTRAST, linestyle="--", linewidth=1.5)
        axes.set_title(f"{model}, active regions", loc="left", fontsize=10)
        axes.set_xlabel("where in the forecast the count fell")
        axes.spines[["top", "right"]].set_visible(False)
    picture.axes[0].set_ylabel("times as often as it should")
    return picture


def _said(made: Backtest) -> pd.DataFrame:
    rows = made.risk[(made.risk["model"] == GOOD) & made.risk["outcome"].notna()]
    return rows[rows["probability"].between(*STATED)].astype({"outcome": float})


def _active_pit(made: Backtest, model: str) -> NDArray[np.float64]:
    cells = made.pit(model).query("activity == 'active'")
    return cells[["pit_below", "pit_upto"]].to_numpy()


def _weeks(made: Backtest) -> pd.DataFrame:
    rows = made.forecasts.query(
        "model == @GOOD and unit == @REGION and horizon == 1", local_dict={"GOOD": GOOD, "REGION": REGION}
    )
    return rows.sort_values("week").tail(104)


def _one(made: Backtest, model: str) -> pd.Series:
    rows = made.forecasts
    chosen = (rows["model"] == model) & (rows["unit"] == REGION) & (rows["horizon"] == 1) & (rows["week"] == WEEK)
    return rows[chosen].iloc[0]


def _curve(made: Backtest, model: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    heads = _one(made, model)[[f"p{count}" for count in range(10)]].to_numpy(dtype=float)
    return np.arange(10), np.cumsum(heads)


def _squares(made: Backtest, model: str) -> tuple[str, float]:
    """Return week and CRPS of the example, as the record has it."""
    rows = made.scores
    chosen = (rows["model"] == model) & (rows["unit"] == REGION) & (rows["horizon"] == 1) & (rows["score"] == "crps")
    of_week = rows[chosen & (rows["origin"] == WEEK)]
    return WEEK, float(of_week["value"].iloc[0])


if __name__ == "__main__":
    main()
