"""Logging in at ACLED: credentials from the environment or the keyring, tokens in memory only."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from forecast.errors import ForecastError, InputError
from forecast.events.polite_client import AskAgain, PoliteClient, RequestRefusedError

USERNAME, PASSWORD = "ACLED_USERNAME", "ACLED_PASSWORD"
KEYRING_SERVICE = "acleddata.com"


@dataclass(frozen=True)
class Credentials:
    """A myACLED account; its parts are in no representation.

    Parameters
    ----------
    username, password : str

    Examples
    --------
    >>> Credentials("analyst@example.org", "simulated")
    Credentials()
    """

    username: str = field(repr=False)
    password: str = field(repr=False)


def find_credentials(environment: Mapping[str, str] | None = None) -> Credentials:
    """Return the credentials in ACLED_USERNAME and ACLED_PASSWORD, or those of acleddata.com in the keyring.

    Parameters
    ----------
    environment : mapping, optional
        `os.environ` if not given.

    Raises
    ------
    InputError
        If neither has them.

    Examples
    --------
    >>> find_credentials({"ACLED_USERNAME": "analyst@example.org", "ACLED_PASSWORD": "simulated"})
    Credentials()
    """
    given = os.environ if environment is None else environment
    username, password = given.get(USERNAME, "").strip(), given.get(PASSWORD, "")
    if username and password:
        return Credentials(username, password)
    stored = _from_keyring(username or None)
    if stored is not None:
        return stored
    missing = PASSWORD if username else USERNAME
    raise InputError(
        "no credentials for ACLED",
        where=f"environment variable {missing}",
        expected=f"{USERNAME} and {PASSWORD}, those of your myACLED account",
        hint=f"`export {USERNAME}=...`, or the system keyring (package keyring), service {KEYRING_SERVICE!r}",
    )


def _from_keyring(username: str | None) -> Credentials | None:
    """Return what the system keyring holds, None if there is no keyring or nothing in it."""
    try:
        stored = importlib.import_module("keyring").get_credential(KEYRING_SERVICE, username)
    except Exception:  # no package, no backend, a locked keyring: each backend has errors of its own
        return None
    if stored is None or not stored.username or not stored.password:
        return None
    return Credentials(stored.username, stored.password)


class AcledLogin:
    """A session at ACLED: a bearer token of 24 hours, and one of 14 days that gets the next.

    Parameters
    ----------
    client : PoliteClient
    credentials : Credentials
    """

    def __init__(self, client: PoliteClient, credentials: Credentials) -> None:
        self._client, self._credentials = client, credentials
        self._access = self._refresh = ""

    def __repr__(self) -> str:
        return "AcledLogin()"

    def headers(self) -> dict[str, str]:
        """Return the header that shows who asks; logs in if that has not been done."""
        if not self._access:
            self.renew()
        return {"Authorization": f"Bearer {self._access}"}

    def renew(self) -> None:
        """Get a new token: by the refresh token if there is one that is still good, by the password otherwise.

        Raises
        ------
        InputError
            If ACLED does not accept the credentials.
        """
        refresh, self._access, self._refresh = self._refresh, "", ""
        if refresh:
            try:
                self._get({"grant_type": "refresh_token", "refresh_token": refresh})
            except RequestRefusedError:
                pass  # it is over, as after 14 days
            else:
                return
        account = {"username": self._credentials.username, "password": self._credentials.password}
        try:
            self._get({"grant_type": "password", "scope": "authenticated", **account})
        except RequestRefusedError as error:
            if error.status not in {400, 401, 403}:
                raise
        else:
            return
        raise InputError(
            "ACLED does not accept the username and password",
            where=f"{USERNAME} and {PASSWORD}, or the keyring",
            expected="those of a myACLED account whose terms of use have been accepted",
            hint="log in once at acleddata.com to see whether the account works",
        )

    def _get(self, form: Mapping[str, str]) -> None:
        def parse(content: Any) -> tuple[str, str]:
            tokens = content if isinstance(content, dict) else {}
            access, refresh = tokens.get("access_token"), tokens.get("refresh_token")
            if not isinstance(access, str) or not access.isascii() or not access.isprintable() or not access:
                raise AskAgain("no token in the answer")
            return access, refresh if isinstance(refresh, str) else ""

        self._access, self._refresh = self._client.post_form(
            "/oauth/token", {**form, "client_id": "acled"}, parse=parse
        )


def no_event_level_access() -> ForecastError:
    """Return the error for an account that may log in, but not read events."""
    return ForecastError(
        "ACLED does not give event-level data to this account (status 403): its access tier does not include the API, "
        "its profile is incomplete, or the terms of use are not accepted\n"
        "  try: log in at acleddata.com and look at the profile; ask ACLED for a tier with event-level data; or use "
        "the weekly aggregated file, which is open to every account"
    )
