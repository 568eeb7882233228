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
# # How does one see that a forecaster is too sure, and can it be mended?
#
# A forecaster who says "two events next week, give or take one" can be right on average and still mislead: if five or
# none come often, her ranges are too narrow. **What does such a forecaster look like from her record alone, and how much
# of the fault can be learned away?**
#
# The bad forecaster here is a Poisson regression. Violence comes in bursts, and a Poisson distribution knows none.

# %%
from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go

import forecast as fc
from forecast.plots.theme import CONTRAST, FORECAST, MUTED

panel = fc.load("west-africa-weekly", countries=["Mali", "Burkina Faso", "Niger"])
bad = fc.model("glm-poisson")
record = fc.backtest([bad, "window-negbin-52"], panel, start="2015-01-03", horizon=4, refit_every=26, draws=500)
record

# %% [markdown]
# ## Coverage
#
# Take the 80 % range of each forecast: the counts between the quantiles 10 % and 90 %. If the forecaster is right, what
# came lies in four of five of them - in busy regions too, where there is something to be wrong about.

# %%
busy = record.forecasts.query("model == 'glm-poisson' and activity == 'active'").dropna(subset=["observed"])
rows = {}
for level in (0.5, 0.8, 0.95):
    low, high = f"q{round(0.5 - level / 2, 3):g}", f"q{round(0.5 + level / 2, 3):g}"
    rows[f"{level:.0%}"] = {"held what came": busy["observed"].between(busy[low], busy[high]).mean()}
pd.DataFrame(rows).T.style.format("{:.1%}")

# %% [markdown]
# Ranges of whole numbers always hold a little more than they say, so that equal figures here already mean too narrow.
# The next picture knows no such rounding.
#
# ## The PIT, by hand
#
# For each forecast: with which probability did it say "at most what came"? If it is right, that is evenly spread over 0
# to 1. A count has two such figures, of "fewer" and "at most"; what lies between them is spread evenly.

# %%
pit = record.pit("glm-poisson").query("activity == 'active'")
edges = np.linspace(0, 1, 11)


def histogram(below: np.ndarray, upto: np.ndarray) -> np.ndarray:
    """Return the relative frequency of the PIT in ten bins: 1 is even."""
    width = upto - below
    share = [
        np.clip(np.minimum(upto, right) - np.maximum(below, left), 0, None) / width for left, right in pairwise(edges)
    ]
    return 10 * np.mean(share, axis=1)


raw = histogram(pit["pit_below"].to_numpy(), pit["pit_upto"].to_numpy())
bars = go.Figure(go.Bar(x=edges[:-1] + 0.05, y=raw, marker_color=CONTRAST, width=0.095))
bars.add_hline(y=1, line={"dash": "dot", "color": MUTED})
bars.update_layout(
    title="PIT of the Poisson regression in busy regions: high at the ends, so its ranges are too narrow",
    template="plotly_white",
    xaxis_title="probability of at most what came",
    yaxis_title="relative frequency",
    height=360,
)
bars

# %% [markdown]
# The same with the band in which a right forecaster would stay, from `forecast` itself, over all regions:

# %%
record.plot_pit("glm-poisson")

# %% [markdown]
# ## Mending
#
# `fc.calibrate` learns from the record how often "at most this" came true when it was said with 10 %, 20 % and so on, and
# moves later forecasts accordingly. Only weeks before the origin may teach: here those up to the end of 2017 teach, and
# 2018 and 2019 are the test.

# %%
mend = fc.calibrate(record, "glm-poisson", before="2017-12-30")
mend

# %%
tests = pd.date_range("2017-12-30", "2019-11-30", freq="28D")
scores = []
fitted = bad.fit(panel.until(tests[0]))
for origin in tests:
    known = panel.until(origin)
    fitted = fitted.update(known)
    plain = fitted.predict(4, draws=500)
    for name, made in (("as it was", plain), ("mended", mend(plain))):
        table = fc.score(made, panel)
        recent = known.to_frame().tail(52).sum()
        table["busy"] = table["unit"].map(recent) >= 10
        scores.append(table.assign(forecast=name, origin=origin))
scored = pd.concat(scores)
board = scored.groupby("forecast")[["crps", "log"]].mean()
board.round(4)

# %%
both = go.Figure()
for name, colour in (("as it was", CONTRAST), ("mended", FORECAST)):
    mine = scored[(scored["forecast"] == name) & scored["busy"]]
    heights = histogram(mine["pit_below"].to_numpy(), mine["pit_upto"].to_numpy())
    both.add_bar(x=edges[:-1] + 0.05, y=heights, name=name, marker_color=colour)
both.add_hline(y=1, line={"dash": "dot", "color": MUTED})
both.update_layout(
    barmode="group",
    title="PIT in busy regions, 2018 and 2019",
    template="plotly_white",
    height=360,
    yaxis_title="relative frequency",
)
both

# %% [markdown]
# ## The answer

# %%
ends = {}
for name in ("as it was", "mended"):
    mine = scored[(scored["forecast"] == name) & scored["busy"]]
    heights = histogram(mine["pit_below"].to_numpy(), mine["pit_upto"].to_numpy())
    ends[name] = (heights[0] + heights[-1]) / 2
saved = 1 - board.loc["mended", "log"] / board.loc["as it was", "log"]
crps = 1 - board.loc["mended", "crps"] / board.loc["as it was", "crps"]
other = record.leaderboard.set_index("model")["log"]
print(
    f"From the record up to 2017, the outer tenths of the PIT of busy regions came {raw[[0, -1]].mean():.2f} times as often "
    f"as they should: too sure. In 2018 and 2019 it is {ends['as it was']:.2f} as it was and {ends['mended']:.2f} mended."
)
print(
    f"Mending {'saves' if saved > 0 else 'costs'} {abs(saved):.1%} of the log score and {'saves' if crps > 0 else 'costs'} "
    f"{abs(crps):.1%} of the CRPS."
)
print(
    f"A distribution that knows bursts is the better cure: over the whole record the log score of window-negbin-52 is "
    f"{other['window-negbin-52']:.3f}, that of the Poisson regression {other['glm-poisson']:.3f}."
    if other["window-negbin-52"] < other["glm-poisson"]
    else f"Over the whole record its log score, {other['glm-poisson']:.3f}, is no worse than that of a window with bursts, "
    f"{other['window-negbin-52']:.3f}."
)
