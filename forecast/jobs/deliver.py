"""Delivering what was published: to each target of the report once an issue, and never in its quiet hours."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from forecast.confined import path_below
from forecast.delivery.digest import Digest, digest_of
from forecast.delivery.folder import copy_to_folder
from forecast.delivery.mail import account_of, mail_of, send_mail
from forecast.delivery.outcome import NotDeliveredError, UnsureError
from forecast.delivery.record import FILE, Delivery, add_step, last_step
from forecast.delivery.targets import EmailTarget, FolderTarget, Target, WebhookTarget
from forecast.delivery.webhook import send_to_webhook
from forecast.delivery.wording import Message, message_of
from forecast.errors import ForecastError, InputError, unknown_name
from forecast.events.store_lock import StoreBusyError, one_writer
from forecast.plain_text import one_line
from forecast.provenance import hash_file
from forecast.redaction import without_secrets
from forecast.reporting.summary import FILE as SUMMARY
from forecast.reporting.summary import Summary, read_summary
from forecast.workspace import ReportSpec, Workspace

LOCK_SECONDS = 300.0
"""How long one delivery waits for another to end."""
Outcome = Literal["delivered", "delivered before", "nothing to tell", "held", "failed", "unsure"]
TROUBLE: frozenset[Outcome] = frozenset({"failed", "unsure"})


@dataclass(frozen=True)
class Delivered:
    """What became of one target.

    Parameters
    ----------
    target : str
    to : str
        "folder", "email" or "webhook".
    outcome : Outcome
        "held": its hours are quiet; "nothing to tell": no threshold is reached; "unsure": it may have arrived.
    told : str
        In words.
    warning : str
        What a scheduler should see; empty if there is nothing.
    """

    target: str
    to: str
    outcome: Outcome
    told: str
    warning: str = ""


@dataclass(frozen=True)
class Asked:
    """What the caller of a delivery chooses.

    Parameters
    ----------
    origin : date, optional
        Of the issue; the last one that was published if not given.
    to : tuple of str
        Names of targets; all if empty.
    again : bool
        Deliver what was delivered before, too, and whatever the thresholds and quiet hours.
    """

    origin: dt.date | None = None
    to: tuple[str, ...] = ()
    again: bool = False


@dataclass(frozen=True)
class _Issue:
    """A published run."""

    folder: Path
    summary: Summary
    edition: str


def deliver(
    workspace: Workspace,
    definition: ReportSpec,
    asked: Asked,
    environment: Mapping[str, str],
    now: Callable[[], dt.datetime],
    sleep: Callable[[float], None] = time.sleep,
) -> list[Delivered]:
    """Deliver a published report to its targets.

    A target that fails keeps no other from its delivery. What was delivered stands in ``deliveries.jsonl`` beside the
    folder of results.

    Parameters
    ----------
    workspace : Workspace
    definition : ReportSpec
    asked : Asked
    environment : mapping
        Has the secrets that targets name.
    now : callable
        The clock, with a time zone.
    sleep : callable, optional

    Returns
    -------
    list of Delivered
        One for each target that is asked for.

    Raises
    ------
    InputError
        If there is no such issue or target, or the record of deliveries is broken.
    ForecastError
        If another delivery goes on for too long.
    """
    targets = _chosen(definition, asked.to)
    issue = _issue(workspace, definition, asked.origin)
    record = workspace.out.parent / FILE
    try:
        with one_writer(workspace.out / "delivery", LOCK_SECONDS):
            run = _Run(workspace.root, issue, record, environment, now, sleep)
            return [run.deliver(target, again=asked.again) for target in targets]
    except StoreBusyError:
        raise ForecastError(
            f"another delivery is at work\n  where: {workspace.out / 'delivery'}\n  try: again when it is done"
        ) from None


def messages(workspace: Workspace, definition: ReportSpec, asked: Asked) -> list[tuple[Target, Message | None]]:
    """Return what the targets would be told, without telling them; None where no threshold is reached.

    Parameters
    ----------
    workspace : Workspace
    definition : ReportSpec
    asked : Asked

    Raises
    ------
    InputError
        If there is no such issue or target, or a template is wrong.
    """
    summary = _issue(workspace, definition, asked.origin).summary
    found: list[tuple[Target, Message | None]] = []
    for target in _chosen(definition, asked.to):
        shown = None
        if not isinstance(target, FolderTarget) and digest_of(summary, target.when, 1) is not None:
            shown = message_of(summary, _told(summary, target), target, workspace.root)
        found.append((target, shown))
    return found


@dataclass(frozen=True)
class _Run:
    """The deliveries of one issue."""

    root: Path
    issue: _Issue
    record: Path
    environment: Mapping[str, str]
    now: Callable[[], dt.datetime]
    sleep: Callable[[float], None]

    def deliver(self, target: Target, *, again: bool) -> Delivered:
        summary = self.issue.summary
        mine = Delivery(summary.report, summary.origin.isoformat(), self.issue.edition, target.name)
        called = f"{target.name} ({target.to})"
        try:
            left = None if again else self._left(target, mine)
            beside = "" if left else self._carry(target, mine)
        except UnsureError as error:
            add_step(self.record, mine, "unsure", self.now())
            told = f"{called}: {self._safe(error)}; it may have arrived"
            return Delivered(target.name, target.to, "unsure", told, f"perhaps not delivered: {told}")
        except ForecastError as error:
            if last_step(self.record, mine) == "begun":
                add_step(self.record, mine, "failed", self.now())
            told = f"{called}: {self._safe(error)}"
            return Delivered(target.name, target.to, "failed", told, f"not delivered: {told}")
        if left is not None:
            outcome, why = left
            told = f"{called}: {why}"
            return Delivered(target.name, target.to, outcome, told, told if outcome in TROUBLE else "")
        add_step(self.record, mine, "delivered", self.now())
        if beside:
            told = f"{called}: delivered, but {beside}"
            return Delivered(target.name, target.to, "delivered", told, told)
        return Delivered(target.name, target.to, "delivered", f"{called}: delivered")

    def _left(self, target: Target, mine: Delivery) -> tuple[Outcome, str] | None:
        """Return why nothing is to be delivered; None if something is."""
        step = last_step(self.record, mine)
        if step == "delivered":
            return "delivered before", "delivered before"
        if step in {"begun", "unsure"}:
            command = f"forecast deliver --to {target.name} --again"
            return "unsure", f"an earlier delivery may have arrived; `{command}` repeats it"
        if digest_of(self.issue.summary, target.when, 1) is None:
            return "nothing to tell", "no threshold is reached"
        if target.quiet.holds(self.now()):
            return "held", "quiet hours; the next `forecast deliver` after them delivers it"
        return None

    def _carry(self, target: Target, mine: Delivery) -> str:
        """Deliver to one target; return what went wrong beside."""
        folder = self.issue.folder
        if isinstance(target, FolderTarget):
            place = self._place(target)
            add_step(self.record, mine, "begun", self.now())
            copy_to_folder(folder, place, mine, target)
            return ""
        message = message_of(self.issue.summary, _told(self.issue.summary, target), target, self.root)
        if isinstance(target, WebhookTarget):
            address = self._variable(target.address)
            add_step(self.record, mine, "begun", self.now())
            send_to_webhook(message, target, address, sleep=self.sleep)
            return ""
        account = account_of(self._variable(target.account), target.account)
        mail = mail_of(message, target, folder, mine, self.now())
        add_step(self.record, mine, "begun", self.now())
        refused = send_mail(mail, target, account)
        return f"the server refused {len(refused)} of {len(target.recipients)} recipients" if refused else ""

    def _place(self, target: FolderTarget) -> Path:
        if target.path is not None:
            return path_below(self.root, target.path, where=f"[[delivery]] {target.name}: path")
        place = Path(self._variable(target.path_from or ""))
        if not place.is_absolute() or not place.is_dir():
            raise NotDeliveredError(f"{target.path_from} is not the absolute path of a folder that is there")
        return place

    def _variable(self, name: str) -> str:
        value = self.environment.get(name, "").strip()
        if not value:
            raise NotDeliveredError(f"the variable {name} of the environment is not set")
        return value

    def _safe(self, error: ForecastError) -> str:
        """Return what went wrong, in one line and without any secret of the environment."""
        return one_line(without_secrets(str(error), self.environment), longest=None)


def _told(summary: Summary, target: EmailTarget | WebhookTarget) -> Digest:
    """Return what a message tells: without a threshold that is reached, the most probable of what it is about."""
    found = digest_of(summary, target.when, target.most)
    if found is None:
        without = target.when.model_copy(update={"at_least": None, "changed_by": None})
        found = digest_of(summary, without, target.most)
    assert found is not None  # there are no thresholds
    return found


def _chosen(definition: ReportSpec, names: Sequence[str]) -> list[Target]:
    known = [target.name for target in definition.delivery]
    where = f"reports/{definition.name}.toml"
    if not known:
        raise InputError("the report has no [[delivery]]", where=where, hint="docs/delivery.md")
    for name in names:
        if name not in known:
            raise unknown_name("delivery", name, known, where=where)
    return [target for target in definition.delivery if not names or target.name in names]


def _issue(workspace: Workspace, definition: ReportSpec, origin: dt.date | None) -> _Issue:
    """Return a published run: that of an origin, or the last one."""
    runs = workspace.out / "runs" / definition.name
    found = sorted(path.parent for path in runs.glob(f"[0-9]*/{SUMMARY}"))
    if origin is not None:
        found = [path for path in found if path.name == origin.isoformat()]
    if not found:
        what = "nothing was published" if origin is None else f"no forecast from {origin} was published"
        raise InputError(what, where=str(runs), hint="forecast run")
    return _Issue(found[-1], read_summary(found[-1]), _edition(found[-1]))


def _edition(folder: Path) -> str:
    """Return which issue of these weeks a folder has: by its number in the ledger, else by what it says."""
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        return f"issue {int(manifest['issue']['revision'])}"
    except (OSError, ValueError, LookupError, TypeError):
        return f"run {hash_file(folder / SUMMARY)[:16]}"
