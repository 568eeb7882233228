"""Secrets kept out of what is written: the last line of defence, behind code that does not mention them at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

HIDDEN = "***"
FEWEST_LETTERS = 6
"""A shorter value of a variable may be part of any word, so that it is not looked for."""

_IN_URL = re.compile(r"(?<=://)([^\s/:@]*):\S*@")
_SECRET = re.compile(r"PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|WEBHOOK|API_?KEY", re.ASCII)
_URL_NAME = re.compile(r"_URL$", re.ASCII)


def without_secrets(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Return a text without the passwords of addresses in it, and without the secrets of the environment.

    Parameters
    ----------
    text : str
    environment : mapping, optional
        `os.environ` if not given. Secrets are the values of variables whose name says so, such as ACLED_PASSWORD, and
        the passwords of those that are addresses, such as FORECAST_LEDGER_URL.

    Examples
    --------
    >>> without_secrets("no answer of postgresql://ada:pa55word@db.example/risk", {})
    'no answer of postgresql://ada:***@db.example/risk'
    >>> without_secrets("refused: token 123456789", {"UCDP_ACCESS_TOKEN": "123456789"})
    'refused: token ***'
    """
    if "://" in text:
        text = _IN_URL.sub(rf"\1:{HIDDEN}@", text)
    for secret in _secrets(os.environ if environment is None else environment):
        text = text.replace(secret, HIDDEN)
    return text


def _secrets(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        found = [value] if _SECRET.search(name.upper()) else []
        if _URL_NAME.search(name.upper()) and "@" in value:
            found = [*found, _password(value), unquote(_password(value))]
        yield from (secret for secret in found if len(secret) >= FEWEST_LETTERS)


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""
