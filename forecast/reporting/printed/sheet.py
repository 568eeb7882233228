"""A sheet of paper in points from its upper left corner, and files of it that are the same bytes every time."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf, PdfPages
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from forecast.plots.faces import Face, lines, properties, settable, shortened, width
from forecast.plots.theme import INK, MUTED

A4 = (595.28, 841.89)
"""Width and height in points."""
LEADING = 1.38
"""Height of a line over the size of its letters."""
_POINTS = 72.0
_NO_STYLE = {"backend", "backend_fallback", "date.epoch", "interactive"}
"""Settings of matplotlib that are of the program around it."""
Align = Literal["left", "center", "right"]


class Sheet:
    """A page or picture on which text, lines and charts are placed; all lengths are points, y grows downwards.

    Parameters
    ----------
    size : (float, float)
    """

    def __init__(self, size: tuple[float, float] = A4) -> None:
        self.width, self.height = size
        self.figure = Figure(figsize=(self.width / _POINTS, self.height / _POINTS), facecolor="white")

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        face: Face = "sans",
        size: float = 8.0,
        colour: str = INK,
        align: Align = "left",
        room: float | None = None,
    ) -> None:
        """Set one line on the baseline `y`, cut where it is wider than `room`."""
        shown, face = settable(text, face)
        if room is not None:
            shown = shortened(shown, face, size, room)
        self.figure.text(
            x / self.width,
            1 - y / self.height,
            shown,
            fontproperties=properties(face, size),
            color=colour,
            ha=align,
            va="baseline",
            parse_math=False,
        )

    def block(
        self,
        x: float,
        y: float,
        room: float,
        text: str,
        *,
        face: Face = "sans",
        size: float = 8.0,
        colour: str = INK,
        most: int | None = None,
        leading: float = LEADING,
    ) -> float:
        """Set a paragraph below `y`; return where it ends."""
        shown, face = settable(text, face)
        for line in lines(shown, face, size, room, most):
            y += leading * size
            self.text(x, y - (leading - 1) * size, line, face=face, size=size, colour=colour)
        return y

    def rule(self, x: float, y: float, length: float, *, colour: str = MUTED, weight: float = 0.5) -> None:
        """Draw a level line."""
        across = [x / self.width, (x + length) / self.width]
        level = [1 - y / self.height] * 2
        self.figure.add_artist(Line2D(across, level, color=colour, linewidth=weight, solid_capstyle="butt"))

    def box(self, x: float, y: float, wide: float, high: float, colour: str) -> None:
        """Fill a rectangle whose upper left corner is given."""
        corner = (x / self.width, 1 - (y + high) / self.height)
        patch = Rectangle(
            corner,
            wide / self.width,
            high / self.height,
            transform=self.figure.transFigure,
            facecolor=colour,
            edgecolor="none",
            linewidth=0,
        )
        self.figure.add_artist(patch)

    def axes(self, x: float, y: float, wide: float, high: float) -> Axes:
        """Return the frame of a chart."""
        return self.figure.add_axes(
            (x / self.width, 1 - (y + high) / self.height, wide / self.width, high / self.height)
        )

    def height_of(self, text: str, room: float, *, face: Face = "sans", size: float, most: int | None = None) -> float:
        """Return how high `block` sets a paragraph."""
        shown, face = settable(text, face)
        return len(lines(shown, face, size, room, most)) * LEADING * size


def width_of(text: str, face: Face, size: float) -> float:
    """Return how wide a line is set, in points."""
    return width(*settable(text, face), size)


@contextmanager
def press() -> Iterator[None]:
    """Draw with settings of our own within the block, whatever the user's matplotlib is set to."""
    ours = {
        **{name: value for name, value in mpl.rcParamsDefault.items() if name not in _NO_STYLE},
        "pdf.fonttype": 42,  # letters of every alphabet stay text that can be searched and copied
        "pdf.compression": 9,
        "axes.unicode_minus": True,
        "path.simplify": False,
    }
    with mpl.rc_context(ours):
        yield


def pdf_bytes(sheets: Sequence[Sheet], date: pd.Timestamp, facts: Mapping[str, str]) -> bytes:
    """Return sheets as one PDF.

    Parameters
    ----------
    sheets : sequence of Sheet
    date : Timestamp
        What stands in it as the time of its making: the clock has no part in a document.
    facts : mapping
        Title, Author, Subject, Keywords.
    """
    made = dt.datetime(date.year, date.month, date.day, tzinfo=dt.UTC)
    information: dict[str, Any] = {
        **{name: settable(text, "sans")[0] for name, text in facts.items()},
        "Creator": "escalation-forecast",
        "CreationDate": made,
        "ModDate": made,
    }
    stream = io.BytesIO()
    with PdfPages(stream, metadata=information) as pages:
        for sheet in sheets:
            FigureCanvasPdf(sheet.figure)
            pages.savefig(sheet.figure)
    return stream.getvalue()


def png_bytes(sheet: Sheet, facts: Mapping[str, str], dots_per_inch: int = 200) -> bytes:
    """Return a sheet as a PNG, with texts that say what it is."""
    stream = io.BytesIO()
    told = {name: settable(text, "sans")[0] for name, text in facts.items()}
    FigureCanvasAgg(sheet.figure)
    sheet.figure.savefig(stream, format="png", dpi=dots_per_inch, metadata={**told, "Software": "escalation-forecast"})
    return stream.getvalue()
