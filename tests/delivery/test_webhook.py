"""Webhooks of a real server on this machine: what is sent, when it is tried again, and what is never said."""

from __future__ import annotations

import pytest

from forecast.delivery import webhook
from forecast.delivery.outcome import NotDeliveredError, UnsureError
from forecast.delivery.targets import WebhookTarget
from forecast.delivery.webhook import payload, send_to_webhook
from forecast.delivery.wording import Message

MESSAGE = Message("Gao & Mopti <now>", "<!channel> <http://planted.invalid|Gao>\n[a](http://planted.invalid) *b*\n")
SECRET = "s3cr3t-path"


def send(address, clock, form="slack"):
    target = WebhookTarget(to="webhook", name="channel", form=form)
    send_to_webhook(MESSAGE, target, address, sleep=clock.sleep, seconds=5)


def test_slack_gets_a_text_without_links_and_mentions(webhook_server, trusted, clock):
    server = webhook_server()
    send(server.address, clock)
    ((path, content),) = server.asked
    assert path.endswith(SECRET)
    assert content["text"] == (
        "Gao &amp; Mopti &lt;now&gt;\n"
        "&lt;!channel&gt; &lt;http://planted.invalid|Gao&gt;\n[a](http://planted.invalid) *b*"
    )
    assert (content["mrkdwn"], content["parse"], content["unfurl_links"]) == (False, "none", False)


def test_teams_gets_a_card_of_plain_lines(webhook_server, trusted, clock):
    server = webhook_server("https")
    send(server.address, clock, form="teams")
    ((_, content),) = server.asked
    (attachment,) = content["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    blocks = attachment["content"]["body"]
    assert {block["type"] for block in blocks} == {"RichTextBlock"}
    assert [run["text"] for block in blocks for run in block["inlines"]] == [
        MESSAGE.title,
        *MESSAGE.text.strip().split("\n"),
    ]
    assert {run["type"] for block in blocks for run in block["inlines"]} == {"TextRun"}


def test_what_was_not_taken_is_tried_again_with_bounded_waits(webhook_server, trusted, clock):
    server = webhook_server()
    server.answers = [(503, {}), (429, {"Retry-After": "7"}), (429, {"Retry-After": "86400"})]
    send(server.address, clock)
    assert len(server.asked) == 4
    assert clock.waits == [1.0, 7.0, webhook.LONGEST_WAIT]


def test_it_is_given_up_after_some_tries(webhook_server, trusted, clock):
    server = webhook_server()
    server.answers = [(503, {})] * 9
    with pytest.raises(NotDeliveredError, match=r"webhook at localhost: status 503, in 4 tries"):
        send(server.address, clock)
    assert len(server.asked) == webhook.TRIES


@pytest.mark.parametrize("status", [301, 400, 403, 404, 410])
def test_what_is_refused_is_not_tried_again(webhook_server, trusted, clock, status):
    server = webhook_server()
    server.answers = [(status, {"Location": "http://planted.invalid/"})]
    with pytest.raises(NotDeliveredError, match=rf"refuses \(status {status}\)"):
        send(server.address, clock)
    assert len(server.asked) == 1


@pytest.mark.parametrize("answer", [(500, {}), (504, {}), (0, {})])
def test_what_may_have_been_taken_is_not_sent_again(webhook_server, trusted, clock, answer):
    server = webhook_server()
    server.answers = [answer]
    with pytest.raises(UnsureError):
        send(server.address, clock)
    assert len(server.asked) == 1


def test_another_certificate_is_refused_at_once(webhook_server, trusted, clock):
    server = webhook_server("https", name="hooks.elsewhere.example")
    with pytest.raises(NotDeliveredError, match="its certificate is not to be trusted") as caught:
        send(server.address, clock)
    assert (server.asked, clock.waits) == ([], [])
    assert SECRET not in str(caught.value)


def test_nobody_there_is_tried_again_and_said_without_the_address(trusted, clock):
    with pytest.raises(NotDeliveredError, match="no connection, in 4 tries") as caught:
        send(f"http://localhost:1/{SECRET}", clock)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert clock.waits == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    "address", ["http://hooks.example.org/a", "ftp://localhost/a", "https://", "a b", "http://10.0.0.1/"]
)
def test_only_https_leaves_the_machine(clock, address):
    with pytest.raises(NotDeliveredError, match="FORECAST_WEBHOOK is no address of a webhook"):
        send(address, clock)


def test_a_message_of_the_longest_text_fits_into_a_card():
    import json

    from forecast.delivery.wording import LONGEST_TEXT

    assert len(json.dumps(payload(Message("a", "b" * LONGEST_TEXT), "teams"))) < 28_000
