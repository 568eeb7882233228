"""What lets a machine run a workspace every week: a systemd timer, a cron line, a GitHub Actions workflow."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from forecast.errors import InputError, plain_name

Scheduler = Literal["systemd", "cron", "github"]
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ENVIRONMENT_FILE = "/etc/escalation-forecast.env"
"""Where systemd takes FORECAST_LEDGER_URL from: a file that only root may read."""


@dataclass(frozen=True)
class Moment:
    """A time of the week, in UTC.

    Parameters
    ----------
    day : int
        0 is Monday.
    hour, minute : int
    """

    day: int
    hour: int
    minute: int

    @classmethod
    def of(cls, text: str) -> Moment:
        """Return the moment of a text such as ``Mon 06:00``.

        Raises
        ------
        InputError
            If it is none.

        Examples
        --------
        >>> Moment.of("monday 6:05")
        Moment(day=0, hour=6, minute=5)
        """
        found = re.fullmatch(r"([A-Za-z]{3,9}) +(\d{1,2}):(\d{2})", text.strip(), re.ASCII)
        days = [at for at, name in enumerate(DAYS) if found and found[1].title()[:3] == name]
        if not found or not days or int(found[2]) > 23 or int(found[3]) > 59:
            raise InputError(f"{text!r} is no time of the week", where="--at", expected='such as "Mon 06:00", in UTC')
        return cls(days[0], int(found[2]), int(found[3]))


@dataclass(frozen=True)
class Plan:
    """What is to be run, where and when.

    Parameters
    ----------
    title : str
        Of the workspace.
    folder : Path
        In which the command is run; absolute.
    command : sequence of str
        Program and arguments.
    moment : Moment
    version : str
        Of the package, which a workflow installs.
    """

    title: str
    folder: Path
    command: Sequence[str]
    moment: Moment
    version: str

    def __post_init__(self) -> None:
        for text in (self.title, str(self.folder), *self.command):
            if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
                raise InputError(f"{text!r} has a control character", expected="a name that fits into one line")

    @property
    def name(self) -> str:
        """The title as part of a file name.

        Examples
        --------
        >>> Plan("Région de Ségou!", Path("/w"), ["forecast"], Moment(0, 6, 0), "1").name
        'forecast-region-de-segou'
        """
        return "-".join(["forecast", *re.findall(r"[a-z0-9]+", plain_name(self.title))])


def schedule(plan: Plan, scheduler: Scheduler) -> dict[str, str]:
    """Return file names and what belongs into them.

    Parameters
    ----------
    plan : Plan
    scheduler : {"systemd", "cron", "github"}
    """
    if scheduler == "systemd":
        return {f"{plan.name}.service": _service(plan), f"{plan.name}.timer": _timer(plan)}
    if scheduler == "cron":
        return {f"{plan.name}.cron": _cron(plan)}
    return {f".github/workflows/{plan.name}.yml": _workflow(plan)}


def _service(plan: Plan) -> str:
    command = " ".join(_systemd_word(word, dollars=True) for word in plan.command)
    folder = _systemd_path(plan.folder)
    return f"""\
[Unit]
Description={_systemd_line(f"Weekly forecast: {plan.title}")}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
WorkingDirectory={folder}
# New data first, for a workspace with an event store:
# ExecStartPre=... forecast ingest acled --api
ExecStart={command}
# 3: done, with warnings; the journal has them.
SuccessExitStatus=3
# FORECAST_LEDGER_URL, where a team shares a ledger; what deliveries need, such as FORECAST_SMTP_URL.
EnvironmentFile=-{ENVIRONMENT_FILE}
Nice=10
NoNewPrivileges=true
PrivateTmp=true
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={_systemd_word(str(plan.folder))}
"""


def _timer(plan: Plan) -> str:
    when = plan.moment
    return f"""\
[Unit]
Description={_systemd_line(f"Every {DAYS[when.day]}: forecast {plan.title}")}

[Timer]
OnCalendar={DAYS[when.day]} *-*-* {when.hour:02d}:{when.minute:02d}:00 UTC
# A machine that was off at that time makes up for it.
Persistent=true
RandomizedDelaySec=5min

[Install]
WantedBy=timers.target
"""


def _cron(plan: Plan) -> str:
    when, log = plan.moment, "out/log/cron.log"
    line = f"cd {shlex.quote(str(plan.folder))} && mkdir -p out/log && {shlex.join(plan.command)} >>{log} 2>&1"
    # To cron an unescaped percent sign is the end of the line.
    return f"""\
# {plan.title}: every {DAYS[when.day]}. Times are UTC where cron knows CRON_TZ, otherwise those of the machine.
CRON_TZ=UTC
{when.minute} {when.hour} * * {(when.day + 1) % 7} {line.replace("%", chr(92) + "%")}
"""


def _workflow(plan: Plan) -> str:
    when = plan.moment
    command = shlex.join(["forecast", *plan.command[plan.command.index("run") :]])
    return f"""\
name: {_yaml_text(f"Forecast: {plan.title}")}

on:
  schedule:
    - cron: "{when.minute} {when.hour} * * {(when.day + 1) % 7}" # UTC
  workflow_dispatch:

permissions:
  contents: write

concurrency:
  group: {plan.name}
  cancel-in-progress: false

jobs:
  forecast:
    runs-on: ubuntu-latest
    timeout-minutes: 180
    env:
      # A ledger that a team shares. Without this secret it is the file ledger.sqlite in the repository.
      FORECAST_LEDGER_URL: ${{{{ secrets.FORECAST_LEDGER_URL }}}}
      # Deliveries of the report, if it has any:
      FORECAST_SMTP_URL: ${{{{ secrets.FORECAST_SMTP_URL }}}}
      FORECAST_WEBHOOK: ${{{{ secrets.FORECAST_WEBHOOK }}}}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - name: Install
        run: python -m pip install "escalation-forecast[postgresql]=={plan.version}"
      - uses: actions/cache@v4
        with:
          path: out/backtests
          key: backtests-${{{{ github.run_id }}}}
          restore-keys: backtests-
      - name: Forecast
        shell: bash
        run: |
          code=0
          {command} || code=$?
          if [ "$code" -eq 3 ]; then echo "::warning::The forecast was issued with warnings; see the log."; code=0; fi
          exit "$code"
      - name: Keep the ledger and what was delivered
        if: always()
        shell: bash
        run: |
          git config user.name "github-actions[bot]"
          git config user.email "41898282+github-actions[bot]@users.noreply.github.com"
          for file in ledger.sqlite deliveries.jsonl; do
            if [ -f "$file" ]; then git add --force "$file"; fi
          done
          git diff --cached --quiet || {{ git commit --message "Issue the forecast" && git push; }}
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: forecast
          path: |
            out/runs
            out/log
"""


def _systemd_word(text: str, *, dollars: bool = False) -> str:
    """Return one word of a line that systemd splits; in a command line it also replaces variables."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped.replace("$", "$$") if dollars else escaped}"'


def _systemd_path(path: Path) -> str:
    """Return a path where systemd takes the whole line as one, without quotes."""
    return str(path).replace("%", "%%")


def _systemd_line(text: str) -> str:
    return text.replace("%", "%%").replace("\\", "/")


def _yaml_text(text: str) -> str:
    """Return a text in double quotes, as YAML and JSON both read it, in which the workflow evaluates nothing."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("${{", "$ {{")
    return f'"{escaped}"'
