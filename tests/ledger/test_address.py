"""Where a ledger may be, and that a password is never shown."""

from __future__ import annotations

import pytest

from forecast.errors import InputError
from forecast.ledger.address import VARIABLE, ledger_address
from forecast.ledger.ledger import open_ledger

SECRET = "hunter2"


def test_the_environment_goes_before_the_setting(tmp_path):
    setting = "sqlite:///one.sqlite"
    assert ledger_address(None, {}, tmp_path).file == tmp_path / "ledger.sqlite"
    assert ledger_address(setting, {}, tmp_path).file == tmp_path / "one.sqlite"
    assert ledger_address(setting, {VARIABLE: ""}, tmp_path).file == tmp_path / "one.sqlite"
    url = f"postgres://ada:{SECRET}@db.example:5433/risk?sslmode=require"
    address = ledger_address(setting, {VARIABLE: url}, tmp_path)
    assert address.file is None
    assert str(address) == "postgresql://db.example:5433/risk"
    assert address.url.password == SECRET
    assert address.url.query == {"sslmode": "require"}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (f"postgresql://ada:{SECRET}@db.example/risk", "a password or options in forecast.toml"),
        (f"postgresql://db.example/risk?password={SECRET}", "a password or options in forecast.toml"),
        ("mysql://db.example/risk", "no URL of a database"),
        ("nonsense", "no URL of a database"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///../elsewhere.sqlite", "leads out of the workspace"),
        ("sqlite:////tmp/elsewhere.sqlite", "leads out of the workspace"),
    ],
)
def test_what_a_workspace_may_not_ask_for(tmp_path, setting, message):
    with pytest.raises(InputError, match=message) as raised:
        ledger_address(setting, {}, tmp_path)
    assert SECRET not in str(raised.value)


def test_a_url_that_cannot_be_read_is_not_repeated(tmp_path):
    with pytest.raises(InputError, match=f"environment variable {VARIABLE}") as raised:
        ledger_address(None, {VARIABLE: f"postgresql://ada:{SECRET}@host:port/x"}, tmp_path)
    assert SECRET not in str(raised.value)


def test_a_ledger_that_is_not_there_is_not_made_by_looking(tmp_path):
    address = ledger_address(None, {}, tmp_path)
    with pytest.raises(InputError, match="there is no ledger yet"):
        open_ledger(address, create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_ledger_is_refused(tmp_path):
    (tmp_path / "ledger.sqlite").write_text("week,region,events\n" * 100, encoding="utf-8")
    with pytest.raises(InputError, match="this file is no ledger"):
        open_ledger(ledger_address(None, {}, tmp_path))


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        open_ledger(ledger_address("sqlite:///archive/ledger.sqlite", {}, tmp_path))
