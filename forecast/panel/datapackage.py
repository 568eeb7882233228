"""The description of a dataset, ``datapackage.json`` (Frictionless), and its files, read only if unchanged."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from forecast.config import check_plain, parse
from forecast.errors import InputError, unknown_name
from forecast.events.packed_file import unpacked
from forecast.panel.weeks import WeekStart

PACKAGE_NAME = "datapackage.json"


class _Part(BaseModel):
    """A part of ``datapackage.json``; the standard lets anybody add keys, so that others are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class WeeksSpec(_Part):
    """First days of the first and the last week, and the day on which weeks start."""

    start_day: WeekStart
    first: dt.date
    last: dt.date


class LicenceSpec(_Part):
    """A licence of the data."""

    name: str = ""
    title: str = ""


class ConstraintsSpec(_Part):
    """What the values of a column may be."""

    enum: tuple[int | float | str, ...] = ()


class FieldSpec(_Part):
    """A column of a table."""

    name: str
    constraints: ConstraintsSpec = ConstraintsSpec()


class SchemaSpec(_Part):
    """The columns of a table."""

    fields: tuple[FieldSpec, ...] = ()


class ResourceSpec(_Part):
    """A file of the set."""

    name: str
    path: str
    hash: str
    compression: str | None = None
    table_schema: SchemaSpec = Field(default=SchemaSpec(), alias="schema")

    def allowed(self, column: str) -> list[int]:
        """Return the whole numbers that the schema lists for a column; empty if it lists none."""
        listed = [
            value for field in self.table_schema.fields if field.name == column for value in field.constraints.enum
        ]
        return [value for value in listed if isinstance(value, int)]


class PackageSpec(_Part):
    """What ``datapackage.json`` says of the whole set."""

    title: str
    description: str = ""
    vintage: str = ""
    weeks: WeeksSpec
    complete: bool
    known_until: dt.date
    measures: tuple[str, ...] = Field(min_length=1)
    default_measure: str
    preliminary: bool = False
    simulated: bool = False
    limits: tuple[str, ...] = ()
    left_out: dict[str, int] = {}
    corrections: tuple[dict[str, Any], ...] = ()
    licenses: tuple[LicenceSpec, ...] = ()
    attribution: tuple[str, ...] = ()
    resources: tuple[ResourceSpec, ...] = Field(min_length=1)


def read_package(folder: Path) -> PackageSpec:
    """Read the description of the dataset in a folder.

    Raises
    ------
    InputError
        If there is none, or it is wrong or contradicts itself.
    """
    where = f"{folder.name}/{PACKAGE_NAME}"
    spec = parse(PackageSpec, _read_json(folder / PACKAGE_NAME), where=where)
    if spec.known_until < spec.weeks.last + dt.timedelta(days=6):
        raise InputError(
            f"the last week, of {spec.weeks.last}, is not over at known_until, {spec.known_until}",
            where=where,
            expected="weeks that are over",
        )
    if spec.default_measure not in spec.measures:
        raise unknown_name("default_measure", spec.default_measure, spec.measures, where=where)
    return spec


def read_resource(folder: Path, resource: ResourceSpec) -> bytes:
    """Return a file's bytes, unpacked: the very bytes whose hash was compared.

    Raises
    ------
    InputError
        If the file is missing, lies outside the folder, or is not what the description says.
    """
    where = f"{folder.name}/{resource.path}"
    root = folder.resolve()
    path = (root / resource.path.replace("\x00", "")).resolve()
    if not path.is_relative_to(root) or "\\" in resource.path or "\x00" in resource.path:
        raise InputError(
            f"resource {resource.name!r} has the path {resource.path!r}, outside the dataset",
            where=f"{folder.name}/{PACKAGE_NAME}",
            expected="a path below the folder",
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read: {error.strerror}", where=where, hint="copy the dataset again, with all of its files"
        ) from None
    found = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if found != resource.hash:
        raise InputError(
            f"the file was changed: its hash is {found}",
            where=where,
            expected=resource.hash,
            hint="restore the file; for counts of your own make a new dataset, or use a table (`[data] table`)",
        )
    if resource.compression is None:
        return content
    return unpacked(content, where)


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(
            f"no file {path.name}",
            where=str(path.parent),
            expected="a folder with a dataset",
            hint="`forecast init DIR`",
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid JSON: {error}", where=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", where=str(path)) from None
    if not isinstance(content, dict):
        raise InputError("not a JSON object", where=str(path))
    check_plain(content, where=str(path))
    return content
