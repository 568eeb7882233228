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
# # Which of eight models is best, how sure is that, and where and when does each win?
#
# Eight models of the catalogue forecast all thirty regions of Mali, Burkina Faso and Niger from every week of 2017 to
# 2019, eight weeks ahead, with what was known then. **Is any of them better than a well-chosen climatology, by how much,
# and is it calibrated?**

# %%
from __future__ import annotations

import forecast as fc

MODELS = [
    "climatology-52",
    "window-negbin-52",
    "discount-negbin",
    "glm-negbin",
    "endemic-epidemic",
    "excited-hurdle",
    "grid-filter",
    "direct-endemic",
]
REFERENCE = "window-negbin-52"

panel = fc.load("west-africa-weekly", countries=["Mali", "Burkina Faso", "Niger"])
record = fc.backtest(
    MODELS,
    panel,
    start="2017-01-07",
    horizon=8,
    refit_every=13,
    escalations=[fc.any_event(), fc.at_least(5)],
    workers=2,
)
record

# %% [markdown]
# ## The table
#
# CRPS and log score: lower is better. A 50 % range should hold 50 % of what came.

# %%
columns = ["model", "crps", "log", "cov50", "cov80", "cov95"]
record.leaderboard[columns].set_index("model").round(4)

# %% [markdown]
# ## Skill, with intervals
#
# The share of the CRPS of the reference that a model saves. The interval is from a bootstrap of blocks of weeks, since
# weeks that follow each other err together.

# %%
compared = record.compare(REFERENCE)
skill = compared.skill.query("against == 'reference'").set_index("model")[["skill", "low", "high"]]
(100 * skill).round(1)

# %% [markdown]
# Which models cannot be told from the best? The *confidence set* holds the best of them with probability 90 %.

# %%
compared.confidence_set

# %% [markdown]
# ## Where and when
#
# Mean CRPS by region tells which model wins where. Quarters tell when.

# %%
compared.where.head(12)

# %%
compared.when

# %% [markdown]
# ## By weeks ahead

# %%
compared.horizons.head(16).round(3)

# %% [markdown]
# ## Is it calibrated?
#
# If probabilities are right the PIT histogram is flat, and stated probabilities of an escalation are how often it came.

# %%
best = record.models[0]
record.plot_pit(best)

# %%
record.plot_pit("climatology-52")

# %%
record.plot_reliability(best, "at_least_5_in_4")

# %% [markdown]
# ## The answer

# %%
inside = set(compared.confidence_set.query("in_set")["model"]) if "in_set" in compared.confidence_set else set()
first, worst = skill.loc[best], skill["skill"].idxmin()
score = record.leaderboard.set_index("model")
print(
    f"Best is {best}: it saves {first['skill']:.1%} of the CRPS of {REFERENCE}, 90 % interval {first['low']:.1%} to "
    f"{first['high']:.1%}. "
    + (
        "The interval excludes zero: the gain is real. "
        if first["low"] > 0
        else "The interval holds zero: it may be chance. "
    )
    + f"{sum(skill['low'] > 0)} of the {len(skill) - 1} others are surely better than {REFERENCE}; {worst} is the worst."
)
cover = score.loc[best, ["cov50", "cov80", "cov95"]]
print(
    f"Its 50, 80 and 95 % ranges held {cover['cov50']:.1%}, {cover['cov80']:.1%} and {cover['cov95']:.1%} of what came."
)
