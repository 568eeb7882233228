"""Formulas as pictures within the page: no script, no font and no other address is needed to read them."""

from __future__ import annotations

import re
from functools import cache
from html import escape, unescape

import matplotlib as mpl
import numpy as np
from matplotlib.path import Path as Outline
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

SIZE = 10.0
"""Points of an em; only ratios count."""

_MARKED = re.compile(r'<(?P<tag>span|div) class="arithmatex">(?P<text>.*?)</(?P=tag)>', re.DOTALL)
_KNOWN = {
    r"\\[Bb]ig(?=[(\[])": r"\\left",
    r"\\[Bb]ig(?=[)\]])": r"\\right",
    r"\\ge(?![a-z])": r"\\geq",
    r"\\le(?![a-z])": r"\\leq",
    r"\\text(?=\{)": r"\\mathrm",
}
"""What matplotlib calls otherwise than LaTeX."""
_LETTERS = {Outline.MOVETO: "M", Outline.LINETO: "L", Outline.CURVE3: "Q", Outline.CURVE4: "C"}


def with_formulas(html: str) -> str:
    """Return a page in which each formula that Arithmatex marked is drawn."""
    return _MARKED.sub(lambda match: drawn(unescape(match["text"]).strip()), html)


@cache
def drawn(marked: str) -> str:
    r"""Return a formula as SVG in the colour and size of the text; its source is the text for screen readers.

    Parameters
    ----------
    marked : str
        With its delimiters, ``\(...\)`` within a line and ``\[...\]`` by itself.

    Raises
    ------
    ValueError
        If the formula can't be drawn.
    """
    source = " ".join(marked[2:-2].split())
    known = source
    for pattern, replacement in _KNOWN.items():
        known = re.sub(pattern, replacement, known)
    with mpl.rc_context({"mathtext.fontset": "stix"}):
        path = TextPath((0, 0), f"${known}$", size=SIZE)
    outline = "".join(
        "Z" if code == Outline.CLOSEPOLY else _LETTERS[code] + _numbers(corners.reshape(-1, 2))
        for corners, code in path.iter_segments(simplify=False)
    )
    corners = path.vertices[path.codes != Outline.CLOSEPOLY]  # a curve lies within those of it
    (left, low), (right, high) = corners.min(axis=0) - 0.5, corners.max(axis=0) + 0.5
    box = f"{left:.2f} {-high:.2f} {right - left:.2f} {high - low:.2f}"
    width, height, drop = (f"{length / SIZE:.2f}em" for length in (right - left, high - low, low))
    svg = (
        f'<svg class="formula" role="img" aria-label="{escape(source)}" viewBox="{box}" '
        f'style="width:{width};height:{height};vertical-align:{drop}"><path fill="currentColor" d="{outline}"/></svg>'
    )
    return f'<p class="formula">{svg}</p>' if marked.startswith(r"\[") else svg


def _numbers(points: NDArray[np.float64]) -> str:
    return " ".join(f"{x:.2f} {-y:.2f}" for x, y in points)
