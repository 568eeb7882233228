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
# # Where do the next four weeks look worse than usual?
#
# The embedded counts of Mali, Burkina Faso and Niger end in December 2019. **Standing there: in which regions is an
# escalation likely within four weeks, how likely, and how often does it come anyway?**

# %%
from __future__ import annotations

import forecast as fc

panel = fc.load("west-africa-weekly", countries=["Mali", "Burkina Faso", "Niger"])
panel

# %% [markdown]
# Thirty regions, twenty years of weeks; a week runs from Saturday to Friday. The whole of it, the busiest regions first:

# %%
panel.counts.sum(axis=0)
busiest = panel.to_frame().sum().sort_values(ascending=False).head(8)
busiest.rename("events since 2000").to_frame()

# %% [markdown]
# ## A model, fitted
#
# `fc.models()` lists what there is. `direct-endemic` is one of the three models that the weekly report pools: each region
# has a level that follows its own past weeks and those of its neighbours.

# %%
fitted = fc.model("direct-endemic").fit(panel)
fitted

# %% [markdown]
# ## Eight weeks ahead
#
# A forecast is a set of sample paths: thousand possible courses of all regions together. Ranges, probabilities and sums
# are all read from them.

# %%
ahead = fitted.predict(8)
ahead.plot()

# %% [markdown]
# ## Escalations
#
# An escalation is a rule over the coming weeks. Beside its probability stands its *base rate*: from how many of the
# weekly origins of the last two years it came.

# %%
rules = [fc.at_least(5, weeks=4), fc.above_recent(weeks=4)]
risk = ahead.risk(rules)
risk.head(10).round(2)

# %%
ahead.map(rules[0], fc.outlines("west-africa-weekly"))

# %% [markdown]
# ## Sums keep dependence
#
# How many events in a whole country within four weeks? The ranges of regions cannot be added up; their paths can.

# %%
countries = ahead.total(weeks=4, units="group")
countries.to_frame().query("horizon == 1")[["unit", "mean", "q0.1", "q0.5", "q0.9"]].round(1)

# %% [markdown]
# ## The answer

# %%
above = risk[risk["escalation"] == rules[1].name].head(5)
worse = above[above["probability"] > 1.5 * above["base_rate"]]
busy = risk[(risk["escalation"] == rules[0].name) & (risk["probability"] >= 0.5)]


def told(rows) -> str:
    """Return regions with their probability and base rate."""
    return "; ".join(
        f"{row.unit} {row.probability:.0%} (base rate {row.base_rate:.0%})" for row in rows.itertuples(index=False)
    )


print(f"Five events or more within four weeks are more likely than not in: {told(busy)}.")
print(f"More than in nine of ten such spans of its own last year, likeliest in: {told(above)}.")
print(
    f"Of these, well above their base rate: {', '.join(worse['unit'])}."
    if len(worse)
    else "None of these is far above its base rate."
)
