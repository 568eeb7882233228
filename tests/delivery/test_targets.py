"""The targets of a report definition: what they accept, and what they say of what they do not."""

from __future__ import annotations

import datetime as dt

import pytest
from pydantic import BaseModel

from forecast.config import parse
from forecast.delivery.targets import EmailTarget, FolderTarget, Quiet, Targets, WebhookTarget
from forecast.errors import InputError

EMAIL = {"to": "email", "name": "a", "sender": "a@example.org", "recipients": ["b@example.org"]}
FOLDER = {"to": "folder", "name": "a", "path": "shared"}
WEBHOOK = {"to": "webhook", "name": "a"}


class Report(BaseModel):
    delivery: Targets = ()


def read(*targets):
    return parse(Report, {"delivery": list(targets)}, where="reports/weekly.toml").delivery


def test_the_kind_of_a_target_is_told_by_to():
    found = read(EMAIL, {**FOLDER, "name": "b"}, {**WEBHOOK, "name": "c"})
    assert [type(target) for target in found] == [EmailTarget, FolderTarget, WebhookTarget]


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({"name": "a"}, "key 'to' is missing"),
        ({**EMAIL, "to": "fax"}, "fax"),
        ({**EMAIL, "recipient": "b@example.org"}, "did you mean 'recipients'"),
        ({**EMAIL, "recipients": []}, "recipients"),
        ({**EMAIL, "recipients": ["b@example.org\\nBcc: c@example.org"]}, "not a mail address"),
        ({**EMAIL, "recipients": ["b@example.org, c@example.org"]}, "not a mail address"),
        ({**EMAIL, "sender": "nobody"}, "not a mail address"),
        ({**EMAIL, "attach": ["../../etc/passwd"]}, "not the name of a folder"),
        ({**EMAIL, "template": "/etc/passwd"}, "leads out of the workspace"),
        ({**EMAIL, "account": "AWS_SECRET_ACCESS_KEY"}, "not a variable for deliveries"),
        ({**EMAIL, "account": "FORECAST_LEDGER_URL"}, "not a variable for deliveries"),
        ({**WEBHOOK, "address": "https://hooks.example.org/T0/B0"}, "not a variable for deliveries"),
        ({**EMAIL, "account": "FORECAST_SMTP"}, "should end in _URL"),
        ({**WEBHOOK, "address": "FORECAST_SLACK"}, "should have WEBHOOK in it"),
        ({**WEBHOOK, "link": "javascript:alert(1)"}, "is not an address"),
        ({**FOLDER, "path": "../shared"}, "leads out of the workspace"),
        ({**FOLDER, "path_from": "FORECAST_SHARE"}, "give either"),
        ({"to": "folder", "name": "a"}, "give either"),
        ({**FOLDER, "name": "Not a slug"}, "small letters, digits and hyphens"),
        ({**FOLDER, "when": {"at_least": 20}}, "less than or equal to 1"),
        ({**FOLDER, "quiet": {"days": ["caturday"]}}, "saturday"),
        ({**FOLDER, "quiet": {"zone": "../../etc/passwd"}}, "not a time zone"),
        ({**FOLDER, "quiet": {"hours": ["25:00", "07:00"]}}, "delivery 'a' quiet.hours"),
    ],
)
def test_what_is_wrong_is_said(target, told):
    with pytest.raises(InputError) as caught:
        read(target)
    assert told in str(caught.value)


def test_two_targets_have_two_names():
    with pytest.raises(InputError, match="two deliveries are called 'a'"):
        read(EMAIL, FOLDER)


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [
        ("2026-08-03T19:59:59", False),
        ("2026-08-03T20:00:00", True),
        ("2026-08-04T06:59:59", True),
        ("2026-08-04T07:00:00", False),
        ("2026-08-08T12:00:00", True),
    ],
)
def test_a_night_goes_over_midnight_and_days_are_whole(moment, quiet):
    rules = Quiet(days=("saturday", "sunday"), hours=(dt.time(20), dt.time(7)))
    assert rules.holds(dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC)) is quiet


def test_quiet_hours_are_those_of_their_zone():
    noon = Quiet(hours=(dt.time(12), dt.time(14)), zone="Africa/Nairobi")
    assert noon.holds(dt.datetime(2026, 8, 3, 9, 30, tzinfo=dt.UTC))
    assert not noon.holds(dt.datetime(2026, 8, 3, 12, 30, tzinfo=dt.UTC))
    assert not Quiet().holds(dt.datetime(2026, 8, 3, 9, 30, tzinfo=dt.UTC))
