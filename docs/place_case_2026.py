"""Write ``docs/place-case-2026.md`` and its figure: Bamako 2026, what was said each week, and what came.

What `forecast place Bamako` tells of its past in the reference workspace: every origin of 2026 with the counts before
it, and parameters from the long set (2000 to 2019).
"""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import matplotlib as mpl
import matplotlib.dates
from matplotlib.figure import Figure

from forecast.jobs.place import PlaceOutlook, place_outlook
from forecast.workspace import open_workspace

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "images" / "place-case-2026.svg"
RADII, WEEKS = (50, 100), 4
COLOURS = {"regions": "#b5651d", "towns": "#4b7f52"}


HEAD = """# The live case near Bamako: 2026, week by week

Written by `python docs/place_case_2026.py`; nothing in it was chosen or smoothed afterwards. Every line is what
`forecast place Bamako` would have said on the first day of that week of the four weeks that followed, from the counts
of 2026 before it, and with parameters from the long set (2000 to 2019). The counts are preliminary ones (UCDP Candidate
events, as published until August 2026), so that corrections made between the week and August 2026 are already in them.
The space-time model cannot tell: the embedded data has no single events. Recalibration needs 13 origins whose four
weeks are over. — : not known, or not known yet.

![Probabilities near Bamako in 2026, and what came](images/place-case-2026.svg)

Dots above: filled where an event came within the four weeks, open where none did.
"""


def main() -> None:
    """Ask, print and draw."""
    workspace = open_workspace(ROOT)
    told = [place_outlook(workspace, "Bamako", radius, weeks=WEEKS) for radius in RADII]
    text = "\n".join([HEAD, *(table(outlook) for outlook in told)])
    (ROOT / "docs" / "place-case-2026.md").write_text(text, encoding="utf-8", newline="\n")
    draw(told)


def table(outlook: PlaceOutlook) -> str:
    """Return a row a week, in Markdown."""
    lines = [
        f"## {outlook.place}",
        "",
        "| week from | together | regions | towns | recalibrated | events in the four weeks |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for view in outlook.history:
        said = [view.probability, view.models["regions"], view.models["towns"], view.calibrated]
        cells = ["—" if math.isnan(one) else f"{100 * one:.0f} %" for one in said]
        came = "—" if view.events is None else str(view.events)
        lines.append(f"| {dt.date.fromisoformat(view.origin):%d %b} | {' | '.join(cells)} | {came} |")
    if outlook.scores is not None:
        known = outlook.scores
        lines += [
            "",
            f"Over the {known.origins} origins whose outcome is known: said {known.said:.2f} on average, came "
            f"{known.came:.2f}; Brier score {known.brier:.3f}. Over the {known.compared} of them before which 13 spans "
            f"were known: {known.brier_compared:.3f}, and that of the base rate known then {known.brier_usual:.3f}. "
            "Neighbouring spans share three of their four weeks.",
        ]
    return "\n".join([*lines, ""])


def draw(told: list[PlaceOutlook]) -> None:
    """Draw a panel a radius."""
    mpl.rcParams |= {"svg.hashsalt": "place", "svg.fonttype": "none"}  # the same bytes each time; text as text
    picture = Figure(figsize=(8.4, 5.4), layout="constrained")
    panels = picture.subplots(len(told), 1, sharex=True)
    for axes, outlook in zip(panels, told, strict=True):
        days = [dt.date.fromisoformat(view.origin) for view in outlook.history]
        for name, colour in COLOURS.items():
            said = [view.models[name] for view in outlook.history]
            axes.plot(days, said, color=colour, linewidth=1, label=name)
        axes.plot(
            days, [view.probability for view in outlook.history], color="#1b4f72", linewidth=2.4, label="together"
        )
        axes.plot(
            days, [view.usual for view in outlook.history], color="#444444", linestyle=":", label="usual until then"
        )
        for day, view in zip(days, outlook.history, strict=True):
            if view.events is not None:
                axes.plot(day, 1.07, "o", color="#333333", fillstyle="full" if view.events else "none", markersize=5)
        axes.set(title=outlook.place, ylim=(0, 1.14), ylabel="at least one event in 4 weeks")
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    panels[-1].xaxis.set_major_formatter(mpl.dates.DateFormatter("%d %b"))
    panels[0].legend(frameon=False, ncols=4, loc="lower right", fontsize=8)
    PICTURE.parent.mkdir(exist_ok=True)
    picture.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
