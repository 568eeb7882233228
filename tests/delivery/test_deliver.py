"""Deliveries of a published report: each target once an issue, a failure of one no matter of the others."""

from __future__ import annotations

import datetime as dt
import json
import shutil

import pytest

from forecast.errors import InputError
from forecast.jobs.deliver import Asked, deliver, messages

FOLDER = '[[delivery]]\nto = "folder"\nname = "share"\npath = "shared"\n'
HOOK = '[[delivery]]\nto = "webhook"\nname = "channel"\n'
MAIL = (
    '[[delivery]]\nto = "email"\nname = "analysts"\nsender = "warning@example.org"\nrecipients = ["ada@example.org"]\n'
    'attach = ["brief.pdf", "risk.csv"]\n'
)
SECRET = "s3cr3t-path"

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")


def carry_out(workspace, clock, environment=None, **asked):
    """Deliver; return the outcomes by target and all that was told."""
    found = deliver(workspace, workspace.report(), Asked(**asked), environment or {}, clock.now, clock.sleep)
    return {each.target: each.outcome for each in found}, found


def steps(workspace):
    text = (workspace.root / "deliveries.jsonl").read_text(encoding="utf-8")
    return [(line["target"], line["step"]) for line in map(json.loads, text.splitlines())]


def test_all_kinds_of_targets_get_the_report_once(with_delivery, mail_server, webhook_server, trusted, clock):
    workspace, mail, hook = with_delivery(FOLDER + HOOK + MAIL), mail_server(), webhook_server("https")
    environment = {"FORECAST_SMTP_URL": mail.address, "FORECAST_WEBHOOK": hook.address}
    outcomes, _ = carry_out(workspace, clock, environment)
    assert outcomes == dict.fromkeys(["share", "channel", "analysts"], "delivered")
    source = workspace.out / "runs" / "weekly" / "2026-08-01"
    copy = workspace.root / "shared" / "weekly" / "2026-08-01"
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == {
        path.name: path.read_bytes() for path in source.iterdir()
    }
    again, _ = carry_out(workspace, clock, environment)
    assert again == dict.fromkeys(["share", "channel", "analysts"], "delivered before")
    assert (len(mail.got), len(hook.asked)) == (1, 1)
    assert steps(workspace) == [
        (name, step) for name in ("share", "channel", "analysts") for step in ("begun", "delivered")
    ]
    outcomes, _ = carry_out(workspace, clock, environment, again=True, to=("channel",))
    assert (outcomes, len(hook.asked), len(mail.got)) == ({"channel": "delivered"}, 2, 1)


def test_no_secret_is_written(with_delivery, webhook_server, trusted, clock):
    workspace, hook = with_delivery(FOLDER + HOOK), webhook_server()
    hook.answers = [(404, {})]
    _, found = carry_out(workspace, clock, {"FORECAST_WEBHOOK": hook.address})
    assert SECRET not in str(found)
    assert not [path for path in workspace.root.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_a_target_that_fails_keeps_no_other_from_its_delivery_and_is_tried_again(
    with_delivery, webhook_server, trusted, clock
):
    workspace, hook = with_delivery(HOOK + MAIL + FOLDER), webhook_server()
    hook.answers = [(404, {})]
    outcomes, found = carry_out(workspace, clock, {"FORECAST_WEBHOOK": hook.address})
    assert outcomes == {"channel": "failed", "analysts": "failed", "share": "delivered"}
    assert [each.warning for each in found] == [
        "not delivered: channel (webhook): webhook at localhost refuses (status 404)",
        "not delivered: analysts (email): the variable FORECAST_SMTP_URL of the environment is not set",
        "",
    ]
    outcomes, _ = carry_out(workspace, clock, {"FORECAST_WEBHOOK": hook.address})
    assert outcomes == {"channel": "delivered", "analysts": "failed", "share": "delivered before"}


def test_what_may_have_arrived_is_not_sent_again_unless_asked(with_delivery, webhook_server, trusted, clock):
    workspace, hook = with_delivery(HOOK), webhook_server()
    hook.answers = [(500, {})]
    environment = {"FORECAST_WEBHOOK": hook.address}
    assert carry_out(workspace, clock, environment)[0] == {"channel": "unsure"}
    outcomes, found = carry_out(workspace, clock, environment)
    assert (outcomes, len(hook.asked)) == ({"channel": "unsure"}, 1)
    assert "--again" in found[0].warning
    assert carry_out(workspace, clock, environment, again=True)[0] == {"channel": "delivered"}


def test_one_that_was_killed_in_between_is_not_sent_again(with_delivery, webhook_server, trusted, clock):
    workspace, hook = with_delivery(HOOK), webhook_server()

    def killed(_):
        raise KeyboardInterrupt

    hook.answers = [(503, {})]
    clock.sleep = killed
    with pytest.raises(KeyboardInterrupt):
        carry_out(workspace, clock, {"FORECAST_WEBHOOK": hook.address})
    assert steps(workspace) == [("channel", "begun")]
    with (workspace.root / "deliveries.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"time": "2026-08-03T12:00:00Z", "st')
    assert carry_out(workspace, clock, {"FORECAST_WEBHOOK": hook.address})[0] == {"channel": "unsure"}
    outcomes, _ = carry_out(workspace, clock, {"FORECAST_WEBHOOK": hook.address}, again=True)
    assert outcomes == {"channel": "delivered"}
    assert carry_out(workspace, clock, {})[0] == {"channel": "delivered before"}


def test_another_issue_of_the_same_weeks_is_delivered(with_delivery, clock):
    workspace = with_delivery(FOLDER)
    assert carry_out(workspace, clock)[0] == {"share": "delivered"}
    manifest = workspace.out / "runs" / "weekly" / "2026-08-01" / "manifest.json"
    content = json.loads(manifest.read_bytes())
    manifest.write_text(json.dumps(content | {"issue": {"revision": 2}}), encoding="utf-8")
    assert carry_out(workspace, clock)[0] == {"share": "delivered"}


def test_nothing_is_sent_below_the_thresholds_and_in_quiet_hours(with_delivery, clock):
    high = with_delivery(f"{FOLDER}when = {{ at_least = 1.0 }}\n")
    assert carry_out(high, clock)[0] == {"share": "nothing to tell"}
    quiet = with_delivery(f'{FOLDER}quiet = {{ days = ["monday"], zone = "Africa/Bamako" }}\n')
    assert carry_out(quiet, clock)[0] == {"share": "held"}
    assert not (quiet.root / "shared").exists()
    clock.now = lambda: dt.datetime(2026, 8, 4, 0, 30, tzinfo=dt.UTC)
    assert carry_out(quiet, clock)[0] == {"share": "delivered"}


def test_again_overrules_thresholds_and_quiet_hours(with_delivery, webhook_server, trusted, clock):
    hook = webhook_server()
    targets = f'{HOOK}when = {{ at_least = 1.0 }}\nquiet = {{ days = ["monday"] }}\n'
    workspace = with_delivery(targets)
    outcomes, _ = carry_out(workspace, clock, {"FORECAST_WEBHOOK": hook.address}, again=True)
    assert outcomes == {"channel": "delivered"}
    assert "Bamako" in hook.asked[0][1]["text"]


def test_a_folder_of_the_environment_gets_the_files_that_are_asked_for(with_delivery, clock, tmp_path):
    share = tmp_path / "share"
    share.mkdir()
    targets = FOLDER.replace('path = "shared"', 'path_from = "FORECAST_SHARE"\nfiles = ["brief.pdf", "index.html"]')
    workspace = with_delivery(targets)
    assert carry_out(workspace, clock, {"FORECAST_SHARE": str(share)})[0] == {"share": "delivered"}
    assert {path.name for path in (share / "weekly" / "2026-08-01").iterdir()} == {"brief.pdf", "index.html"}
    for wrong in ("share", str(tmp_path / "nowhere")):
        outcomes, found = carry_out(workspace, clock, {"FORECAST_SHARE": wrong}, again=True)
        assert outcomes == {"share": "failed"}
        assert "FORECAST_SHARE is not the absolute path of a folder" in found[0].told


@pytest.mark.parametrize("path", ["out/runs", "out"])
def test_a_report_is_not_copied_over_itself(with_delivery, clock, path):
    workspace = with_delivery(FOLDER.replace("shared", path))
    before = (workspace.out / "runs" / "weekly" / "2026-08-01" / "index.html").read_bytes()
    outcomes, _ = carry_out(workspace, clock)
    assert outcomes == {"share": "failed" if path == "out/runs" else "delivered"}
    assert (workspace.out / "runs" / "weekly" / "2026-08-01" / "index.html").read_bytes() == before


def test_a_file_that_the_report_does_not_have_is_said(with_delivery, clock):
    workspace = with_delivery(f'{FOLDER}files = ["map.png"]\n')
    _, found = carry_out(workspace, clock)
    assert "the report has no file map.png to copy" in found[0].warning


def test_a_wrong_template_is_a_failure_of_its_target_alone(with_delivery, clock):
    workspace = with_delivery(f'{HOOK}template = "missing.txt"\n{FOLDER}')
    outcomes, found = carry_out(workspace, clock, {"FORECAST_WEBHOOK": "https://hooks.example.org"})
    assert outcomes == {"channel": "failed", "share": "delivered"}
    assert "no such template" in found[0].warning
    assert "\n" not in found[0].warning


def test_an_older_issue_can_be_asked_for_and_one_that_is_not_there_is_said(with_delivery, clock):
    workspace = with_delivery(FOLDER)
    runs = workspace.out / "runs" / "weekly"
    shutil.copytree(runs / "2026-08-01", runs / "2026-07-25")
    carry_out(workspace, clock)
    assert [path.name for path in (workspace.root / "shared" / "weekly").iterdir()] == ["2026-08-01"]
    with pytest.raises(InputError, match="no forecast from 2026-07-18 was published"):
        carry_out(workspace, clock, origin=dt.date(2026, 7, 18))
    with pytest.raises(InputError, match="unknown delivery 'shar'"):
        carry_out(workspace, clock, to=("shar",))
    with pytest.raises(InputError, match=r"the report has no \[\[delivery\]\]"):
        carry_out(with_delivery(""), clock)


def test_a_preview_tells_what_would_be_sent(with_delivery):
    workspace = with_delivery(f"{HOOK}{FOLDER}{MAIL}when = {{ at_least = 1.0 }}\n")
    (_, hook), (_, folder), (_, mail) = messages(workspace, workspace.report(), Asked())
    assert hook.title.startswith("A small test")
    assert folder is None
    assert mail is None
    assert not (workspace.root / "deliveries.jsonl").exists()


def test_an_escalation_that_the_workspace_does_not_have_is_said_before_anything_runs(with_delivery):
    workspace = with_delivery(f'{FOLDER}when = {{ at_least = 0.5, escalation = "above_recnt" }}\n')
    with pytest.raises(InputError, match=r"delivery 'share' when\.escalation 'above_recnt' is no escalation"):
        workspace.report()
