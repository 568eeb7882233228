"""A message to a channel: JSON as Slack and Teams take it, over TLS, in a few tries."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from forecast.delivery.outcome import NotDeliveredError, UnsureError
from forecast.delivery.targets import WebhookTarget
from forecast.delivery.wording import Message
from forecast.plain_text import one_line

SECONDS = 20.0
"""For connecting, and for the answer."""
TRIES = 4
LONGEST_WAIT = 60.0
"""Seconds between two tries, also where the server asks for more."""
_NOT_TAKEN = frozenset({429, 503})
"""With these the server says that it has not taken the message; other faults of it leave that open."""


class _TryAgain(Exception):  # noqa: N818 - it says what to do, and never reaches a user
    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.wait = reason, wait


def payload(message: Message, form: str) -> dict[str, Any]:
    r"""Return a message as JSON, in which nothing of its text is a link, a mention or a mark of style.

    Examples
    --------
    >>> payload(Message("Gao & Mopti", "<!channel>"), "slack")["text"]
    'Gao &amp; Mopti\n&lt;!channel&gt;'
    >>> payload(Message("Gao", "[a](http://b)"), "teams")["attachments"][0]["content"]["body"][1]["inlines"]
    [{'type': 'TextRun', 'text': '[a](http://b)'}]
    """
    if form == "slack":
        return _for_slack(message)
    return _for_teams(message)


def _for_slack(message: Message) -> dict[str, Any]:
    # https://api.slack.com/reference/surfaces/formatting: these three characters make all links and mentions.
    text = f"{message.title}\n{message.text}".strip()
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, entity)
    return {"text": text, "mrkdwn": False, "parse": "none", "unfurl_links": False, "unfurl_media": False}


def _for_teams(message: Message) -> dict[str, Any]:
    # Text runs of an adaptive card are shown as they are; the text of a TextBlock would be Markdown.
    title = {"type": "TextRun", "text": message.title, "weight": "Bolder", "size": "Medium"}
    lines = [{"type": "TextRun", "text": line} for line in message.text.splitlines() if line.strip()]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "RichTextBlock", "inlines": [run]} for run in (title, *lines)],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": card}]}


def send_to_webhook(
    message: Message,
    target: WebhookTarget,
    address: str,
    *,
    sleep: Callable[[float], None] = time.sleep,
    seconds: float = SECONDS,
) -> None:
    """Post a message.

    What was surely not taken is tried again: no connection, or the status 429 or 503. What may have been taken is not.

    Parameters
    ----------
    message : Message
    target : WebhookTarget
    address : str
        A secret: messages name its host alone. https, or http to this machine.
    sleep : callable, optional
    seconds : float

    Raises
    ------
    NotDeliveredError
        If no try was taken.
    UnsureError
        If there was no answer after all was sent, or one that leaves open whether it was taken.
    """
    url = _checked(address, target.address)
    host = one_line(url.host)
    retrying = Retrying(
        retry=retry_if_exception_type(_TryAgain),
        stop=stop_after_attempt(TRIES),
        wait=_wait,
        sleep=sleep,
        reraise=True,
    )
    with httpx.Client(timeout=seconds, follow_redirects=False) as client:
        try:
            retrying(lambda: _post(client, url, payload(message, target.form), host))
        except _TryAgain as error:
            raise NotDeliveredError(f"webhook at {host}: {error.reason}, in {TRIES} tries") from None


def _post(client: httpx.Client, url: httpx.URL, content: dict[str, Any], host: str) -> None:
    try:
        with client.stream("POST", url, json=content) as response:
            status = response.status_code
            asked = response.headers.get("retry-after", "").strip()
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        # Whoever answers with another certificate will do so again, and has got nothing.
        if "certificate" in str(error).lower():
            raise NotDeliveredError(f"webhook at {host}: its certificate is not to be trusted") from None
        reason = "no connection"
    except httpx.TransportError:
        raise UnsureError(f"webhook at {host}: the connection was cut before it had answered") from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
        raise NotDeliveredError(f"webhook at {host}: the message cannot be sent") from None
    else:
        if 200 <= status < 300:
            return
        if status >= 500 and status not in _NOT_TAKEN:
            raise UnsureError(f"webhook at {host}: a fault of the server (status {status})")
        if status not in _NOT_TAKEN:
            raise NotDeliveredError(f"webhook at {host} refuses (status {status})")
        wait = float(asked[:9]) if asked.isascii() and asked.isdigit() else None
        raise _TryAgain(f"status {status}", wait)
    raise _TryAgain(reason)  # outside of the handler: httpx's exception holds the address


def _checked(address: str, variable: str) -> httpx.URL:
    told = f"{variable} is no address of a webhook\n  expected: https://.., or http://.. of this machine"
    try:
        url = httpx.URL(address.strip())
    except (httpx.InvalidURL, UnicodeError):
        raise NotDeliveredError(told) from None
    if not url.host or not (url.scheme == "https" or (url.scheme == "http" and _here(url.host))):
        raise NotDeliveredError(told)
    return url


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wait(state: RetryCallState) -> float:
    """Return the seconds to wait: what the server asked for, or 1, 2, 4, .."""
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.wait if isinstance(error, _TryAgain) else None
    return min(2.0 ** (state.attempt_number - 1) if asked is None else asked, LONGEST_WAIT)
