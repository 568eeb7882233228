"""``forecast deliver``, and deliveries after ``forecast run``."""

from __future__ import annotations

import json
import shutil

import pytest

FOLDER = '[[delivery]]\nto = "folder"\nname = "share"\npath = "shared"\n'
HOOK = '[[delivery]]\nto = "webhook"\nname = "channel"\n'


@pytest.fixture
def delivering(small_workspace, tmp_path, monkeypatch):
    """A workspace whose report has a folder and a webhook, whose address is not set."""
    root = tmp_path / "workspace"
    shutil.copytree(small_workspace, root, ignore=shutil.ignore_patterns("ledger.sqlite*"))
    report = root / "reports" / "weekly.toml"
    report.write_text(f"{report.read_text(encoding='utf-8')}\n{FOLDER}{HOOK}", encoding="utf-8")
    monkeypatch.delenv("FORECAST_WEBHOOK", raising=False)
    return root


def test_a_run_delivers_and_stays_issued_where_that_fails(forecast, delivering):
    done = forecast("run", "--workers", "1", "--json", "--workspace", str(delivering))
    assert done.code == 3
    told = json.loads(done.out)
    missing = "not delivered: channel (webhook): the variable FORECAST_WEBHOOK of the environment is not set"
    assert told["outcome"] == "issued"
    assert missing in told["warnings"]
    assert f"Warning: {missing}" in done.err
    (shared,) = (delivering / "shared" / "weekly").iterdir()
    assert (shared / "index.html").is_file()
    heartbeat = json.loads((delivering / "out" / "log" / "heartbeat.json").read_bytes())
    assert (heartbeat["outcome"], heartbeat["code"]) == ("issued", 3)

    again = forecast("deliver", "--workspace", str(delivering))
    assert (again.code, again.out) == (3, "")
    assert again.err.splitlines()[-2:] == ["share (folder): delivered before", f"Warning: {missing}"]
    told = json.loads(forecast("deliver", "--to", "share", "--json", "--workspace", str(delivering)).out)
    assert told["delivered"][0]["outcome"] == "delivered before"

    preview = forecast("deliver", "--preview", "--workspace", str(delivering))
    assert preview.code == 0
    assert "--- channel (webhook)" in preview.out
    assert "SIMULATED counts" in preview.out


def test_a_look_back_and_a_draft_deliver_nothing(forecast, delivering):
    for option in (["--draft"], ["--as-of", "2000-09-30"]):
        assert forecast("run", *option, "--workers", "1", "--workspace", str(delivering)).code in {0, 3}
    assert not (delivering / "shared").exists()
    assert not (delivering / "deliveries.jsonl").exists()


def test_before_a_run_there_is_nothing_to_deliver(forecast, delivering):
    shutil.rmtree(delivering / "out", ignore_errors=True)
    done = forecast("deliver", "--workspace", str(delivering))
    assert done.code == 2
    assert "nothing was published" in done.err
