"""How late the reports of real events come: first source date less last day, in the UCDP events of a country.

    python benchmarks/studies/ucdp_delay.py ged201_nigeria.csv

Reads a UCDP file as `forecast ingest ucdp` does and writes ``results/ucdp_delay.csv``: by period, type of
violence and delay in weeks the share of events that had been reported, with its 90 % interval. It is a lower bound of
the delay after which an event is in a dataset.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from forecast.events.imprecise import ImprecisePolicy
from forecast.events.ucdp import read_ucdp
from forecast.panel.reporting_delay import estimate_delay
from forecast.panel.reporting_triangle import triangle_from_events

RESULTS = Path(__file__).parent / "results" / "ucdp_delay.csv"
MAX_DELAY = 12
PERIODS = {"2010 to 2014": ("2010-01-01", "2014-12-31"), "2015 to 2019": ("2015-01-01", "2019-12-31")}
SHOWN = (0, 1, 2, 3, 4, 8)


def delays(events: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the delay distribution by type of violence and of all, and the events that have none, by reason."""
    origin = events["date_end"].max() + pd.Timedelta(weeks=MAX_DELAY + 1)
    triangle = triangle_from_events(events, origin=origin, max_delay=MAX_DELAY, by=("event_type",))
    delay = estimate_delay(triangle)
    used = dict(zip(triangle.columns, triangle.shown[:, -1].sum(axis=0).tolist(), strict=True))
    table = delay.to_frame().assign(scatter=delay.scatter)
    table["events"] = table["class"].map({**used, "all": sum(used.values())})
    return table, dict(triangle.left_out)


def main() -> None:
    """Estimate, write and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    batches = list(read_ucdp(parser.parse_args().file, ImprecisePolicy()))
    events = pd.concat([batch.events for batch in batches], ignore_index=True)
    tables = []
    for period, (first, last) in PERIODS.items():
        mine = events[events["date_end"].between(pd.Timestamp(first), pd.Timestamp(last))]
        table, left_out = delays(mine)
        tables.append(table.assign(period=period))
        print(f"{period}: {len(mine)} events, not used: {left_out}")
    columns = ["period", "class", "events", "delay", "probability", "cdf", "lower", "upper", "scatter"]
    table = pd.concat(tables, ignore_index=True)[columns]
    table.round(4).to_csv(RESULTS, index=False, lineterminator="\n")
    print(table[table["delay"].isin(SHOWN)].round(3).to_string(index=False))


if __name__ == "__main__":
    main()
