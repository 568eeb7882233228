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
# # Self-excitation: how long does one attack echo?
#
# After an attack further ones are more likely for a while. **How many further events does one event bring about, for how
# long - and how much of that is no echo at all, but a level that has risen?**
#
# A Hawkes process has a baseline rate, and each event adds to the rate of the weeks after it. The number of events that
# one event triggers directly is the *branching ratio*; how they are spread over the weeks is the *kernel*.

# %%
from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

import forecast as fc
from forecast.families.discrete_hawkes.steps import fit_counts
from forecast.plots.theme import CONTRAST, FORECAST, MUTED

LAGS = 26
panel = fc.load("west-africa-weekly", countries=["Mali"])
mopti = panel.counts[-260:, panel.units.index("Mali/Mopti")]
pd.Series(mopti, index=panel.weeks[-260:], name="events in Mopti").resample("QE").sum().tail(8).to_frame()

# %% [markdown]
# ## Can it be told at all? A process of known truth
#
# Weekly counts over five years in which each event triggers 0.4 others, most of them in the next two weeks, around a
# baseline that does not move.

# %%
rng = np.random.default_rng(3)
truth = 0.4 * 0.5 ** np.arange(LAGS) / (0.5 ** np.arange(LAGS)).sum()


def simulated(weeks: int) -> np.ndarray:
    """Return weekly counts of a self-exciting process with the kernel `truth`."""
    counts = np.zeros(weeks + 100, dtype=int)
    for week in range(len(counts)):
        past = counts[max(0, week - LAGS) : week][::-1]
        counts[week] = rng.poisson(0.8 + past @ truth[: len(past)])
    return counts[100:]


known = fit_counts(simulated(260), delay="negbin", lags=LAGS, memory=np.inf)
interval = known.summary()["estimate"][["spectral radius, 2.5 %", "spectral radius, 97.5 %"]].to_numpy()
print(f"truth 0.40; estimate {known.radius:.2f}, 95 % interval {interval[0]:.2f} to {interval[1]:.2f}")

# %% [markdown]
# Five years of one region pin the branching ratio down only roughly, and that is with a baseline known not to move.
#
# ## Mopti, 2015 to 2019
#
# Twice: with a baseline that never moves, so that every wave has to be an echo; and with one that forgets a week after
# about half a year and is free to rise and fall.

# %%
still = fit_counts(mopti, delay="negbin", lags=LAGS, memory=np.inf)
moving = fit_counts(mopti, delay="negbin", lags=LAGS, memory=26.0)
fits = {"baseline that never moves": still, "baseline that moves": moving}


def weeks_until(kernel: np.ndarray, share: float) -> int:
    """Return the week by which this share of the echo has come."""
    return int(np.searchsorted(np.cumsum(kernel) / kernel.sum(), share) + 1)


table = pd.DataFrame(
    {
        name: {
            "branching ratio": found.radius,
            "2.5 %": found.summary()["estimate"]["spectral radius, 2.5 %"],
            "97.5 %": found.summary()["estimate"]["spectral radius, 97.5 %"],
            "half of the echo by week": weeks_until(found.offspring, 0.5),
            "nine tenths by week": weeks_until(found.offspring, 0.9),
        }
        for name, found in fits.items()
    }
).T
table.round(2)

# %%
kernel = pd.concat(
    [
        pd.DataFrame({"lag": 7.0 * np.arange(1, LAGS + 1), "rate": found.offspring / 7, "curve": name})
        for name, found in fits.items()
    ]
)
fc.plots.excitation_kernel(kernel, title="Further events a day, by the days since one event in Mopti")

# %% [markdown]
# ## Which of the two forecasts better?
#
# An explanation that is right should forecast. From every fourth week of 2018 and 2019, four weeks ahead:

# %%
rows = []
for origin in range(len(mopti) - 104, len(mopti) - 4, 4):
    for name, memory in (("baseline that never moves", np.inf), ("baseline that moves", 26.0)):
        found = fit_counts(mopti[:origin], delay="negbin", lags=LAGS, memory=memory)
        paths = found.paths(horizon=4, draws=500, rng=np.random.default_rng(origin))[:, :, 0]
        came = mopti[origin : origin + 4]
        error = np.abs(paths - came).mean(axis=0)
        spread = np.abs(paths[:250] - paths[250:]).mean(axis=0)
        rows.append({"origin": origin, "baseline": name, "crps": float((error - spread / 2).mean())})
crps = pd.DataFrame(rows).pivot_table(index="origin", columns="baseline", values="crps")
crps.mean().rename("CRPS").to_frame().round(3)

# %% [markdown]
# ## All thirty regions together
#
# One region alone says little. The family `discrete_hawkes` takes the regions of three countries together, lets events
# excite neighbours, follows a season, and gives each region a baseline that moves.

# %%
three = fc.load("west-africa-weekly", countries=["Mali", "Burkina Faso", "Niger"])
together = fc.model("discrete-hawkes").fit(three).summary()["estimate"]
named = ["spectral radius", "spectral radius, 2.5 %", "spectral radius, 97.5 %", "endogenous share", "mean delay"]
together[named].round(2).to_frame()

# %%
bars = go.Figure()
labels = ["Mopti, still baseline", "Mopti, moving baseline", "30 regions together"]
middle = [still.radius, moving.radius, together["spectral radius"]]
lows = [*table["2.5 %"], together["spectral radius, 2.5 %"]]
highs = [*table["97.5 %"], together["spectral radius, 97.5 %"]]
bars.add_scatter(
    x=middle,
    y=labels,
    mode="markers",
    marker={"size": 11, "color": [CONTRAST, FORECAST, FORECAST]},
    error_x={"array": np.subtract(highs, middle), "arrayminus": np.subtract(middle, lows), "color": MUTED},
)
bars.update_layout(
    title="Events that one event triggers directly, with 95 % intervals",
    template="plotly_white",
    height=300,
    xaxis_range=[0, 1],
)
bars

# %% [markdown]
# ## The answer

# %%
better = crps.mean().idxmin()
print(
    f"With a baseline that never moves, one event in Mopti seems to bring about {still.radius:.2f} others, half of them by "
    f"week {weeks_until(still.offspring, 0.5)} and nine tenths by week {weeks_until(still.offspring, 0.9)}. With one that "
    f"moves it is {moving.radius:.2f} (95 % interval {table.loc['baseline that moves', '2.5 %']:.2f} to "
    f"{table.loc['baseline that moves', '97.5 %']:.2f}); {better} forecasts better ({crps.mean().min():.3f} against "
    f"{crps.mean().max():.3f})."
)
print(
    f"Over thirty regions one event triggers {together['spectral radius']:.2f} others "
    f"({together['spectral radius, 2.5 %']:.2f} to {together['spectral radius, 97.5 %']:.2f}), after "
    f"{together['mean delay']:.1f} weeks in the mean: of all events {together['endogenous share']:.0%} are echoes. The rest of "
    f"what looks like one is a level that has risen. Even that share is an upper guess: a level that moves faster than the "
    f"model lets it looks like an echo."
)
