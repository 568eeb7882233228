"""Addresses of APIs: the default, a mirror, and what is refused."""

from __future__ import annotations

import pytest

from forecast.errors import InputError
from forecast.events.server_address import server_address

VARIABLE, DEFAULT = "SIMULATED_SERVER", "https://api.example.org"


@pytest.mark.parametrize(
    ("given", "variable", "expected"),
    [
        (None, "", DEFAULT),
        (None, "  ", DEFAULT),
        (None, " https://mirror.example.org/ ", "https://mirror.example.org"),
        ("http://localhost:8000", "https://mirror.example.org", "http://localhost:8000"),
        ("http://127.0.0.1:8000", "", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/", "", "http://[::1]:8000"),
    ],
)
def test_what_is_given_goes_before_the_environment_and_that_before_the_default(monkeypatch, given, variable, expected):
    monkeypatch.setenv(VARIABLE, variable)
    assert server_address(given, VARIABLE, DEFAULT) == expected


@pytest.mark.parametrize(
    "address",
    [
        "http://api.example.org",
        "http://localhost.example.org",
        "ftp://api.example.org",
        "api.example.org",
        "https://",
        "https://api.example.org:port",
        "https://api.example.org/api",
        "https://api.example.org?key=1",
        "https://api.example.org#1",
        "https://user@api.example.org",
        "https://user:a-password@api.example.org",
        "https://[",
    ],
)
def test_other_addresses_are_refused_and_not_shown(monkeypatch, address):
    monkeypatch.setenv(VARIABLE, address)
    with pytest.raises(InputError, match=VARIABLE) as refused:
        server_address(None, VARIABLE, DEFAULT)
    assert "a-password" not in str(refused.value)
