"""The language in which people are told something: English as it stands in the code, others by gettext catalogues.

A sentence is said with `say`, or with `say_count` where it depends on a number. What comes back is a string in the
language of the block around it (`speaking`), which remembers what it was made of: `said` says it again in the language
of another block. A warning formed deep in a run is thus English in logs and manifests, and French on a French page.
"""

from __future__ import annotations

import datetime as dt
import gettext
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from importlib.resources import files
from typing import Literal, Self

from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import get_decimal_symbol
from markupsafe import escape

SOURCE: Literal["en"] = "en"
"""The language of the code."""
Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = (SOURCE, "fr")
"""Those that can be spoken; each but the first has a catalogue in ``forecast/locale/``."""
OWN_NAMES: dict[Language, str] = {"en": "English", "fr": "Français"}
"""What each is called by those who speak it."""

_FIRST_OF_MONTH = {"fr": "1er"}
_language: ContextVar[str] = ContextVar("language", default=SOURCE)


class Text(str):
    """A string that can be said again in another language.

    Parameters
    ----------
    make : callable of () to str
        Says it in the current language. Can be pickled if the text is to cross processes.
    """

    __slots__ = ("make",)
    make: Callable[[], str]

    def __new__(cls, make: Callable[[], str]) -> Self:
        """Say it once, in the current language."""
        text = super().__new__(cls, make())
        text.make = make
        return text

    def __getnewargs__(self) -> tuple[Callable[[], str]]:  # type: ignore[override]
        return (self.make,)


class Html(Text):
    """A `Text` that is HTML already."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Say everything within the block in one of `LANGUAGES`.

    Raises
    ------
    ValueError
        For any other language.

    Examples
    --------
    >>> with speaking("fr"):
    ...     print(say("likely"))
    probable
    """
    if language not in LANGUAGES:
        raise ValueError(f"{language!r} is none of {', '.join(LANGUAGES)}")
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)


def spoken() -> str:
    """Return the language of the block around."""
    return _language.get()


def say(message: str, /, **values: object) -> Text:
    """Return a message in the current language.

    Parameters
    ----------
    message : str
        Literal, so that it is found for the catalogues; ``{name}`` stands for a value.
    **values
        What stands in it. A `Text` is said in the same language.

    Examples
    --------
    >>> told = say("{share} stated, {came} came true", share="5", came="4")
    >>> told
    '5 stated, 4 came true'
    """
    return Text(partial(_say, message, values))


def say_count(one: str, many: str, count: int, /, **values: object) -> Text:
    """Return the form of a message that goes with a number.

    Parameters
    ----------
    one, many : str
        The forms of English, literal.
    count : int
        Decides between the forms; stands in the message only if it is among the values.
    **values

    Examples
    --------
    >>> say_count("in {weeks} week", "in {weeks} weeks", 4, weeks=4)
    'in 4 weeks'
    """
    return Text(partial(_say_count, one, many, count, values))


def say_html(message: str, /, **values: object) -> Html:
    """Return a message that holds elements of HTML; what stands in it is escaped.

    Examples
    --------
    >>> print(say_html("<b>{name}</b> of the record", name="R&D"))
    <b>R&amp;D</b> of the record
    """
    return Html(partial(_say_html, message, values))


def said(value: object) -> object:
    """Return a `Text` in the current language, and anything else as it is.

    Examples
    --------
    >>> word = say("likely")
    >>> with speaking("fr"):
    ...     print(word, said(word), said(3))
    likely probable 3
    """
    return type(value)(value.make) if isinstance(value, Text) else value


def decimal(value: float, digits: int) -> str:
    """Return a number with so many decimals and the decimal sign of the current language.

    Examples
    --------
    >>> with speaking("fr"):
    ...     decimal(0.25, 1)
    '0,2'
    """
    return f"{value:.{digits}f}".replace(".", decimal_sign())


def decimal_sign() -> str:
    """Return what stands before the decimals in the current language."""
    return str(get_decimal_symbol(spoken()))


def date(stamp: dt.date, *, weekday: bool = False) -> Text:
    """Return a day in words.

    Examples
    --------
    >>> date(dt.date(2026, 8, 1), weekday=True)
    'Saturday 1 August 2026'
    >>> with speaking("fr"):
    ...     date(dt.date(2026, 8, 1), weekday=True)
    'samedi 1er août 2026'
    """
    return Text(partial(_date, stamp, weekday))


@cache
def catalogue(language: str) -> Catalog:
    """Return the messages of a language other than English."""
    path = files("forecast").joinpath("locale", language, "LC_MESSAGES", "messages.po")
    with path.open("rb") as file:
        return read_po(file, locale=language)


@cache
def _plural(language: str) -> Callable[[int], int]:
    rule = "n != 1" if language == SOURCE else catalogue(language).plural_expr
    form: Callable[[int], int] = gettext.c2py(rule)
    return form


@cache
def _forms(message: str, language: str) -> tuple[str, ...]:
    """Return the forms of a message in a language; none where the catalogue lacks it."""
    found = None if language == SOURCE else catalogue(language).get(message)
    if found is None or not found.string:
        return ()
    return (found.string,) if isinstance(found.string, str) else tuple(found.string)


def _say(message: str, values: dict[str, object]) -> str:
    form = next(iter(_forms(message, spoken())), message)
    return form.format(**{name: said(value) for name, value in values.items()})


def _say_html(message: str, values: dict[str, object]) -> str:
    form = next(iter(_forms(message, spoken())), message)
    return form.format(**{name: escape(said(value)) for name, value in values.items()})


def _say_count(one: str, many: str, count: int, values: dict[str, object]) -> str:
    language = spoken()
    forms = _forms(one, language)
    # A message that is missing is said in English whole, with the form that English takes.
    form = forms[_plural(language)(count)] if forms else (one, many)[_plural(SOURCE)(count)]
    return form.format(**{name: said(value) for name, value in values.items()})


def _date(stamp: dt.date, weekday: bool) -> str:
    language = spoken()
    number = _FIRST_OF_MONTH.get(language) if stamp.day == 1 else None
    first = f"'{number}'" if number else "d"
    return format_date(stamp, f"EEEE {first} MMMM y" if weekday else f"{first} MMMM y", locale=language)
