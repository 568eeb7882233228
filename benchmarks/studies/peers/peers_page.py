"""The page ``docs/peers.md``, made from ``benchmarks/studies/results/peers.csv`` alone."""

from __future__ import annotations

import pandas as pd

from forecast.evaluation.comparison import SKILL_LEVEL

INTRODUCTION = """\
# Side by side with other software

Every model of `models/` and four packages that people use for such counts, on the same forecasts. This page is made by
`python benchmarks/studies/peers.py` from `benchmarks/studies/results/peers.csv`; do not edit it.

**Data and protocol.** The embedded weekly counts of Mali, Burkina Faso and Niger, {regions} first-level regions from
2000 on; weekly origins, target weeks that start in 2017 to 2019, 1 to 8 weeks ahead, fits renewed every 13 weeks. All
models see the same weeks of the same regions and nothing else, and only forecasts that all of them made are compared:
{n:,} a model.

**Scores.** CRPS, and the log score with a floor of 1e-6, are means over all of them, lower is better; a model that
gives quantiles and no probabilities of counts has no log score. Coverage is that of the central 50, 80 and 95 %
intervals in active regions (10 or more events in the year before the origin). Skill is 1 - CRPS / CRPS of
`{reference}`, with a {level:.0%} interval by a block bootstrap of 13 weeks, widened for the small number of blocks.
Seconds are processor time on one core for all origins, fits and scoring included, on a machine with other work to do:
differences below a factor of two mean nothing.

"""

PEERS = """
## What the peers are, and how they were used

| name | software | settings |
| --- | --- | --- |
"""

_CONFORMAL = "fitted at each origin, conformal intervals of 26 windows"
SETTINGS = {
    "hhh4": "`hhh4`, all weeks since 2000: own counts and those of adjacent regions of the week before, yearly season "
    "and random intercepts in the endemic part, NegBin1; weeks ahead by its own `simulate()`, {draws} paths, the pmf "
    "averaged over the distributions given each path",
    "hhh4-156": "the same on the last 156 weeks",
    "hhh4-direct": "`hhh4` as an expert can bend it: a fit for each number of weeks ahead (`lag = h`) on the last 520 "
    "weeks, the endemic part a power of two exponentially weighted means (0.25, 0.03) of the region's counts, with "
    "season; the means are not from the package",
    "tscount": "`tsglm` a region, all weeks since 2000: `past_obs = 1`, `past_mean = 1`, identity link, negative "
    "binomial; weeks ahead by its own `tsglm.sim`, 200 paths",
    "boosting-poisson": '`HistGradientBoostingRegressor(loss="poisson")`, a model a horizon on 13 features of the '
    "past and the season, {boosting} (the best of five settings on targets 2014 to 2016); Poisson distribution",
    "boosting-negbin": "the same mean; a negative binomial whose variance is a multiple of the mean, one a horizon, by "
    "moments of 52 weeks that the model had not seen",
    "AutoARIMA": "`season_length=1`, its normal intervals",
    "AutoETS": "`season_length=1`, its normal intervals",
    "CrostonSBA": _CONFORMAL,
    "ADIDA": _CONFORMAL,
    "IMAPA": _CONFORMAL,
}

HEAD = """\
| model | CRPS | log | active 50 / 80 / 95 | skill, interval | seconds |
| --- | --- | --- | --- | --- | --- |
"""

EARLIER = """\

Earlier trials on the same counts and target weeks, whose scripts are not kept, had tscount 1.4.3 (`tsglm` a region) at
CRPS 0.1320 and log score 0.3652. They also found settings of two peers that did better than those here: `hhh4` with
exponentially weighted means, tuned, 0.1222 and 0.3352; boosting with a negative binomial, 0.1266 and 0.3378.
"""

QUANTILES = """
The intervals of statsforecast are of real numbers: 100 quantiles of each week are drawn up to 0, rounded to counts and
scored as a distribution of 100 equally likely values. A season of 52 weeks in AutoARIMA or AutoETS is out of reach in
time (ETS has none beyond 24), so they have none.
"""


def page(table: pd.DataFrame, draws: int, boosting: str) -> str:
    """Return the page for the table of results.

    Parameters
    ----------
    table : DataFrame
        As `peers.csv`: model, software, n, regions, crps, log, active50, active80, active95, skill, skill_low,
        skill_high, seconds, remark; a peer that is not there has NaN and says so in its remark.
    draws : int
        Paths a forecast of hhh4.
    boosting : str
        The settings of the boosted trees.
    """
    known = table.dropna(subset="crps").sort_values("crps", ignore_index=True)
    absent = table[table["crps"].isna()]
    reference = known.loc[known["skill"].eq(0), "model"].iloc[0]
    text = INTRODUCTION.format(
        n=int(known["n"].iloc[0]), regions=int(known["regions"].iloc[0]), reference=reference, level=SKILL_LEVEL
    )
    text += HEAD
    text += "".join(_row(row) for _, row in known.iterrows())
    text += "".join(f"| **{row['model']}** | {row['remark']} | | | | |\n" for _, row in absent.iterrows())
    text += "\nNames in bold are other software.\n" + EARLIER + _findings(known)
    text += PEERS
    for _, row in table[table["software"] != "ours"].sort_values("model").iterrows():
        settings = SETTINGS[row["model"]].format(draws=draws, boosting=boosting)
        remark = f"; {row['remark']}" if isinstance(row["remark"], str) and row["remark"] else ""
        text += f"| {row['model']} | {row['software']} | {settings}{remark} |\n"
    return text + QUANTILES


def _name(row: pd.Series) -> str:
    return f"`{row['model']}`" if row["software"] == "ours" else f"**{row['model']}**"


def _row(row: pd.Series) -> str:
    log = "" if pd.isna(row["log"]) else f"{row['log']:.4f}"
    cover = " / ".join(f"{100 * row[f'active{level}']:.0f}" for level in (50, 80, 95))
    skill = f"{100 * row['skill']:+.1f} % [{100 * row['skill_low']:.1f}, {100 * row['skill_high']:.1f}]"
    if row["skill"] == 0:
        skill = "0"
    return f"| {_name(row)} | {row['crps']:.4f} | {log} | {cover} | {skill} | {row['seconds']:.0f} |\n"


def _findings(known: pd.DataFrame) -> str:
    """Say what each does better, from the figures."""
    ours, theirs = known[known["software"] == "ours"], known[known["software"] != "ours"]
    if theirs.empty or ours.empty:
        return ""
    best, peer = ours.iloc[0], theirs.iloc[0]
    sure = ours[ours["skill_low"] > 0]
    behind = ours[ours["crps"] > peer["crps"]]
    scored = theirs.dropna(subset="log")
    text = "\n## What the figures say\n\n"
    text += f"- Lowest CRPS: {_name(best)}, {best['crps']:.4f}; of the peers {_name(peer)}, {peer['crps']:.4f} "
    text += f"({100 * (peer['crps'] / best['crps'] - 1):.1f} % higher).\n"
    text += f"- Better than the reference, the whole interval of the skill above 0: {_listed(sure)}; of the peers: "
    text += f"{_listed(theirs[theirs['skill_low'] > 0])}.\n"
    text += f"- Behind the best peer are {_listed(behind)}.\n"
    if not scored.empty:
        first, least = ours.sort_values("log").iloc[0], scored.sort_values("log").iloc[0]
        text += f"- Lowest log score: {_name(first)}, {first['log']:.4f}; of the peers {_name(least)}, "
        text += f"{least['log']:.4f}.\n"
    closest = _closest(theirs)
    text += f"- Of the peers {_name(closest)} comes closest to the promised coverage in active regions "
    text += f"(largest error {100 * _error(closest):.0f} points), of ours {_name(_closest(ours))} "
    text += f"({100 * _error(_closest(ours)):.0f}).\n"
    quick = theirs.sort_values("seconds").iloc[0]
    text += f"- Quickest of the peers: {_name(quick)}, {quick['seconds']:.0f} s for all origins; {_name(best)} takes "
    text += f"{best['seconds']:.0f} s.\n"
    return text + WORDS


WORDS = """
What the table does not show:

- **surveillance** estimates random effects and power laws of distance with standard errors, in a language for formulas
  that is far richer than our specs, and has simulation, plots and tests of calibration for outbreak data. Its mean is
  built on the last week and on intercepts that do not move; where the level of a region shifts by factors within a
  year, as here, both are wrong soon, and the longer the history the worse. With exponentially weighted means most of
  the loss is gone; distributed lags of that kind are in its extension hhh4addon, which was not compared.
- **tscount** is the reference for interventions in a single series and gives more diagnostics. A model a region,
  without pooling, has little to learn from where nearly all weeks are 0.
- **HistGradientBoosting** takes any feature and any size of data, and needs no thought about the form of the mean. It
  forecasts means: the distribution around them is left to its user. With its default settings the Poisson loss ran away
  in regions with hardly any event.
- **statsforecast** fits thousands of series in seconds, knows many models, and needs no choice at all. For counts
  near 0 its intervals are those of real numbers: many of the lower bounds are negative before they are cut, and there
  is no probability of an event to be had.
- Paths over several weeks, which the probability of an escalation needs, come from `hhh4`, from tscount (a region at a
  time) and from some models of statsforecast (a region at a time, real numbers). The boosted trees give each week by
  itself.
"""


def _closest(rows: pd.DataFrame) -> pd.Series:
    return rows.loc[rows.apply(_error, axis=1).idxmin()]


def _error(row: pd.Series) -> float:
    return float(max(abs(row[f"active{level}"] - level / 100) for level in (50, 80, 95)))


def _listed(rows: pd.DataFrame) -> str:
    return ", ".join(_name(row) for _, row in rows.iterrows()) or "none"
