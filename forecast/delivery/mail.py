"""A message by mail: SMTP with TLS, always, and with a certificate that is checked."""

from __future__ import annotations

import datetime as dt
import hashlib
import mimetypes
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import format_datetime, formataddr, parseaddr
from pathlib import Path
from urllib.parse import unquote, urlsplit

from forecast.delivery.outcome import NotDeliveredError, UnsureError
from forecast.delivery.record import Delivery
from forecast.delivery.targets import EmailTarget
from forecast.delivery.wording import Message
from forecast.plain_text import one_line

SECONDS = 30.0
"""For each answer of the server."""
MOST_ATTACHED = 20 * 2**20
"""Bytes of all attachments: many servers refuse more."""
_PORTS = {"smtp": 587, "smtps": 465}
_REASONS: tuple[tuple[type[Exception], str, bool], ...] = (
    (smtplib.SMTPAuthenticationError, "the server refuses user or password", False),
    (smtplib.SMTPRecipientsRefused, "the server refuses all recipients", False),
    (smtplib.SMTPSenderRefused, "the server refuses the sender {sender} (status {status})", False),
    (smtplib.SMTPNotSupportedError, "it offers no STARTTLS, or no way to log in; without TLS nothing is sent", False),
    (smtplib.SMTPResponseException, "the server refuses (status {status})", False),
    (ssl.SSLCertVerificationError, "its certificate is not to be trusted: {why}", False),
    (TimeoutError, "no answer in time", True),
    (ssl.SSLError, "TLS failed", True),
    (UnicodeError, "an address is not in ASCII", False),
)
"""Why a mail was not sent, the particular before the general; whether the connection broke."""
_EXAMPLE = "smtps://user:password@smtp.example.org"


@dataclass(frozen=True, repr=False)
class Account:
    """An account on a mail server.

    Parameters
    ----------
    host : str
    port : int
    user, password : str
        Both empty for a server that asks for none.
    from_the_start : bool
        TLS from the first byte; otherwise by STARTTLS, without which nothing is sent.
    """

    host: str
    port: int
    user: str
    password: str
    from_the_start: bool


def account_of(address: str, variable: str) -> Account:
    """Return the account that a variable of the environment describes.

    Raises
    ------
    NotDeliveredError
        If it describes none. The message does not repeat it.

    Examples
    --------
    >>> account = account_of("smtps://risk%40example.org:pa%3Ass@smtp.example.org", "FORECAST_SMTP_URL")
    >>> account.host, account.port, account.user, account.password
    ('smtp.example.org', 465, 'risk@example.org', 'pa:ss')
    """
    told = f"{variable} is no mail account\n  expected: such as {_EXAMPLE}, or smtp://.. for STARTTLS"
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError:
        raise NotDeliveredError(told) from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise NotDeliveredError(told)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise NotDeliveredError(told)
    return Account(parts.hostname, port or _PORTS[parts.scheme], user, password, parts.scheme == "smtps")


def mail_of(message: Message, target: EmailTarget, folder: Path, delivery: Delivery, now: dt.datetime) -> EmailMessage:
    """Return the mail, with files of a published run attached.

    Raises
    ------
    NotDeliveredError
        If a file is missing or all of them are too large.
    """
    name, address = parseaddr(target.sender)
    mail = EmailMessage(policy=POLICY)
    mail["Subject"] = message.title
    mail["From"] = formataddr((one_line(name), address))
    mail["To"] = formataddr((one_line(name), address))  # readers do not see each other
    mail["Date"] = format_datetime(now.astimezone(dt.UTC))
    mail["Message-ID"] = f"<{_digest(delivery)}@{address.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    size = 0
    for file in target.attach:
        try:
            content = (folder / file).read_bytes()
        except OSError:
            there = ", ".join(sorted(path.name for path in folder.iterdir()))
            raise NotDeliveredError(f"the report has no file {file} to attach\n  expected: of {there}") from None
        size += len(content)
        kind, _, part = (mimetypes.guess_type(file)[0] or "application/octet-stream").partition("/")
        mail.add_attachment(content, maintype=kind, subtype=part, filename=file)
    if size > MOST_ATTACHED:
        told = f"the attachments have {size / 2**20:.0f} MiB, more than {MOST_ATTACHED // 2**20} MiB"
        raise NotDeliveredError(f"{told}\n  try: fewer files in `attach`")
    return mail


def send_mail(mail: EmailMessage, target: EmailTarget, account: Account, seconds: float = SECONDS) -> tuple[str, ...]:
    """Send a mail; return the recipients that the server refused, while it took others.

    Raises
    ------
    NotDeliveredError
        If the server cannot be reached, has another certificate, offers no TLS, or refuses.
    UnsureError
        If the connection broke after the mail was sent.
    """
    sent = False
    try:
        server = _connected(account, seconds)
        try:
            if account.user:
                server.login(account.user, account.password)
            sent = True
            refused = server.send_message(mail, parseaddr(target.sender)[1], list(target.recipients))
        finally:
            # What is answered to the farewell must not make a mail that was taken look as if it was not.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        reason, broken = _reason(error, target.sender)
    else:
        return tuple(sorted(refused))
    told = f"mail server {one_line(account.host)}:{account.port}: {reason}"
    raise UnsureError(told) if sent and broken else NotDeliveredError(told)


def _reason(error: Exception, sender: str) -> tuple[str, bool]:
    """Return why a mail was not sent, without what the server said, and whether the connection broke."""
    for kind, reason, broken in _REASONS:
        if isinstance(error, kind):
            status = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else ""
            why = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else ""
            return reason.format(status=status, why=why, sender=sender), broken
    return "no connection, or it was cut", True


def _connected(account: Account, seconds: float) -> smtplib.SMTP:
    """Return a connection that is encrypted, to a server whose certificate was checked."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if account.from_the_start:
        return smtplib.SMTP_SSL(account.host, account.port, timeout=seconds, context=context)
    server = smtplib.SMTP(account.host, account.port, timeout=seconds)
    try:
        server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server


def _digest(delivery: Delivery) -> str:
    """Return the same for the same delivery, so that readers' programs know a second copy."""
    return hashlib.sha256("\0".join(vars(delivery).values()).encode()).hexdigest()[:32]
