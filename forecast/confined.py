"""Paths that a spec names: a workspace that somebody sent must not reach files outside of its folder."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated

from pydantic import AfterValidator, Field

from forecast.errors import InputError
from forecast.plain_text import one_line

FOLLOW = "FORECAST_FOLLOW_LINKS"
"""Variable of the environment, "1" for a user who has linked folders of a workspace to other places on purpose."""
_COPY = "copy the file or folder into the workspace"


def path_text(text: str) -> str:
    """Return a path that leads below a folder by its letters; links are for `path_below` to judge.

    Raises
    ------
    ValueError
        If it is absolute, goes up, or ends in a hidden file.

    Examples
    --------
    >>> path_text("data/counts.csv")
    'data/counts.csv'
    >>> path_text("../counts.csv")
    Traceback (most recent call last):
    ...
    ValueError: path '../counts.csv' leads out of the workspace
    """
    parts = PurePosixPath(text.replace("\\", "/"))
    if not text or parts.is_absolute() or ".." in parts.parts or PureWindowsPath(text).drive or "\x00" in text:
        raise ValueError(f"path {text!r} leads out of the workspace")
    if parts.name.startswith(".") or not parts.name:
        raise ValueError(f"path {text!r} is that of a hidden file or of no file")
    return text


def folder_name(text: str) -> str:
    """Return a name that can be that of one folder: neither hidden nor a path.

    Raises
    ------
    ValueError
        If it is not.

    Examples
    --------
    >>> folder_name("west-africa-weekly")
    'west-africa-weekly'
    """
    if not text or text.startswith(".") or {"/", "\\", ":"} & {*text} or one_line(text) != text:
        raise ValueError(f"{text!r} is not the name of a folder")
    return text


BelowPath = Annotated[str, Field(min_length=1), AfterValidator(path_text)]
FolderName = Annotated[str, Field(min_length=1), AfterValidator(folder_name)]


def path_below(root: Path, text: str, *, where: str) -> Path:
    """Return the path that a spec names, below a folder also after its links are followed.

    Parameters
    ----------
    root : Path
        Of the workspace.
    text : str
    where : str
        The key that names it, for messages.

    Raises
    ------
    InputError
        If it leads out of the folder; by its links, only unless `FOLLOW` is set.
    """
    try:
        path = root / path_text(text)
    except ValueError as error:
        raise InputError(str(error), where=where, expected="a path below it", hint=_COPY) from None
    if os.environ.get(FOLLOW) != "1" and not path.resolve().is_relative_to(root.resolve()):
        hint = f"{_COPY}; if it is a link of yours, set {FOLLOW}=1"
        raise InputError(f"{text!r} leads out of the workspace", where=where, expected="a path below it", hint=hint)
    return path
