"""Mail to a real server on this machine: encrypted or not at all, to the right server or to none."""

from __future__ import annotations

import datetime as dt
import email
import email.policy

import pytest
import trustme

from forecast.delivery.mail import account_of, mail_of, send_mail
from forecast.delivery.outcome import NotDeliveredError, UnsureError
from forecast.delivery.record import Delivery
from forecast.delivery.targets import EmailTarget
from forecast.delivery.wording import Message

# Of the server of the tests, which does not know that its connection is encrypted from the start.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

NOW = dt.datetime(2026, 8, 3, 12, tzinfo=dt.UTC)
DELIVERY = Delivery("weekly", "2026-08-01", "issue 1", "analysts")
MESSAGE = Message("Ségou \N{EN DASH} alerte", "Tillabéri: 36 %\n.\nA line with a dot above.\n")


def target(**settings) -> EmailTarget:
    known = {
        "to": "email",
        "name": "analysts",
        "sender": "Early warning <warning@example.org>",
        "recipients": ["ada@example.org", "bea@example.org"],
        "attach": [],
    }
    return EmailTarget(**known | settings)


def send(address: str, folder, mine: EmailTarget | None = None) -> tuple[str, ...]:
    mine = mine or target()
    mail = mail_of(MESSAGE, mine, folder, DELIVERY, NOW)
    return send_mail(mail, mine, account_of(address, "FORECAST_SMTP_URL"), seconds=10)


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_mail_arrives_whole(trusted, mail_server, tmp_path, scheme):
    server = mail_server(scheme)
    (tmp_path / "brief.pdf").write_bytes(b"%PDF-1.4 two pages")
    assert send(server.address, tmp_path, target(attach=["brief.pdf"])) == ()
    ((sender, recipients, content),) = server.got
    assert (sender, recipients) == ("warning@example.org", ["ada@example.org", "bea@example.org"])
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert mail["Subject"] == MESSAGE.title
    assert mail["Date"] == "Mon, 03 Aug 2026 12:00:00 +0000"
    assert mail["To"] == mail["From"] == "Early warning <warning@example.org>"
    assert b"ada@example.org" not in content
    assert mail.get_body().get_content().replace("\r\n", "\n") == MESSAGE.text
    (attached,) = mail.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == ("brief.pdf", "application/pdf")
    assert attached.get_content() == b"%PDF-1.4 two pages"


def test_a_second_copy_is_known_by_its_id(tmp_path):
    first, again = (mail_of(MESSAGE, target(), tmp_path, DELIVERY, NOW)["Message-ID"] for _ in range(2))
    other = mail_of(MESSAGE, target(), tmp_path, Delivery("weekly", "2026-08-01", "issue 2", "analysts"), NOW)
    assert first == again != other["Message-ID"]
    assert first.endswith("@example.org>")


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_server_with_another_certificate_gets_no_password_and_no_mail(trusted, mail_server, tmp_path, scheme):
    for server in (mail_server(scheme, ca=trustme.CA()), mail_server(scheme, name="mail.elsewhere.example")):
        with pytest.raises(NotDeliveredError, match="its certificate is not to be trusted") as caught:
            send(server.address, tmp_path)
        assert "horse" not in str(caught.value)
        assert server.got == []


def test_a_server_without_starttls_gets_nothing(trusted, mail_server, tmp_path):
    server = mail_server("smtp", tls=False)
    with pytest.raises(NotDeliveredError, match="without TLS nothing is sent"):
        send(server.address, tmp_path)
    assert server.got == []


def test_a_wrong_password_is_said_without_it(trusted, mail_server, tmp_path):
    server = mail_server()
    with pytest.raises(NotDeliveredError, match="refuses user or password") as caught:
        send(server.address.replace("correct", "battery"), tmp_path)
    assert "battery" not in str(caught.value)


def test_recipients_that_are_refused_are_told_apart(trusted, mail_server, tmp_path):
    server = mail_server()
    server.refused = {"bea@example.org"}
    assert send(server.address, tmp_path) == ("bea@example.org",)
    assert server.got[0][1] == ["ada@example.org"]
    server.refused.add("ada@example.org")
    with pytest.raises(NotDeliveredError, match="refuses all recipients"):
        send(server.address, tmp_path)


def test_a_refused_mail_may_be_tried_again_and_a_cut_one_is_unsure(trusted, mail_server, tmp_path):
    server = mail_server()
    server.answer = "554 no"
    with pytest.raises(NotDeliveredError, match=r"refuses \(status 554\)"):
        send(server.address, tmp_path)
    server.answer = "cut"
    with pytest.raises(UnsureError, match="cut"):
        send(server.address, tmp_path)


def test_nobody_there_is_said(trusted, mail_server, tmp_path):
    with pytest.raises(NotDeliveredError, match=r"localhost:1: no connection"):
        send("smtps://localhost:1", tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost",
        "http://localhost",
        "smtps://user@host",
        "smtps://host:port",
        "smtps://h/path",
        "smtp://[::1",
    ],
)
def test_what_is_no_account_is_refused_without_repeating_it(address):
    with pytest.raises(NotDeliveredError, match="FORECAST_SMTP_URL is no mail account") as caught:
        account_of(address, "FORECAST_SMTP_URL")
    assert not address or address not in str(caught.value)


def test_an_account_does_not_show_its_password():
    assert "horse" not in repr(account_of("smtps://risk:horse@host", "FORECAST_SMTP_URL"))


def test_a_file_that_is_missing_and_too_large_ones_are_said(tmp_path, monkeypatch):
    with pytest.raises(NotDeliveredError, match=r"no file brief\.pdf to attach"):
        mail_of(MESSAGE, target(attach=["brief.pdf"]), tmp_path, DELIVERY, NOW)
    monkeypatch.setattr("forecast.delivery.mail.MOST_ATTACHED", 10)
    (tmp_path / "brief.pdf").write_bytes(b"x" * 11)
    with pytest.raises(NotDeliveredError, match="the attachments have"):
        mail_of(MESSAGE, target(attach=["brief.pdf"]), tmp_path, DELIVERY, NOW)
