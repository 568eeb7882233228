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
# # Bamako in 2026: what could be said, week by week, and what drove it?
#
# The embedded counts of 2026 run to the end of July. **From each week of spring and summer 2026: how likely was an event
# within 100 km of Bamako in the next four weeks, compared with the usual, what came, and where did the risk come from?**
#
# The counts of 2026 are preliminary (UCDP Candidate events). They are counted as they stand now, not as they were known
# in each week: [the report](../../README.md) keeps vintages, a notebook does not.

# %%
from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

import forecast as fc
from forecast.plots.theme import CONTRAST, FORECAST, INK, MUTED

PLACES = [("Bamako", 100), ("Segou", 50), ("Mopti", 50), ("Gao", 50), ("Ouagadougou", 100), ("Niamey", 100)]
RULE = fc.any_event(weeks=4)

recent = fc.load("sahel-2026-weekly", places=PLACES)
before = fc.load("west-africa-weekly", places=PLACES)
recent

# %%
recent.to_frame().sum().rename("events in 2026").to_frame()

# %% [markdown]
# ## The probability, week by week
#
# The model takes its parameters from the years 2000 to 2019 around the same towns, and its state from the weeks of 2026
# before each origin. Nothing after an origin is seen. The base rate is how often the rule was met from origins of 2018
# and 2019.

# %%
bamako = "Bamako 100 km"
model = fc.model("discount-negbin")
origins = recent.weeks[8:].append(pd.DatetimeIndex([recent.origin]))
rows = []
for origin in origins:
    ahead = model.fit(recent.until(origin), fit_on=before).predict(4)
    last = recent.weeks.searchsorted(origin) + RULE.weeks
    known = last <= len(recent.weeks)
    counts = recent.counts[last - RULE.weeks : last, recent.units.index(bamako)]
    rows.append(
        {
            "origin": origin,
            "probability": ahead.probability(RULE)[bamako],
            "expected": ahead.mean()[:, ahead.units.index(bamako)].sum(),
            "came": counts.sum() if known else None,
        }
    )
weeks = pd.DataFrame(rows).set_index("origin").astype({"came": "Int64"})
usual = model.fit(before).predict(4).risk([RULE]).set_index("unit").loc[bamako, "base_rate"]
weeks.round(2)

# %%
came = weeks[weeks["came"] > 0]
figure = go.Figure(
    [
        go.Scatter(
            x=weeks.index, y=weeks["probability"], mode="lines+markers", name="probability", line_color=FORECAST
        ),
        go.Scatter(
            x=came.index,
            y=[1.02] * len(came),
            mode="markers",
            name="an event came",
            marker={"color": INK, "symbol": "diamond"},
        ),
    ]
)
figure.add_hline(y=usual, line={"dash": "dot", "color": MUTED}, annotation_text=f"base rate 2018-2019: {usual:.0%}")
figure.update_layout(
    title="Any event within 100 km of Bamako in the next four weeks",
    yaxis={"range": [0, 1.08], "tickformat": ".0%"},
    template="plotly_white",
    height=380,
)
figure

# %% [markdown]
# ## How good were these statements?
#
# The Brier score is the mean squared difference between probability and what came (1 or 0); lower is better. Few weeks
# that overlap are little to judge by: the [track record](../../docs/place-risk.md) over 546 towns says more.

# %%
judged = weeks.dropna(subset=["came"])
outcome = (judged["came"] > 0).astype(float)
brier = float(((judged["probability"] - outcome) ** 2).mean())
always = float(((usual - outcome) ** 2).mean())
pd.Series({"forecast": brier, "always the base rate": always, "origins": len(judged)}).round(3).to_frame("Brier score")

# %% [markdown]
# ## What drives it
#
# The endemic-epidemic model takes the expected count of a region apart: what its own last weeks pass on, what comes from
# its neighbours, and the level that is always there. Around Bamako these are the regions Bamako, Koulikoro, Ségou, Kayes
# and Sikasso.

# %%
regions = fc.load("sahel-2026-weekly", countries=["Mali"])
longer = fc.load("west-africa-weekly", countries=["Mali"])
parts = fc.model("endemic-epidemic").fit(regions, fit_on=longer).components()
around = ["Mali/Bamako", "Mali/Koulikoro", "Mali/Ségou", "Mali/Kayes", "Mali/Sikasso"]
south = parts[parts["unit"].isin(around)]
shares = south[["own", "neighbour", "endemic"]].mul(south["mean"], axis=0)
driven = shares.assign(week=south["week"]).groupby("week").sum()
areas = go.Figure(
    [
        go.Bar(x=driven.index, y=driven[name], name=label, marker_color=colour)
        for name, label, colour in (
            ("endemic", "always there", MUTED),
            ("neighbour", "from neighbours", CONTRAST),
            ("own", "from its own last weeks", FORECAST),
        )
    ]
)
areas.update_layout(
    barmode="stack",
    title="Expected events a week around Bamako, by where they come from",
    template="plotly_white",
    height=380,
)
areas

# %% [markdown]
# ## The answer

# %%
peak = weeks["probability"].idxmax()
share = driven.tail(8).sum() / driven.tail(8).to_numpy().sum()
last = weeks.iloc[-1]
print(
    f"From {len(judged)} origins of 2026 whose four weeks are over, an event came within 100 km of Bamako in "
    f"{int(outcome.sum())}; the stated probabilities were {judged['probability'].min():.0%} to "
    f"{judged['probability'].max():.0%}, {judged['probability'].mean():.0%} in the mean, against {usual:.0%} as the base "
    f"rate of 2018 and 2019. Highest was the week of {peak:%d %B}, {weeks.loc[peak, 'probability']:.0%}."
)
print(f"Brier score {brier:.3f}, always saying the base rate {always:.3f}.")
print(
    f"In the last eight weeks {share['own']:.0%} of what is expected around Bamako comes from the regions' own last weeks, "
    f"{share['neighbour']:.0%} from neighbours, {share['endemic']:.0%} is always there."
)
print(
    f"At the end of July: {last['probability']:.0%} for the four weeks to come, {last['expected']:.1f} events expected."
)
