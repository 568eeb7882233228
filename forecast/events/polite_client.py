"""Asking servers for JSON, politely: few tries, longer and longer waits, no other host, no secrets in what is said."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from forecast.errors import ForecastError

Parsed = TypeVar("Parsed")

TRIES = 8
LONGEST_WAIT = 120.0
"""Seconds between two tries of our own choice."""
LONGEST_ASKED_WAIT = 900.0
"""Seconds that a server may ask us to wait (Retry-After) before we stop and say when to come back."""
LARGEST_ANSWER = 2**28
"""Bytes of an answer, unpacked; a page of ten thousand events has about ten million."""
_MOST_REDIRECTS = 5
_TRY_AGAIN_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


class RequestRefusedError(ForecastError):
    """A server refused a request, and asking again as it is would not help.

    Parameters
    ----------
    message : str
    status : int
        HTTP status: 401, 403, 404, ...
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class AskAgain(Exception):  # noqa: N818 - it says what to do, and never reaches a user
    """An answer that cannot be used, and may be better the next time.

    Parameters
    ----------
    reason : str
        In plain words; told to the user if no try was better.
    wait : float, optional
        Seconds that the server asks us to wait.
    """

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.wait = reason, wait


class PoliteClient:
    """Asks one server for JSON, and asks again when the answer is late, broken or "not now".

    Lost connections, cut answers, JSON that ends early and the statuses 408, 425, 429, 500, 502, 503 and 504 are
    tried again, after the time that the server asks for (Retry-After) or 1, 2, 4, ... seconds. Redirects are followed
    on the same host only, so that no other host sees a token. Messages name host and path, never headers, forms,
    queries or what the server answered.

    Parameters
    ----------
    base_url : str
        ``https://host``; paths are relative to it.
    sleep : callable, optional
        Waits for some seconds.
    timeout : float
        Seconds for connecting, and for each wait within an answer.
    tries : int
        How often one thing is asked for.

    Examples
    --------
    >>> with PoliteClient("https://ucdpapi.pcr.uu.se") as client:
    ...     client.address("http://ucdpapi.pcr.uu.se/api/gedevents/25.1?page=2")
    'https://ucdpapi.pcr.uu.se/api/gedevents/25.1?page=2'
    """

    def __init__(
        self,
        base_url: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        timeout: float = 60.0,
        tries: int = TRIES,
    ) -> None:
        try:
            self._base = httpx.URL(base_url)
        except (httpx.InvalidURL, TypeError):
            raise ForecastError("the server's address is not a URL") from None
        if self._base.scheme not in {"http", "https"} or not self._base.host:
            raise ForecastError(f"{self._base.host or 'the address'!r} is not a server's http or https address")
        self._sleep, self._tries = sleep, tries
        self._http = httpx.Client(timeout=timeout, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    def address(self, url: str) -> str:
        """Return the whole address of a path, or of a link that the server gave, on this server.

        A link with another scheme, as servers behind a proxy give them, is taken to mean the scheme of `base_url`.

        Raises
        ------
        ForecastError
            If it leads to another host.
        """
        return str(self._on_this_host(self._base, url))

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        parse: Callable[[Any], Parsed],
    ) -> Parsed:
        """Return what `parse` makes of the JSON at an address.

        Parameters
        ----------
        url : str
            A path, or a link of the same host.
        params : mapping, optional
            Query; replaces that of a link.
        headers : mapping, optional
            May hold a token.
        parse : callable
            Raises `AskAgain` for an answer that it cannot use.

        Raises
        ------
        RequestRefusedError
            For a status of 400 and more that trying again would not change.
        ForecastError
            If no try gave a usable answer, or the server redirects to another host.
        """
        return self._tried(url, parse, lambda target: self._http.build_request("GET", target, headers=headers), params)

    def post_form(self, url: str, form: Mapping[str, str], *, parse: Callable[[Any], Parsed]) -> Parsed:
        """Send a form and return what `parse` makes of the JSON that comes back; otherwise as `get`."""
        return self._tried(url, parse, lambda target: self._http.build_request("POST", target, data=dict(form)), None)

    def _tried(
        self,
        url: str,
        parse: Callable[[Any], Parsed],
        request: Callable[[httpx.URL], httpx.Request],
        params: Mapping[str, str] | None,
    ) -> Parsed:
        target = self._on_this_host(self._base, url)
        if params is not None:
            target = target.copy_with(params=dict(params))
        retrying = Retrying(
            retry=retry_if_exception_type(AskAgain),
            stop=stop_after_attempt(self._tries),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(lambda: parse(self._content(request, target)))
        except AskAgain as error:
            reason = error.reason
        raise ForecastError(f"{_shown(target)}: {reason}, in {self._tries} tries")

    def _content(self, request: Callable[[httpx.URL], httpx.Request], target: httpx.URL) -> Any:
        """Ask once; return the JSON."""
        response, content = self._answer(request, target)
        redirects = 0
        while response.is_redirect:
            redirects += 1
            if redirects > _MOST_REDIRECTS:
                raise ForecastError(f"{_shown(target)} redirects in a circle")
            if response.status_code in {301, 302, 303} and response.request.method != "GET":
                raise ForecastError(f"{_shown(target)} redirects a form elsewhere; it is not sent again")
            target = self._on_this_host(target, response.headers["location"])
            response, content = self._answer(request, target)
        status = response.status_code
        if status in _TRY_AGAIN_STATUS:
            wait = _retry_after(response)
            if wait is not None and wait > LONGEST_ASKED_WAIT:
                raise ForecastError(f"{_shown(target)} asks to come back in {wait / 60:.0f} minutes (status {status})")
            raise AskAgain("too many requests (status 429)" if status == 429 else f"status {status}", wait)
        if status >= 300:
            raise RequestRefusedError(f"{_shown(target)} answers with status {status}", status)
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            raise AskAgain("the answer is no JSON, or ends early") from None

    def _answer(self, request: Callable[[httpx.URL], httpx.Request], target: httpx.URL) -> tuple[httpx.Response, bytes]:
        """Return an answer and its content, of which no more is read than a page can have."""
        content = bytearray()
        try:
            response = self._http.send(request(target), stream=True)
            with closing(response):
                if "," in response.headers.get("content-encoding", ""):  # packed twice, a little unpacks to anything
                    raise ForecastError(f"{_shown(target)} answers in a form that is not read")
                for part in response.iter_bytes():
                    content += part
                    if len(content) > LARGEST_ANSWER:
                        most = LARGEST_ANSWER // 2**20
                        raise ForecastError(f"{_shown(target)} answers with more than {most} MiB, which is no page")
            return response, bytes(content)
        except httpx.TimeoutException:
            reason = "no answer in time"
        except httpx.ConnectError:
            reason = "no connection"
        except (httpx.TransportError, httpx.DecodingError):
            reason = "the connection was cut"
        except (httpx.InvalidURL, httpx.HTTPError, UnicodeError):
            raise ForecastError(f"{_shown(target)}: the request cannot be sent") from None
        raise AskAgain(reason)  # outside of the handler: httpx's exception holds the request with its headers

    def _on_this_host(self, base: httpx.URL, url: str) -> httpx.URL:
        try:
            target = base.join(url)
        except (httpx.InvalidURL, ValueError, TypeError):
            raise ForecastError(f"{base.host} gave a link that is not an address") from None
        other_default = target.port is None or (target.scheme, target.port) in {("http", 80), ("https", 443)}
        same_port = target.port == self._base.port or (target.scheme != self._base.scheme and other_default)
        if target.host != self._base.host or target.scheme not in {"http", "https"} or not same_port:
            raise ForecastError(
                f"{base.host} leads to another host, {target.host or 'unnamed'!r}; it is not followed, as that host "
                "would see the account's token"
            )
        return target.copy_with(scheme=self._base.scheme, port=self._base.port, username=None, password=None)


def _wait(state: RetryCallState) -> float:
    """Return the seconds to wait: what the server asked for, or 1, 2, 4, ..."""
    error = state.outcome.exception() if state.outcome is not None else None
    if isinstance(error, AskAgain) and error.wait is not None:
        return error.wait
    return min(2.0 ** (state.attempt_number - 1), LONGEST_WAIT)


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds in Retry-After: a number, or a date that is compared with the server's own clock."""
    written = response.headers.get("retry-after", "").strip()
    if written.isascii() and written.isdigit():
        return float(written[:9])
    try:
        return max(
            (parsedate_to_datetime(written) - parsedate_to_datetime(response.headers["date"])).total_seconds(), 0.0
        )
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def _shown(target: httpx.URL) -> str:
    return f"{target.host}{target.path}"
