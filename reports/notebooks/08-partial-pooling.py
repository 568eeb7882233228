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
# # What does a region with few events learn from the others?
#
# In Bamako, Kayes and Sikasso lethal events are rare; in Mopti there have been many since 2015. The model
# `bayes-negbin` gives each region a level of its own, and draws it towards what is usual in its country: *partial
# pooling*. **How does that change what is forecast of the three quiet regions, how does it change Mopti, and is it for
# the better?**
#
# The same model, with the same priors, is fitted in two ways: to each region alone, and to all thirty regions of Mali,
# Burkina Faso and Niger together. Beside them stands complete pooling: every region as the mean of its country.

# %%
from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from forecast.evaluation.scores import crps_pmf
from forecast.families.model import read_models
from forecast.panel.dataset import Dataset
from forecast.panel.panel import Panel
from forecast.plots.theme import BORDER, CONTRAST, FORECAST, GRID, INK, MUTED
from forecast.provenance import generator

ROOT = Path(__file__).parents[2] if "__file__" in globals() else Path.cwd().parents[1]
FEW, MANY = ("Bamako", "Kayes", "Sikasso"), ("Mopti",)
REGIONS = (*FEW, *MANY)
HORIZON, DRAWS = 8, 2000
ORIGINS = pd.date_range("2017-01-07", "2019-10-26", freq="13W-SAT")

model = read_models(ROOT / "models")["bayes-negbin"]
panel = Dataset.open(ROOT / "data" / "west-africa-weekly").region_panel(countries=("Mali", "Burkina Faso", "Niger"))
mali = [name for name in panel.units.names if name.startswith("Mali/")]

# %% [markdown]
# ## What is counted
#
# Events in the five years before the first forecast, and in the three years that are forecast.

# %%
first = panel.until(ORIGINS[0])
before = first.weeks_between(len(first.weeks) - model.window_weeks, len(first.weeks)).to_frame()
after = panel.to_frame().loc[ORIGINS[0] : "2019-12-31"]
names = [f"Mali/{region}" for region in REGIONS]
counted = pd.DataFrame({"before": before[names].sum(), "after": after[names].sum()}).set_axis(REGIONS)
print(counted.to_string())

# %% [markdown]
# ## Each region alone, and all together
#
# At an origin every quarter, the next eight weeks: expected count, the 90 % range of their sum, and the CRPS of each
# week once it has come.


# %%
def told(known: Panel, region: str, kind: str, origin: pd.Timestamp) -> dict[str, float]:
    """Return what a fit to `known` says of the eight weeks after it, and how well."""
    fitted = model.fit(known, generator(1, "notebook", kind, f"{origin:%Y-%m-%d}"))
    at = known.units.index(f"Mali/{region}")
    return told_by(fitted.predict(HORIZON, DRAWS, generator(2, kind, f"{origin:%Y-%m-%d}")), at, region)


def told_by(forecast, at: int, region: str) -> dict[str, float]:
    """Return the figures of one unit of a forecast."""
    weeks = panel.weeks.searchsorted(forecast.weeks)
    came = panel.counts[weeks, panel.units.index(f"Mali/{region}")]
    total = forecast.paths[:, :, at].sum(axis=1)
    low, high = np.quantile(total, [0.05, 0.95])
    return {
        "expected": float(forecast.mean()[:, at].sum()),
        "low": float(low),
        "high": float(high),
        "any": float((total > 0).mean()),
        "crps": float(crps_pmf(forecast.pmf[:, at], came).mean()),
        "came": int(came.sum()),
    }


rows = []
for origin in ORIGINS:
    known = panel.until(origin)
    fitted = model.fit(known, generator(1, "notebook", "together", f"{origin:%Y-%m-%d}"))
    together = fitted.predict(HORIZON, DRAWS, generator(2, "together", f"{origin:%Y-%m-%d}"))
    recent = known.weeks_between(len(known.weeks) - model.window_weeks, len(known.weeks)).select(mali)
    country = HORIZON * recent.counts[recent.observed].mean()
    for region in REGIONS:
        alone = told(known.select([f"Mali/{region}"]), region, f"alone {region}", origin)
        pooled = told_by(together, known.units.index(f"Mali/{region}"), region)
        shared = {"origin": origin, "region": region, "country": country}
        rows += [{**shared, "fit": "alone", **alone}, {**shared, "fit": "together", **pooled}]
table = pd.DataFrame(rows)

# %% [markdown]
# ## How far the forecasts move
#
# Expected events of the next eight weeks, on a log scale, at each origin.

# %%
LOOK = {
    "font": {"color": INK},
    "paper_bgcolor": BORDER,
    "plot_bgcolor": BORDER,
    "template": go.layout.Template(),
    "legend": {"orientation": "h", "y": 1.06, "yanchor": "bottom"},
    "margin": {"t": 120},
}
moves = make_subplots(rows=2, cols=2, subplot_titles=REGIONS, shared_xaxes=True, vertical_spacing=0.1)
for place, region in enumerate(REGIONS):
    cell = {"row": place // 2 + 1, "col": place % 2 + 1}
    mine = table[table["region"] == region]
    for fit, colour in (("alone", CONTRAST), ("together", FORECAST)):
        line = mine[mine["fit"] == fit]
        moves.add_scatter(
            x=line["origin"], y=line["expected"], mode="lines+markers", name=fit, line={"color": colour},
            legendgroup=fit, showlegend=place == 0, **cell,
        )  # fmt: skip
    line = mine[mine["fit"] == "alone"]
    moves.add_scatter(
        x=line["origin"], y=line["country"], mode="lines", name="mean of the country", legendgroup="country",
        showlegend=place == 0, line={"color": MUTED, "dash": "dot"}, **cell,
    )  # fmt: skip
moves.update_yaxes(type="log", dtick=1, gridcolor=GRID, title_text="events in 8 weeks", title_font_size=11)
moves.update_xaxes(gridcolor=GRID)
moves.update_layout(height=620, title="Expected events of the next eight weeks", **LOOK)
moves

# %% [markdown]
# ## Ranges
#
# The upper ends of the 90 % ranges of the sum over eight weeks, in the mean over the origins, and the largest sum that
# came.

# %%
upper = table.pivot_table(index="region", columns="fit", values="high", observed=True).loc[list(REGIONS)]
came = table.groupby("region")["came"].max().loc[list(REGIONS)]
ranges = go.Figure(
    [
        go.Bar(x=upper["alone"], y=upper.index, orientation="h", name="alone", marker_color=CONTRAST),
        go.Bar(x=upper["together"], y=upper.index, orientation="h", name="together", marker_color=FORECAST),
        go.Scatter(x=came, y=came.index, mode="markers", name="largest that came", marker={"color": INK, "size": 9}),
    ]
)
ranges.update_layout(
    barmode="group", height=380, xaxis_title="events in 8 weeks", title="Upper ends of the 90 % ranges", **LOOK
)
ranges.update_yaxes(autorange="reversed")
ranges.update_xaxes(gridcolor=GRID)
ranges

# %% [markdown]
# ## Was it for the better?
#
# Mean CRPS over all origins and weeks (lower is better), and what the fit to all regions saves.

# %%
wide = table.pivot_table(index=["region", "origin"], columns="fit", values=["expected", "crps", "any"], observed=True)
crps = wide["crps"].groupby("region", observed=True).mean().loc[list(REGIONS)]
saved = 1 - crps["together"] / crps["alone"]
moved = np.log(wide["expected", "together"] / wide["expected", "alone"])
factor = np.exp(moved.groupby("region", observed=True).median()).loc[list(REGIONS)]
size = np.exp(moved.abs().groupby("region", observed=True).median()).loc[list(REGIONS)]
chance = wide["any"].groupby("region", observed=True).mean().loc[list(REGIONS)]
share = (table[table["fit"] == "alone"].groupby("region")["came"].agg(lambda c: (c > 0).mean())).loc[list(REGIONS)]
board = pd.DataFrame(
    {
        "expected: together over alone": factor,
        "typical move, factor": size,
        "any event, alone": chance["alone"],
        "any event, together": chance["together"],
        "any event, came": share,
        "CRPS alone": crps["alone"],
        "CRPS together": crps["together"],
        "saved": saved,
    }
)
print(board.round(3).to_string())
gain = go.Figure(go.Bar(x=list(REGIONS), y=100 * saved, marker_color=[FORECAST if s > 0 else CONTRAST for s in saved]))
gain.update_layout(height=320, yaxis_title="%", title="CRPS saved by pooling", **LOOK)
gain.update_yaxes(gridcolor=GRID)
gain

# %% [markdown]
# ## The answer

# %%
few = list(FEW)


def change(region: str) -> str:
    """Return what pooling does to the expected count of a region."""
    return f"{region} {factor[region] - 1:+.0%} ({int(counted.loc[region, 'before'])} events in the five years before)"


def verdict(before: float, after: float) -> str:
    """Return what pooling does to a score."""
    return f"saves {1 - after / before:.1%}" if after < before else f"costs {after / before - 1:.1%}"


quiet = crps.loc[few].sum()
listens = (
    "A region of which little is known listens to the others, one with many events to itself"
    if size[few].min() > size["Mopti"]
    else "The quiet regions do not move further than Mopti"
)
seen = int(after[[f"Mali/{region}" for region in FEW]].to_numpy().sum())
answer = (
    f"In the median over {len(ORIGINS)} origins, fitting all regions together instead of each alone changes the "
    f"expected count so: {'; '.join(change(region) for region in REGIONS)}. {listens}: a "
    f"typical move is a factor of {size[few].min():.2f} to "
    f"{size[few].max():.2f} in the quiet regions and of {size['Mopti']:.2f} in Mopti. The stated probability of any "
    f"event within eight weeks is {chance.loc[few, 'alone'].mean():.0%} alone and "
    f"{chance.loc[few, 'together'].mean():.0%} together in the quiet regions, where it came in "
    f"{share[few].mean():.0%} of the cases. Pooling {verdict(quiet['alone'], quiet['together'])} of the CRPS of the "
    f"quiet regions and {verdict(crps.loc['Mopti', 'alone'], crps.loc['Mopti', 'together'])} of Mopti's; the first "
    f"rests on {seen} events in three years."
)
print(answer)
