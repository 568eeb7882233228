"""Where the reference workspace is: Mali, Burkina Faso, Niger and places near Bamako."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from forecast.errors import ForecastError
from forecast.workspace import CONFIG_NAME

PACKAGED = "reference_workspace"
"""Folder within the installed package; ``pyproject.toml`` maps the content of the checkout to it."""


def reference_workspace() -> Path:
    """Return the folder of the reference workspace.

    The wheel carries it within the package. In a source checkout it is the checkout itself. Either way it may be
    shared or read-only: results do not belong into it unless it is the current folder.

    Raises
    ------
    ForecastError
        If the installation lacks it.
    """
    return _workspace_of(Path(str(files("forecast"))))


def _workspace_of(package: Path) -> Path:
    """Return the workspace that belongs to a package folder."""
    for folder in (package / PACKAGED, package.parent):
        if (folder / CONFIG_NAME).is_file():
            return folder
    raise ForecastError(
        f"this installation has no reference workspace\n  where: {package}\n"
        "  try: install escalation-forecast again, or `forecast init DIR` for a workspace of your own"
    )
