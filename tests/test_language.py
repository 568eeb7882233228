"""What is said in another language: every message, with its placeholders, its plural forms and its typography."""

from __future__ import annotations

import gettext
import io
import pickle
import re
from collections.abc import Sequence
from pathlib import Path
from string import Formatter

import numpy as np
import pandas as pd
import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract
from jinja2.ext import babel_extract

import forecast
from forecast.language import LANGUAGES, SOURCE, Text, catalogue, date, decimal, said, say, say_count, speaking, spoken

PACKAGE = Path(forecast.__file__).parent
OTHERS = [language for language in LANGUAGES if language != SOURCE]
NARROW = "\N{NARROW NO-BREAK SPACE}"


KEYWORDS = {"say": None, "say_html": None, "say_count": (1, 2)}


def messages_of_the_code() -> set[str | tuple[str, ...]]:
    """Return all that modules and templates say, a pair where there are plural forms."""
    found: set[str | tuple[str, ...]] = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        source = path.read_bytes()
        # Some commands have a `say` of their own, for the terminal.
        if b"from forecast.language import" in source:
            found |= {message for _, message, _, _ in extract("python", io.BytesIO(source), KEYWORDS)}
    for path in sorted(PACKAGE.rglob("*.j2")):
        options = {"trim_blocks": "true", "lstrip_blocks": "true"}
        found |= {
            message
            for _, message, _, _ in extract(babel_extract, io.BytesIO(path.read_bytes()), KEYWORDS, options=options)
        }
    return found


def entries(language: str) -> dict[str | tuple[str, ...], Message]:
    """Return the messages of a catalogue by what they are in English; a fuzzy one counts as missing."""
    return {
        message.id if isinstance(message.id, str) else tuple(message.id): message
        for message in catalogue(language)
        if message.id and not message.fuzzy
    }


def forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_the_messages_of_the_code_are_found() -> None:
    found = messages_of_the_code()
    assert "almost certain" in found
    assert ("{count} event", "{count} events") in found
    assert len(found) > 50


@pytest.mark.parametrize("language", OTHERS)
def test_each_message_is_translated_and_no_translation_is_left_over(language: str) -> None:
    translated = {key for key, message in entries(language).items() if all(forms(message.string))}
    code = messages_of_the_code()
    assert code - translated == set(), "missing, fuzzy or empty in the catalogue"
    assert translated - code == set(), "in the catalogue, and nobody says it"


@pytest.mark.parametrize("language", OTHERS)
def test_translations_keep_the_placeholders(language: str) -> None:
    for key, message in entries(language).items():
        *others, last = forms(message.string)
        assert names(last) == names(forms(key)[-1]), last
        # A form for one may do without its number.
        assert all(names(form) <= names(last) for form in others), key


@pytest.mark.parametrize("language", OTHERS)
def test_there_are_as_many_forms_as_the_language_has(language: str) -> None:
    for key, message in entries(language).items():
        assert len(forms(message.string)) == (1 if isinstance(key, str) else catalogue(language).num_plurals)


def test_french_is_set_as_french_is() -> None:
    for message in entries("fr").values():
        for form in forms(message.string):
            text = re.sub(r"<[^>]+>|%\{\{.*?\}\}", "", form)
            assert re.findall(rf"(?<!{NARROW})[;:?!%»]|«(?!{NARROW})", text) == [], form
            assert not set("'\"“”") & set(text), form


def test_a_text_is_said_again_in_another_language() -> None:
    text = say(
        "{told}; the mark to reach is {level}", told=say_count("{count} event", "{count} events", 2, count=2), level=3
    )
    assert text == "2 events; the mark to reach is 3"
    with speaking("fr"):
        assert said(text) == f"2 événements{NARROW}; le seuil à atteindre est de 3"
        assert text == "2 events; the mark to reach is 3"


def test_a_text_crosses_processes() -> None:
    text = pickle.loads(pickle.dumps(date(pd.Timestamp("2026-11-22"))))
    assert isinstance(text, Text)
    assert text == "22 November 2026"
    with speaking("fr"):
        assert said(text) == "22 novembre 2026"


@pytest.mark.parametrize(
    ("count", "english", "french"),
    [(0, "0 events", "0 événement"), (1, "1 event", "1 événement"), (2, "2 events", "2 événements")],
)
def test_plural_forms_are_those_of_the_language(count: int, english: str, french: str) -> None:
    text = say_count("{count} event", "{count} events", count, count=count)
    assert text == english
    with speaking("fr"):
        assert said(text) == french


def test_a_language_ends_with_its_block_even_by_an_error() -> None:
    with pytest.raises(ValueError, match="of the block"), speaking("fr"):
        raise ValueError(f"of the block in {spoken()}")
    assert spoken() == SOURCE


def test_a_language_that_nobody_speaks_is_refused() -> None:
    with pytest.raises(ValueError, match="'de' is none of en, fr"), speaking("de"):
        pass


def test_what_has_no_translation_is_said_in_english() -> None:
    message = "nobody has translated {this}"
    with speaking("fr"):
        assert say(message, this="yet") == "nobody has translated yet"
        assert say_count("{n} such", "{n} such ones", 0, n=0) == "0 such ones"


def test_numbers_have_the_sign_of_the_language() -> None:
    assert decimal(0.44, 1) == "0.4"
    with speaking("fr"):
        assert decimal(0.44, 1) == "0,4"


def test_plural_rules_of_the_catalogue_are_those_of_gettext() -> None:
    rule = gettext.c2py(catalogue("fr").plural_expr)
    assert [rule(int(n)) for n in np.arange(4)] == [0, 0, 1, 1]
