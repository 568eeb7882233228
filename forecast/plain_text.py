r"""Text from data as plain text: nothing in it acts on a terminal, on a log, or on the order of the letters around it.

Names come from other people's files. Control characters move a terminal's cursor and break lines of logs; the Unicode
characters that turn the direction of text (https://trojansource.codes, CVE-2021-42574) make a page or a message read as
something else. Names lose them where they come in, by `one_line`; what is shown anyway, such as the name of a file,
shows them as escapes, by `visible`. What scripts need stays: joiners, and marks of direction within a name.
"""

from __future__ import annotations

import json
import re

LONGEST_NAME = 200
"""Characters of a name; the longest real one, of a locality with its districts, has about 100."""
LONGEST_LINE = 4000
"""Characters of a line that is shown."""

_BREAKS = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_MARKS = "\u061c\u200e\u200f"
"""Marks of direction, which Arabic text can need in the middle of a name; at its ends they act on what is around it."""
# C0, DEL, C1; line and paragraph separators; embeddings, overrides and isolates; deprecated controls; byte order mark;
# annotations; what is no character; surrogates; tags.
_ACTING = (
    r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff"
    r"\U000e0000-\U000e007f"
)
_ACTS = re.compile(f"[{_ACTING}]")
_ACTS_IN_A_LINE = re.compile(rf"(?![\n\t])[{_ACTING}]")
_BLANKS = re.compile(f"[{_BREAKS}]+")


def one_line(text: str, longest: int | None = LONGEST_NAME) -> str:
    r"""Return a name from data without what acts: breaks and tabs are spaces, other controls are gone.

    Parameters
    ----------
    text : str
    longest : int, optional
        A longer one is cut, and ends in three dots. Not cut if None.

    Examples
    --------
    >>> one_line("Gao\x1b[31m\r\nnorth"), one_line("\u202egpj.exe"), one_line("العربية"), one_line("N'Djamena")
    ('Gao[31m north', 'gpj.exe', 'العربية', "N'Djamena")
    """
    if longest is not None and len(text) > 16 * longest:
        text = text[: 16 * longest]  # so that a planted one costs no time; it is cut below in any case
    if _ACTS.search(text):
        text = _ACTS.sub("", _BLANKS.sub(" ", text))
    text = text.strip().strip(_MARKS).strip()
    return text if longest is None or len(text) <= longest else f"{text[: longest - 3].rstrip()}..."


def is_plain(text: str) -> bool:
    r"""Return whether a text has nothing that acts, other than line feeds and tabs.

    Examples
    --------
    >>> is_plain("two\nlines"), is_plain("\x1b[2J")
    (True, False)
    """
    return _ACTS_IN_A_LINE.search(text) is None


def still(text: str) -> str:
    r"""Return a text to be shown on a page, without what acts, other than line feeds and tabs.

    Examples
    --------
    >>> still("two\nlines \u202ebackwards")
    'two\nlines backwards'
    """
    return _ACTS_IN_A_LINE.sub("", text)


def visible(text: str, *, lines: bool = True) -> str:
    r"""Return a text to be shown, with escapes in place of what would act; long lines are cut.

    Parameters
    ----------
    text : str
    lines : bool
        Whether line feeds and tabs stay.

    Examples
    --------
    >>> print(visible("\x1b[31mGao\n-\u202e"), visible("a\nb", lines=False))
    \x1b[31mGao
    -\u202e a\nb
    """
    shown = (_ACTS_IN_A_LINE if lines else _ACTS).sub(_escape, text)
    if len(shown) <= LONGEST_LINE:
        return shown
    return "\n".join(map(_cut, shown.split("\n")))


def escaped_json(text: str) -> str:
    r"""Return JSON with escapes in place of characters that act; it is read as the same.

    Examples
    --------
    >>> print(escaped_json('{"unit":"Gao\u202e"}'))
    {"unit":"Gao\u202e"}
    """
    return _ACTS_IN_A_LINE.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _cut(line: str) -> str:
    rest = len(line) - LONGEST_LINE
    return line if rest <= 0 else f"{line[:LONGEST_LINE]}... ({rest} characters more)"


def _escape(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1]
