"""Typefaces of what is printed: those that come with matplotlib, so that every machine sets the same lines."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Literal

import matplotlib as mpl
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.ft2font import FT2Font, LoadFlags

Face = Literal["serif", "serif bold", "sans", "sans bold"]

_FILES: dict[Face, str] = {
    "serif": "STIXGeneral.ttf",
    "serif bold": "STIXGeneralBol.ttf",
    "sans": "DejaVuSans.ttf",
    "sans bold": "DejaVuSans-Bold.ttf",
}
_SANS: dict[Face, Face] = {"serif": "sans", "serif bold": "sans bold"}
_UNIT = 1000
"""Points at which letters are measured: large enough for whole units to be exact."""
MISSING = "\N{WHITE SQUARE}"
"""Stands for a letter that no face has."""
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def properties(face: Face, size: float) -> FontProperties:
    """Return a face in a size (points) as matplotlib wants it: by its file, never by a name that others may share."""
    return FontProperties(fname=str(_path(face)), size=size)


def settable(text: str, face: Face) -> tuple[str, Face]:
    r"""Return what can be set of a text, and the face that has its letters.

    Characters that act (line breaks, marks of direction, control characters) become spaces or nothing. A text with a
    letter that a serif face lacks is set in sans; a letter that is in neither becomes `MISSING`.

    Examples
    --------
    >>> settable("Tillabéri\n\u202e", "serif")
    ('Tillabéri', 'serif')
    >>> settable("\u0634", "serif bold")[1]
    'sans bold'
    """
    plain = "".join(_plain(letter) for letter in unicodedata.normalize("NFC", text))
    plain = " ".join(part for part in plain.split(" ") if part)
    if face in _SANS and not all(_has(face, letter) for letter in plain):
        face = _SANS[face]
    return "".join(letter if _has(face, letter) else MISSING for letter in plain), face


def width(text: str, face: Face, size: float) -> float:
    """Return how wide a text is in points, without kerning.

    Examples
    --------
    >>> width("Gao", "sans", 10) > width("Gao", "serif", 10) > 10
    True
    """
    return sum(_advance(letter, face) for letter in text) * size


def shortened(text: str, face: Face, size: float, room: float) -> str:
    """Return a text that fits into a width, cut with an ellipsis if it has to be.

    Examples
    --------
    >>> shortened("Central Sahel", "sans", 10, 40)
    'Centr…'
    >>> shortened("Gao", "sans", 10, 40)
    'Gao'
    """
    if width(text, face, size) <= room:
        return text
    left = room - width(ELLIPSIS, face, size)
    kept = 0
    for letter in text:
        left -= _advance(letter, face) * size
        if left < 0:
            break
        kept += 1
    return text[:kept].rstrip() + ELLIPSIS


def lines(text: str, face: Face, size: float, room: float, most: int | None = None) -> list[str]:
    """Return a text in lines that fit into a width; a word that is wider is broken, and what is too much is cut.

    Parameters
    ----------
    text : str
        Of `settable` letters.
    face : Face
    size, room : float
        Points.
    most : int, optional
        Lines; the last of them ends in an ellipsis if there were more.

    Examples
    --------
    >>> lines("None of the regions stands out", "sans", 10, 80)
    ['None of the', 'regions stands', 'out']
    >>> lines("None of the regions stands out", "sans", 10, 80, most=2)
    ['None of the', 'regions stand…']
    """
    found: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if width(joined, face, size) <= room:
            line = joined
            continue
        if line:
            found.append(line)
        line = word
        while width(line, face, size) > room and len(line) > 1:
            part = shortened(line, face, size, room + width(ELLIPSIS, face, size))[: len(line) - 1]
            part = part.removesuffix(ELLIPSIS) or line[0]
            found.append(part)
            line = line[len(part) :]
    found.append(line)
    if most is not None and len(found) > most:
        last = f"{found[most - 1]} {found[most]}{ELLIPSIS}"
        found = [*found[: most - 1], shortened(last, face, size, room)]
    return found


def _plain(letter: str) -> str:
    if letter == "\N{NO-BREAK SPACE}":
        return letter
    if letter.isspace():
        return " "
    return "" if unicodedata.category(letter) in {"Cc", "Cf", "Cs"} else letter


@cache
def _path(face: Face) -> Path:
    return Path(mpl.get_data_path()) / "fonts" / "ttf" / _FILES[face]


@cache
def _letters(face: Face) -> frozenset[int]:
    return frozenset(_font(face).get_charmap())


def _font(face: Face) -> FT2Font:
    return get_font(str(_path(face)))


def _has(face: Face, letter: str) -> bool:
    # Outside of the basic plane no letter can be embedded as text.
    return ord(letter) <= 0xFFFF and ord(letter) in _letters(face)


@cache
def _advance(letter: str, face: Face) -> float:
    font = _font(face)
    font.set_size(_UNIT, 72)
    return float(font.load_char(ord(letter), flags=LoadFlags.NO_HINTING).linearHoriAdvance) / 65536 / _UNIT
