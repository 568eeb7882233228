"""A published report copied into a folder that others look into, whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

from forecast.delivery.outcome import NotDeliveredError
from forecast.delivery.record import Delivery
from forecast.delivery.targets import FolderTarget
from forecast.errors import InputError
from forecast.storage import folder_in_progress


def copy_to_folder(published: Path, place: Path, delivery: Delivery, target: FolderTarget) -> Path:
    """Copy a published run to ``<place>/<report>/<origin>/``; return that folder.

    Parameters
    ----------
    published : Path
        The folder of the run.
    place : Path
    delivery : Delivery
    target : FolderTarget

    Raises
    ------
    NotDeliveredError
        If it cannot be written, lies where the results are, or lacks a file that is asked for.
    """
    goal = place / delivery.report / delivery.origin
    results = published.resolve().parent.parent
    if goal.resolve().is_relative_to(results) or results.is_relative_to(goal.resolve()):
        raise NotDeliveredError(f"{place} is where the results are\n  expected: another folder")
    names = target.files or tuple(sorted(path.name for path in published.iterdir() if path.is_file()))
    missing = [name for name in names if not (published / name).is_file()]
    if missing:
        raise NotDeliveredError(f"the report has no file {missing[0]} to copy")
    try:
        with folder_in_progress(goal) as work:
            for name in names:
                shutil.copyfile(published / name, work / name)
    except InputError as error:
        raise NotDeliveredError(str(error)) from None
    except OSError as error:
        raise NotDeliveredError(f"cannot copy to {place}: {error.strerror}") from None
    return goal
