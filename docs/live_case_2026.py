"""Write ``docs/live-case-2026.md``: what was said each week of 2026 of four units, and what then happened.

Reads the record that `forecast run` leaves in ``out/backtests/sahel-2026-weekly``.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from forecast.evaluation.backtest import read_record
from forecast.evaluation.record import BacktestRecord

ROOT = Path(__file__).parent.parent
MODEL = "combined"
SINGLE = ("direct-endemic", "discount-negbin", "excited-hurdle", "window-negbin-52")
CLIMATOLOGY = ("climatology-26", "climatology-52", "climatology-104")
UNITS = {
    "Mali/Mopti": "Mopti",
    "Mali/Ségou": "Ségou",
    "Mali/Koulikoro": "Koulikoro",
    "Bamako 100 km": "Bamako, 100 km around",
}
FIRST, LAST = pd.Timestamp("2026-03-07"), pd.Timestamp("2026-07-25")
RULE = "above_recent_4w"

HEAD = """# The live case: 2026, week by week

Written by `python docs/live_case_2026.py` from the record of `make forecast`; nothing in it was chosen or smoothed
afterwards. Every line is what the model *{model}* said on the first day of that week, knowing only the weeks before
it. Its parameters come from 2000 to 2019; of 2026 it knew the counts so far and nothing else. That this model speaks,
and of which members it is made, was settled when these weeks were over, so the single models stand beside it below.
The counts are preliminary ones (UCDP Candidate events, as published until August 2026), so that corrections made
between the week and August 2026 are already in them: a forecast made in that week would have seen a little less.

- **expected** and **80 % range**: events in the week that begins on that day.
- **happened**: events in that week; in **bold** where it lies outside the range.
- **4 weeks: more than usual**: probability, as said then, that the four weeks from that day hold more events than
  90 % of such spans of the unit's own past year (or as much of it as was known), and whether they did (— where the
  four weeks were not over at the end of the data).

## All 30 regions together

{overall}
"""


def main() -> None:
    """Write the page."""
    record = read_record(ROOT / "out" / "backtests" / "sahel-2026-weekly")
    parts = [HEAD.format(model=MODEL, overall=_overall(record))]
    parts += [f"## {title}\n\n{_unit(record, unit)}\n" for unit, title in UNITS.items()]
    (ROOT / "docs" / "live-case-2026.md").write_text("\n".join(parts), encoding="utf-8")


def _within(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["origin"] >= FIRST) & (frame["origin"] <= LAST)]


def _overall(record: BacktestRecord) -> str:
    """Compare the scores with those of the best climatology that knows only 2026."""
    scores = _within(record.scores)
    scores = scores[(scores["unit_kind"] == "region") & scores["score"].isin(["crps", "log"])]
    table = scores.pivot_table(index="model", columns="score", values="value", observed=True)
    best = table.loc[[name for name in CLIMATOLOGY if name in table.index]].idxmin()
    origins, cells = scores["origin"].nunique(), len(scores) // len(table) // 2
    lines = ["| | CRPS | log score |", "| --- | ---: | ---: |"]
    lines += [f"| {name} | {table.loc[name, 'crps']:.4f} | {table.loc[name, 'log']:.4f} |" for name in (MODEL, *SINGLE)]
    lines.append(
        f"| best climatology of 2026 alone | {table.loc[best['crps'], 'crps']:.4f} ({best['crps']}) "
        f"| {table.loc[best['log'], 'log']:.4f} ({best['log']}) |"
    )
    lines.append("")
    lines.append(f"{origins} origins, horizons 1 to 8, {cells} forecasts; lower is better.")
    return "\n".join(lines)


def _unit(record: BacktestRecord, unit: str) -> str:
    forecasts = _within(record.forecasts)
    weekly = forecasts[(forecasts["model"] == MODEL) & (forecasts["unit"] == unit) & (forecasts["horizon"] == 1)]
    risk = record.risk
    said = risk[(risk["model"] == MODEL) & (risk["unit"] == unit) & (risk["escalation"] == RULE)].set_index("origin")
    lines = [
        "| week from | expected | 80 % range | happened | 4 weeks: more than usual | did they |",
        "| --- | ---: | ---: | ---: | ---: | :---: |",
    ]
    outside = 0
    for row in weekly.sort_values("origin").to_dict("records"):
        low, high, seen = row["q0.1"], row["q0.9"], row["observed"]
        missed = not low <= seen <= high
        outside += missed
        four = said.loc[row["origin"]] if row["origin"] in said.index else None
        lines.append(
            f"| {row['origin']:%d %b} | {row['mean']:.1f} | {low}-{high} | {f'**{seen}**' if missed else seen} "
            f"| {'—' if four is None else f'{100 * four.probability:.0f} %'} "
            f"| {'—' if four is None else 'yes' if four.outcome else 'no'} |"
        )
    decided = said.loc[said.index >= FIRST]
    lines += [
        "",
        f"{len(weekly) - outside} of {len(weekly)} weeks lay within the 80 % range. Of {len(decided)} four-week spans "
        f"{int(decided['outcome'].sum())} held more than usual; the mean of the probabilities was "
        f"{100 * decided['probability'].mean():.0f} %.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
