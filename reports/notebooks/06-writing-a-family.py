# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Writing a new family of models: is a level with two memories better than one?
#
# A region has a slow level and a fast one: what is usual there, and what has been going on lately. **Can a family of twenty
# lines that mixes both be held to the same contract as the built-in ones, and does it forecast better than one memory?**
#
# A family is two classes. `Family` has the settings and `fit`; `Fitted` has `simulate`, `update` and `summary`. Everything
# else - backtests, scores, escalations, reports - works on any family.

# %%
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd
from pydantic import Field
from scipy.optimize import minimize_scalar

import forecast as fc
from forecast.families.protocol import Family, Fitted
from forecast.predictive import negbin
from forecast.predictive.forecast import Forecast

AHEAD = 4

# %% [markdown]
# ## The model
#
# The fast mean counts a week half after `fast` weeks, the slow one after `slow` weeks. The level mixes them with a share
# that is chosen by how well it would have forecast four weeks ahead, and counts scatter as a negative binomial.


# %%
def weighted_mean(panel, half_life: float) -> np.ndarray:
    """Return the exponentially weighted mean before each week and after the last, shape (weeks + 1, units)."""
    keep = 0.5 ** (1 / half_life)
    events = weeks = np.zeros(len(panel.units))
    out = np.empty((len(panel.weeks) + 1, len(panel.units)))
    for at in range(len(panel.weeks) + 1):
        # As if half an event had been seen in all units over four weeks of each, so that silence is no certainty.
        everywhere = (events.sum() + 0.5) / (weeks.sum() + 4 * len(weeks))
        out[at] = (events + 4 * everywhere) / (weeks + 4)
        if at < len(panel.weeks):
            seen = panel.observed[at]
            events = keep * events + panel.counts[at] * seen
            weeks = keep * weeks + seen
    return out


class TwoMemories(Family):
    """A level between a fast and a slow mean.

    Parameters
    ----------
    fast, slow : float
        Weeks after which a count counts half.
    """

    family: ClassVar[str] = "two_memories"

    fast: Annotated[float, Field(gt=0)] = 6.0
    slow: Annotated[float, Field(gt=0)] = 52.0

    def fit(self, panel, rng) -> FittedTwoMemories:
        """Choose the share of the fast mean, and how counts scatter, by the likelihood of the last three years."""
        if not panel.observed.any():
            raise fc.InputError("no week of any unit is observed")
        late = slice(max(AHEAD, len(panel.weeks) - 156), None)
        seen = panel.observed[late]
        counts = panel.counts[late][seen]
        # What was known AHEAD weeks before: the mean before week t stands in row t.
        told = slice(late.start - AHEAD + 1, len(panel.weeks) - AHEAD + 1)
        quick, slow = (weighted_mean(panel, weeks)[told][seen] for weeks in (self.fast, self.slow))
        if not len(counts):
            return FittedTwoMemories(panel, self, share=0.5, excess=1.0)

        def excess(level: np.ndarray) -> float:
            return float(np.maximum(((counts - level) ** 2 - level).sum() + 1, 0.01) / (level.sum() + 1))

        def loss(share: float) -> float:
            level = share * quick + (1 - share) * slow
            return -float(negbin.logpmf(counts, level, level / excess(level)).sum())

        share = float(minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded").x)
        return FittedTwoMemories(panel, self, share, max(excess(share * quick + (1 - share) * slow), 0.01))


@dataclass(frozen=True, eq=False)
class FittedTwoMemories(Fitted):
    """The share of the fast mean, and variance over mean less 1."""

    panel: object
    family: TwoMemories
    share: float
    excess: float

    def simulate(self, horizon, draws, rng) -> Forecast:
        """Draw each week by itself; the pmf is exact."""
        quick, slow = (weighted_mean(self.panel, weeks)[-1] for weeks in (self.family.fast, self.family.slow))
        mean = self.share * quick + (1 - self.share) * slow
        size = mean / self.excess
        paths = negbin.sample(np.broadcast_to(mean, (draws, horizon, len(mean))), size, rng).astype(np.int32)
        pmf = np.repeat(negbin.mixture_pmf(mean[None], size[None])[None], horizon, axis=0)
        return Forecast(paths, pmf, self.target_weeks(horizon), self.panel.units)

    def update(self, panel) -> FittedTwoMemories:
        """Take up another panel with the same parameters."""
        if not panel.observed.any():
            raise fc.InputError("no week of any unit is observed")
        return replace(self, panel=panel)

    def summary(self) -> pd.DataFrame:
        """Return the two parameters."""
        index = pd.Index(["share of the fast mean", "excess variance"], name="parameter")
        return pd.DataFrame({"estimate": [self.share, self.excess], "std_error": [np.nan, np.nan]}, index=index)


# %% [markdown]
# ## The contract
#
# The same seed gives the same bytes; nothing after the last week changes a forecast; a missing week is no week without
# events; panels of one week, of one unit, of nothing but zeros give sensible forecasts; and some twenty more. A family of a
# package of its own is held to them by one line in its tests, and [an example of such a package](../../docs/example-plugin/README.md)
# shows the entry point that makes it known to `forecast models`.

# %%
fc.testing.check_family(TwoMemories)
print(f"{len(fc.testing.CHECKS)} checks passed")

# %% [markdown]
# What does it say when a family breaks it? This one forgets that counts scatter around its mean:


# %%
class Certain(TwoMemories):
    """Says the mean and nothing else."""

    family: ClassVar[str] = "certain"

    def fit(self, panel, rng):
        """Return a fit whose paths are all the same."""
        return Rounded(**vars(super().fit(panel, rng)))


class Rounded(FittedTwoMemories):
    """Paths without scatter beside a pmf that has it."""

    def simulate(self, horizon, draws, rng):
        """Round the mean."""
        made = super().simulate(horizon, draws, rng)
        return replace(made, paths=np.broadcast_to(made.mean().round(), made.paths.shape).astype(np.int32))


try:
    fc.testing.check_family(Certain)
except fc.testing.BrokenContractError as error:
    print(error)

# %% [markdown]
# ## Is it any good?
#
# The same backtest as for every model: 2017 to 2019, refitted every quarter. `fc.Model.of_family` makes a model of a class
# that no package has registered.

# %%
panel = fc.load("west-africa-weekly", countries=["Mali", "Burkina Faso", "Niger"])
two = fc.Model.of_family(TwoMemories(), name="two-memories")
fast = fc.Model.of_family(TwoMemories(fast=6.0, slow=6.0), name="fast-only")
slow = fc.Model.of_family(TwoMemories(fast=52.0, slow=52.0), name="slow-only")
record = fc.backtest([two, fast, slow, "window-negbin-52", "discount-negbin"], panel, start="2017-01-07", draws=300)
record.leaderboard[["model", "crps", "log", "cov50", "cov80", "cov95"]].round(4)

# %%
skill = record.compare("window-negbin-52").skill.query("against == 'reference'").set_index("model")
(100 * skill[["skill", "low", "high"]]).round(1)

# %%
record.plot_pit("two-memories")

# %%
two.fit(panel).summary().round(2)

# %% [markdown]
# ## The answer

# %%
board = record.leaderboard.set_index("model")["crps"]
single = min(board["fast-only"], board["slow-only"])
gain = 1 - board["two-memories"] / single
known = skill.loc["two-memories"]
print(
    f"Two memories have a CRPS of {board['two-memories']:.4f}, the better of one memory {single:.4f}: mixing "
    f"{'saves' if gain > 0 else 'costs'} {abs(gain):.1%}. Against the window model the skill is {known['skill']:.1%}, 90 % "
    f"interval {known['low']:.1%} to {known['high']:.1%}. discount-negbin, which averages many memories and knows "
    f"neighbours, has {board['discount-negbin']:.4f}."
)
