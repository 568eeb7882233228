"""The targets of a report, ``[[delivery]]`` in ``reports/<name>.toml``: where it goes, and when."""

from __future__ import annotations

import datetime as dt
import re
from email.utils import parseaddr
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from forecast.config import Section
from forecast.confined import BelowPath, FolderName
from forecast.panel.units import UnitKind

BRIEF = "brief.pdf"
MOST_RECIPIENTS = 200
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)


def _variable(name: str) -> str:
    # Only variables that are made for this package: a workspace that somebody sent must not send others anywhere.
    if not re.fullmatch(r"FORECAST_[A-Z0-9_]+", name, re.ASCII) or name == "FORECAST_LEDGER_URL":
        raise ValueError(
            f"{name!r} is not a variable for deliveries: FORECAST_ and capitals, such as FORECAST_SMTP_URL"
        )
    return name


def _account(name: str) -> str:
    # By these endings `forecast.redaction` knows what to mask, should a library tell a secret.
    if not name.endswith("_URL"):
        raise ValueError(f"{name!r} should end in _URL, such as FORECAST_SMTP_URL")
    return name


def _webhook(name: str) -> str:
    if "WEBHOOK" not in name:
        raise ValueError(f"{name!r} should have WEBHOOK in it, such as FORECAST_TEAMS_WEBHOOK")
    return name


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is not a mail address such as risk@example.org")
    return text


def _sender(text: str) -> str:
    _address(parseaddr(text)[1])
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone such as Africa/Bamako") from None
    return name


def _link(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s<>\"'|]+", text, re.ASCII):
        raise ValueError(f"{text!r} is not an address such as https://risk.example.org/weekly/")
    return text


Variable = Annotated[str, AfterValidator(_variable)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
Share = Annotated[float, Field(gt=0, le=1)]
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class When(Section):
    """What must be so for a delivery: any of the thresholds reached by any unit; always if there are none.

    Parameters
    ----------
    at_least : float, optional
        A probability.
    changed_by : float, optional
        A change of the probability, up or down, since the last issue; without one, since a week before.
    escalation : str, optional
        Of which; that of the headline if not given.
    units : {"region", "place"}, optional
        Of which kind; both if not given.
    """

    at_least: Share | None = None
    changed_by: Share | None = None
    escalation: str | None = None
    units: UnitKind | None = None


class Quiet(Section):
    """When nothing is delivered; what would be waits for the next `forecast deliver`.

    Parameters
    ----------
    days : tuple of str
        Whole days, "monday" to "sunday".
    hours : (time, time), optional
        From, until: ["20:00", "07:00"] is a night.
    zone : str
        The time zone of both.
    """

    days: tuple[Day, ...] = ()
    hours: tuple[dt.time, dt.time] | None = None
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"

    def holds(self, now: dt.datetime) -> bool:
        """Return whether a moment, with its time zone, is quiet.

        Examples
        --------
        >>> night = Quiet(days=("sunday",), hours=(dt.time(20), dt.time(7)), zone="Africa/Bamako")
        >>> night.holds(dt.datetime(2026, 8, 3, 6, 59, tzinfo=dt.UTC))
        True
        >>> night.holds(dt.datetime(2026, 8, 3, 7, 0, tzinfo=dt.UTC))
        False
        """
        here = now.astimezone(ZoneInfo(self.zone))
        if DAYS[here.weekday()] in self.days:
            return True
        if self.hours is None:
            return False
        first, last = self.hours
        at = here.time()
        return first <= at < last if first <= last else at >= first or at < last


class _Target(Section):
    """What all targets have.

    Parameters
    ----------
    name : str
        What the record of deliveries calls it.
    when : When
    quiet : Quiet
    """

    name: Slug
    when: When = When()
    quiet: Quiet = Quiet()


class _Message(_Target):
    """A target that gets a text.

    Parameters
    ----------
    most : int
        Regions and places that are named.
    link : str
        Where readers find the whole report, if anywhere.
    template : str, optional
        A file below the workspace in place of the text that comes with the package.
    """

    most: Annotated[int, Field(ge=1, le=50)] = 10
    link: Annotated[str, AfterValidator(_link)] | None = None
    template: BelowPath | None = None


class FolderTarget(_Target):
    """A folder that others look into: a share, a synchronised folder, the root of a web server.

    Parameters
    ----------
    path : str, optional
        Below the workspace.
    path_from : str, optional
        In place of it, a variable of the environment that has the path.
    files : tuple of str
        Which of the files of a run; all if none is named.
    """

    to: Literal["folder"]
    path: BelowPath | None = None
    path_from: Variable | None = None
    files: tuple[FolderName, ...] = ()

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.path_from is None):
            raise ValueError("give either `path` (below the workspace) or `path_from` (a variable that has it)")
        return self


class EmailTarget(_Message):
    """Readers of mail.

    Parameters
    ----------
    account : str
        The variable of the environment with the account: ``smtps://user:password@host`` (TLS from the start) or
        ``smtp://user:password@host`` (STARTTLS). Host and password stand together, so that a workspace cannot send
        the password elsewhere.
    sender : str
        An address, with a name if you like.
    recipients : tuple of str
        They do not see each other.
    attach : tuple of str
        Files of the run.
    """

    to: Literal["email"]
    account: Annotated[Variable, AfterValidator(_account)] = "FORECAST_SMTP_URL"
    sender: Annotated[str, AfterValidator(_sender)]
    recipients: Annotated[
        tuple[Annotated[str, AfterValidator(_address)], ...], Field(min_length=1, max_length=MOST_RECIPIENTS)
    ]
    attach: tuple[FolderName, ...] = (BRIEF,)


class WebhookTarget(_Message):
    """A channel of Slack or Teams, or of what takes the same.

    Parameters
    ----------
    address : str
        The variable of the environment with the address, which is a secret.
    form : {"slack", "teams"}
        "teams" is an adaptive card, as workflows of Teams and Power Automate take it.
    """

    to: Literal["webhook"]
    address: Annotated[Variable, AfterValidator(_webhook)] = "FORECAST_WEBHOOK"
    form: Literal["slack", "teams"] = "slack"


Target = Annotated[FolderTarget | EmailTarget | WebhookTarget, Field(discriminator="to")]


def check_names(targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """Return targets of which no two have the same name.

    Raises
    ------
    ValueError
        If two have.
    """
    seen: set[str] = set()
    for target in targets:
        if target.name in seen:
            raise ValueError(f"two deliveries are called {target.name!r}")
        seen.add(target.name)
    return targets


Targets = Annotated[tuple[Target, ...], AfterValidator(check_names)]
