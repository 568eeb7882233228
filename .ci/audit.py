"""Look the pinned packages up among known vulnerabilities: fails for each one that is known, not for want of a network.

    python .ci/audit.py constraints.txt [--pip-audit PROGRAM] [OPTIONS OF PIP-AUDIT]

pip-audit is installed into build/audit, an environment of its own, unless a program is given. Exit code 1: a package is
vulnerable, or pip-audit fails for another reason than the network. Exit code 0 with a remark that begins with NOT
AUDITED: it could not be installed, or could not look (all of) the packages up.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ENVIRONMENT = Path("build/audit")
OFFLINE = re.compile(
    r"connection|timed? ?out|resolve|name or service|unreachable|proxy|retries|no matching distribution|\b50[234]\b",
    re.IGNORECASE,
)
"""What pip and pip-audit say where there is no network, or only a part of one."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Audit, tell, and return the exit code."""
    parser = argparse.ArgumentParser(description="Look pinned packages up among known vulnerabilities.")
    parser.add_argument("requirements")
    parser.add_argument("--pip-audit")
    given, options = parser.parse_known_args(arguments)
    program = given.pip_audit or install()
    if program is None:
        return 0
    command = [program, "--requirement", given.requirements, "--require-hashes", "--disable-pip"]
    done = run([*command, "--format", "json", "--progress-spinner", "off", *options])
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        if OFFLINE.search(done.stderr):
            return not_audited(f"the vulnerability database cannot be reached: {last_line(done.stderr)}")
        say(f"pip-audit failed:\n{done.stderr}")
        return 1
    return judge(packages)


def judge(packages: list[dict[str, Any]]) -> int:
    """Tell what is known of the packages, and return the exit code."""
    skipped = [package for package in packages if "skip_reason" in package]
    found = [(package, fault) for package in packages for fault in package.get("vulns", [])]
    for package, fault in found:
        fixed = ", ".join(fault.get("fix_versions", [])) or "no release yet"
        say(f"{package['name']} {package['version']}: {fault['id']}, fixed in {fixed}")
    if skipped:
        not_audited(f"{len(skipped)} of {len(packages)} packages: {skipped[0]['skip_reason']}")
    if found:
        say(f"{len(found)} known vulnerabilities: `make constraints UPGRADE=--upgrade`")
        return 1
    sys.stdout.write(f"No known vulnerability in {len(packages) - len(skipped)} packages.\n")
    return 0


def install() -> str | None:
    """Return the program in an environment of its own; None where it cannot be installed."""
    folder = ENVIRONMENT / ("Scripts" if sys.platform == "win32" else "bin")
    program = folder / "pip-audit"
    if not program.exists():
        made = run([sys.executable, "-m", "venv", str(ENVIRONMENT)])
        pip = [str(folder / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "pip-audit"]
        made = run(pip) if made.returncode == 0 else made
        if made.returncode != 0:
            not_audited(f"pip-audit cannot be installed: {last_line(made.stderr)}")
            return None
    return str(program)


def not_audited(why: str) -> int:
    """Say in a way that is noticed that something was not looked at."""
    say(f"NOT AUDITED: {why}")
    return 0


def say(text: str) -> None:
    """Write a line to stderr."""
    sys.stderr.write(f"{text}\n")


def last_line(text: str) -> str:
    """Return the last line that says something."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no reason given")[:300]


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Return what a program wrote; one that is not there has failed."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)  # noqa: S603 - our own
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", f"{error}")


if __name__ == "__main__":
    sys.exit(main())
