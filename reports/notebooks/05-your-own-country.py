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
# # Your own country, from an export of ACLED or UCDP
#
# You have a file of events. **What does it take to get from there to a forecast with a track record - and is the forecast
# any good in your country?**
#
# Put the path of your file into `FILE`: an export of ACLED (CSV or Excel) or a release of UCDP, as it was downloaded,
# zipped or not. Without one this notebook makes up a small country, in the layout of UCDP, and says so.

# %%
from __future__ import annotations

import os
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd

import forecast as fc

FILE = os.environ.get("EVENTS", "")  # such as "GEDEvent_v26_1.csv"

# %%
simulated = not FILE
if simulated:
    rng = np.random.default_rng(7)
    regions = {"North": (15.0, 1.0), "Centre": (14.0, 2.0), "East": (13.5, 4.0), "South": (12.0, 2.0)}
    rows = []
    for region, (latitude, longitude) in regions.items():
        level = rng.gamma(2.0, 0.3)
        for day in pd.date_range("2021-01-01", "2025-12-31"):
            level = 0.985 * level + 0.015 * rng.gamma(0.5, 1.2)  # quiet spells and waves
            rows += [(region, day, latitude, longitude)] * rng.poisson(level / 7)
    table = pd.DataFrame(rows, columns=["adm_1", "date_start", "latitude", "longitude"])
    table["latitude"] += rng.normal(0, 0.3, len(table))
    table["longitude"] += rng.normal(0, 0.3, len(table))
    table = table.assign(
        id=range(1, len(table) + 1), date_end=table["date_start"], country="Simulated land", where_prec=1, date_prec=1,
        type_of_violence=1, best=1, low=1, high=1, where_coordinates="somewhere", event_clarity=1, adm_2="",
    )  # fmt: skip
    FILE = str(Path(mkdtemp()) / "simulated_ged.csv")
    table.to_csv(FILE, index=False, date_format="%Y-%m-%d")
events = fc.read_events(FILE)
events

# %% [markdown]
# Every row is accounted for: what is not among the events stands under *left out*, with the reason. Which kind of file it
# is shows in its columns. ACLED also has protests and strategic developments; `events.select(types=["Battles", ...])`
# takes what you mean.
#
# ## Counts by week and region
#
# `panel()` counts by the first-level regions that the file names. With polygons (`events.panel("regions.geojson")`)
# events are placed by their points, and the models know who borders whom.

# %%
panel = events.panel()
panel

# %%
panel.to_frame().sum().sort_values(ascending=False).head(10).rename("events").to_frame()

# %% [markdown]
# The panel ends with the last whole week before the last event. If your file covers days after it on which nothing
# happened, say so: `events.panel(last="2025-12-31")`. If it begins late, `first=` does the same.
#
# ## Is a forecast any good here?
#
# Before believing a forecast, look at what the same models would have said over the last two years.

# %%
enough = len(panel.weeks) > 104 + 26
record = fc.backtest(
    ["climatology-52", "window-negbin-52", "discount-negbin"],
    panel,
    origins=min(104, len(panel.weeks) - 104) if enough else 13,
    first_after=104 if enough else 26,
    horizon=4,
    escalations=[fc.at_least(3)],
)
record.leaderboard[["model", "crps", "log", "cov50", "cov80", "cov95", "skill", "skill_low", "skill_high"]].round(3)

# %%
best = record.models[0]
record.plot_pit(best)

# %% [markdown]
# ## The next four weeks

# %%
ahead = fc.model(best).fit(panel).predict(4)
ahead.plot()

# %%
risk = ahead.risk([fc.at_least(3), fc.above_recent()])
risk.head(8).round(2)

# %% [markdown]
# ## A report of it, every week
#
# The same as a page to mail, with its track record, needs no Python. `forecast init` counts the events into a new folder
# with one TOML file, in which everything is said; `forecast run` writes the page:
#
#     forecast init mycountry --events FILE
#     forecast run --workspace mycountry
#
# For a report every week from new exports, each kept as it came, see [the event store](../../docs/event-store.md).

# %% [markdown]
# ## The answer

# %%
first = record.leaderboard.iloc[0]
usual = record.leaderboard.set_index("model").loc["climatology-52"]
top = risk[risk["escalation"] == "at_least_3_in_4"].iloc[0]
if simulated:
    print("These are SIMULATED events: no file was named.")
print(
    f"{len(events)} events of {events.rows} rows, {len(panel.units)} regions, {len(panel.weeks)} weeks. Over "
    f"{record.forecasts['origin'].nunique()} past weeks {best} was the best of three, CRPS {first['crps']:.3f} against "
    f"{usual['crps']:.3f} of the climatology; its 80 % ranges held {first['cov80']:.0%}."
)
print(
    f"Likeliest to have three events or more in the next four weeks: {top['unit']}, {top['probability']:.0%} (base rate "
    f"{top['base_rate']:.0%})."
)
