"""Passwords, tokens and keys are in no message, traceback, log, manifest, page or ledger."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from forecast.jobs.run_log import Clock, RunLog
from forecast.redaction import without_secrets

SECRET = "S3cret-Pa55word"


def everything_below(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.parametrize("debug", ["0", "1"])
@pytest.mark.parametrize(
    "port",
    [pytest.param("1", marks=pytest.mark.slow), "nonsense"],  # a run asks a server for a minute
)
def test_a_ledger_that_cannot_be_reached(workspace, debug, port):
    url = f"postgresql://forecast:{SECRET}@127.0.0.1:{port}/risk?connect_timeout=2"
    environment = {**os.environ, "FORECAST_LEDGER_URL": url, "FORECAST_DEBUG": debug, "ACLED_PASSWORD": SECRET}
    done = subprocess.run(
        [sys.executable, "-m", "forecast", "run", "--workspace", workspace, "--workers", "1"],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode in {1, 2}, done.stderr
    assert SECRET.encode() not in done.stdout + done.stderr
    assert SECRET.encode() not in everything_below(workspace)


def test_a_run_that_is_issued_in_a_database(workspace, forecast, monkeypatch, database_url):
    """PostgreSQL on loopback trusts everybody, so that any password opens it."""
    assert "@" in database_url
    before, _, after = database_url.partition("@")
    user = before.rpartition("/")[2].partition(":")[0]
    url = f"postgresql://{user}:{SECRET}@{after}"
    monkeypatch.setenv("FORECAST_LEDGER_URL", url)
    monkeypatch.setenv("UCDP_ACCESS_TOKEN", f"{SECRET}-token")
    said = [forecast("run", "--workspace", workspace, "--workers", 1)]
    said += [forecast("run", "--workspace", workspace, "--json"), forecast("check", "--workspace", workspace)]
    said += [forecast("ledger", part, "--workspace", workspace) for part in ("list", "verify")]
    assert {done.code for done in said} <= {0, 3}, [done.err for done in said]
    assert not any(SECRET in done.out + done.err for done in said)
    assert SECRET.encode() not in everything_below(workspace)


def test_a_password_in_a_setting_is_refused_and_not_shown(workspace, edit, forecast):
    for url in (f'"postgresql://ada:{SECRET}@db.invalid/risk"', f'["postgresql://ada:{SECRET}@db.invalid/risk"]'):
        edit("[models]", f"[ledger]\nurl = {url}\n\n[models]")
        done = forecast("run", "--workspace", workspace)
        assert done.code == 2
        assert SECRET not in done.out + done.err
        assert SECRET.encode() not in everything_below(workspace / "out")
        edit(f"[ledger]\nurl = {url}\n\n", "")


def test_the_log_masks_what_an_error_tells(tmp_path, monkeypatch):
    import datetime as dt

    monkeypatch.setenv("SMTP_PASSWORD", SECRET)
    log = RunLog(tmp_path, Clock(lambda: dt.datetime(2026, 8, 1, tzinfo=dt.UTC), lambda: 0.0))
    log.start(url=f"postgresql://ada:{SECRET}@db.invalid/risk")
    log.end("failed", 1, error=f"login of ada with {SECRET} failed\nEvent: faked", warnings=[SECRET])
    lines = (tmp_path / "run-2026.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["started", "ended"]
    assert SECRET.encode() not in everything_below(tmp_path)


def test_a_message_masks_what_a_library_tells(monkeypatch, capsys):
    from forecast.cli import main
    from forecast.cli import models as command
    from forecast.cli.output import say

    monkeypatch.setenv("FORECAST_WEBHOOK", f"https://hooks.invalid/{SECRET}")
    say(f"no answer of https://hooks.invalid/{SECRET}")

    def fail(*_):
        raise RuntimeError(f"cannot connect to postgresql://ada:{SECRET}@db.invalid/risk")

    monkeypatch.setattr(command, "open_chosen", fail)
    assert main(["models"]) == 1
    assert SECRET not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        (f"https://ada:{SECRET}@host/x", {}),
        (f"https://ada:{SECRET}/with@signs@host/x", {}),
        (f"token={SECRET}", {"UCDP_ACCESS_TOKEN": SECRET}),
        (f"key {SECRET}", {"MAIL_API_KEY": SECRET}),
        (f"as {SECRET}", {"FORECAST_LEDGER_URL": f"postgresql://ada:{SECRET}@host/x"}),
        (f"as {SECRET}!", {"FORECAST_LEDGER_URL": f"postgresql://ada:{SECRET}%21@host/x"}),
    ],
)
def test_what_is_masked(text, environment):
    masked = without_secrets(text, environment)
    assert SECRET not in masked
    assert "***" in masked


def test_short_values_and_other_variables_are_no_secrets():
    text = "the town of Gao, https://example.org:443/a"
    assert without_secrets(text, {"MAIL_PASSWORD": "Gao", "HOME": "town", "TOKEN": ""}) == text
