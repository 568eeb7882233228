"""Errors that tell the user what is wrong, where, what was expected and what to try."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from forecast.plain_text import visible


class ForecastError(Exception):
    """The work could not be done although the input was understood (exit code 1)."""

    exit_code = 1


class InputError(ForecastError, ValueError):
    """Bad usage or bad input (exit code 2).

    Parameters
    ----------
    what : str
        What is wrong, with the offending value.
    where : str, optional
        File, table, row or key in which it was found.
    expected : str, optional
        What would have been right.
    hint : str, optional
        What to try.

    Examples
    --------
    >>> print(InputError("count -3 is negative", where="counts.csv row 7", expected="a whole number >= 0"))
    count -3 is negative
      where: counts.csv row 7
      expected: a whole number >= 0
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", expected: str = "", hint: str = "") -> None:
        # They quote data and names of files, none of which may begin a line of its own or steer a terminal.
        what, where, expected, hint = (visible(text, lines=False) for text in (what, where, expected, hint))
        self.what, self.where, self.expected, self.hint = what, where, expected, hint
        parts = [what]
        parts += [
            f"  {label}: {text}" for label, text in (("where", where), ("expected", expected), ("try", hint)) if text
        ]
        super().__init__("\n".join(parts))


class ModelError(ForecastError):
    """A model failed (exit code 1); the others may go on without it.

    Parameters
    ----------
    message : str
    model : str
        Its name.
    """

    def __init__(self, message: str, model: str = "") -> None:
        super().__init__(message)
        self.model = model


def nearest_names(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Return the known names most like `name`, best first; case and accents count little.

    The fewer letters a name has, the more of them must agree, since half of three letters agree with almost anything.
    A name of which one word is meant, or the start, is like it as well: ``date`` for ``event_date``.

    Parameters
    ----------
    name : str
        What was written.
    known : iterable of str
        What could have been meant.
    count : int, default 3
        The most names to return.

    Returns
    -------
    list of str

    Examples
    --------
    >>> nearest_names("horizn", ["horizon", "draws"])
    ['horizon']
    >>> nearest_names("lat", ["Latitude", "date", "lon"])
    ['Latitude']
    """
    key = plain_name(name)
    wholes: dict[str, list[str]] = {}
    words: dict[str, list[str]] = {}
    for item in known:
        whole = plain_name(item)
        wholes.setdefault(whole, []).append(item)
        for word in re.split(r"[\W_]+", whole):
            words.setdefault(word, []).append(item)
    if key in wholes:
        return wholes[key][:count]
    cutoff = max(0.5, 0.9 - 0.05 * len(key))
    near = [wholes[whole] for whole in difflib.get_close_matches(key, wholes, n=count, cutoff=cutoff)]
    if len(key) > 2:
        near += [items for whole, items in wholes.items() if whole.startswith(key)]
        near += [words[word] for word in difflib.get_close_matches(key, words, n=count, cutoff=0.8)]
    return list(dict.fromkeys(item for items in near for item in items))[:count]


def plain_name(name: str) -> str:
    """Return `name` without case, accents and outer space, for comparison only.

    Examples
    --------
    >>> plain_name(" Ségou ")
    'segou'
    """
    import unicodedata  # noqa: PLC0415 - the command line imports this module before anything else

    decomposed = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def unknown_name(kind: str, name: str, known: Iterable[str], *, where: str = "") -> InputError:
    """Return the error for a name that is not known, offering the nearest ones.

    Examples
    --------
    >>> print(unknown_name("region", "Mopty", ["Mali/Mopti", "Mopti", "Gao"]))
    unknown region 'Mopty'
      expected: one of the 3 known names, such as 'Mopti', 'Mali/Mopti'
    """
    names = list(known)
    near = nearest_names(name, names)
    if near:
        expected = f"one of the {len(names)} known names, such as " + ", ".join(repr(item) for item in near)
    else:
        shown = ", ".join(repr(item) for item in sorted(names)[:12])
        expected = f"one of {shown}" + (f" ... ({len(names)} in all)" if len(names) > 12 else "")
    return InputError(f"unknown {kind} {name!r}", where=where, expected=expected)
