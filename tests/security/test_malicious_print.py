"""What is printed and summarised of malicious data: text, and nothing that a reader of PDF or JSON would run."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import json
import re

import pytest

from forecast.delivery.digest import digest_of
from forecast.delivery.mail import mail_of
from forecast.delivery.record import Delivery
from forecast.delivery.targets import EmailTarget, WebhookTarget, When
from forecast.delivery.webhook import payload
from forecast.delivery.wording import message_of
from forecast.reporting.summary import read_summary

ACTIONS = (b"/JS", b"/JavaScript", b"/Launch", b"/URI", b"/OpenAction", b"/AA", b"/EmbeddedFile", b"/RichMedia")


@pytest.fixture(scope="module")
def published(attacked):
    (page,) = (attacked.folder / "out" / "runs").rglob("index.html")
    return page.parent


def test_the_brief_has_two_pages_and_no_action(published):
    pdf = (published / "brief.pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 2
    objects = re.sub(rb"stream\r?\n.*?\r?\nendstream", b"", pdf, flags=re.DOTALL)
    assert not [action for action in ACTIONS if re.search(action + rb"\b", objects)]
    assert b"planted" not in objects
    assert b"\x1b" not in objects


def test_the_pictures_are_named_by_their_place_not_by_data(published):
    names = {path.name for path in published.glob("*.png")}
    assert names == {"map.png", *(f"fan-{place}.png" for place in range(1, 6)), "reliability.png"}


def test_the_summary_has_the_names_as_plain_text(published, malicious):
    text = (published / "summary.json").read_text(encoding="utf-8")
    assert malicious.acting_in(text) == []
    summary = read_summary(published)
    assert set(malicious.HONEST) <= {unit.name for unit in summary.units}
    assert not [unit for unit in summary.units if malicious.acting_in(unit.title)]
    assert json.loads(text)["title"].startswith("<script>")


def test_a_mail_has_the_names_as_text_and_no_header_of_theirs(published, malicious):
    summary = read_summary(published)
    known = {"to": "email", "name": "a", "sender": "a@example.org", "recipients": ["b@example.org"]}
    target = EmailTarget(**known, most=50)
    message = message_of(summary, digest_of(summary, When(), 50), target, published)
    assert malicious.acting_in(message.title + message.text) == []
    made = mail_of(
        message, target, published, Delivery("weekly", "2023-10-14", "issue 1", "a"), dt.datetime.now(dt.UTC)
    )
    mail = email.message_from_bytes(made.as_bytes(), policy=email.policy.default)
    assert set(mail.keys()) == {
        "Subject",
        "From",
        "To",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    }
    assert mail["Subject"].startswith("<script>window.hacked=8</script>")
    body = mail.get_body()
    assert body.get_content_type() == "text/plain"
    for name in malicious.HONEST:
        assert name in body.get_content()


def test_a_channel_gets_neither_links_nor_mentions(published, malicious):
    summary = read_summary(published)
    target = WebhookTarget(to="webhook", name="a", most=50)
    message = message_of(summary, digest_of(summary, When(), 50), target, published)
    slack = payload(message, "slack")["text"]
    assert not {"<", ">"} & set(slack)
    assert "[link=http://planted.invalid]rich" in slack
    body = payload(message, "teams")["attachments"][0]["content"]["body"]
    assert {run["type"] for block in body for run in block["inlines"]} == {"TextRun"}
    assert malicious.acting_in(slack + json.dumps(body, ensure_ascii=False)) == []
