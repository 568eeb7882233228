"""Reading TOML into checked specs; unknown keys are errors that name the nearest known key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from forecast.errors import InputError, nearest_names

Spec = TypeVar("Spec", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file's content.

    Raises
    ------
    InputError
        If the file is missing, is not UTF-8 or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"no file {path.name}", where=str(path.parent), hint="`forecast init DIR`") from None
    except UnicodeDecodeError as error:
        raise InputError("the file is not UTF-8 text", where=f"{path} byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not valid TOML: {error}", where=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", where=str(path)) from None


def parse(spec: type[Spec], content: object, *, where: str) -> Spec:
    """Return `content` as a checked spec.

    Raises
    ------
    InputError
        One message for all that is wrong, each with its key.
    """
    try:
        return spec.model_validate(content)
    except ValidationError as error:
        problems = [_problem(spec, item) for item in error.errors()]
    first, *more = problems
    raise InputError("; ".join([first[0], *(text for text, _ in more)]), where=where, expected=first[1])


def _problem(spec: type[BaseModel], item: Any) -> tuple[str, str]:
    """Return what is wrong with one key, and what was expected."""
    path = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        known = _keys_at(spec, item["loc"][:-1])
        near = nearest_names(str(item["loc"][-1]), known, count=1)
        offered = f"did you mean {near[0]!r}? " if near else ""
        return f"unknown key {path!r}", f"{offered}known keys: {', '.join(sorted(known))}"
    if item["type"] == "missing":
        return f"key {path!r} is missing", ""
    return f"{path} = {item['input']!r}: {item['msg']}", ""


def _keys_at(spec: type[BaseModel], location: tuple[int | str, ...]) -> set[str]:
    """Return the keys known at a place within a spec, following fields, lists and tagged unions."""
    from typing import get_args  # noqa: PLC0415

    def models_in(annotation: Any) -> list[type[BaseModel]]:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return [annotation]
        return [model for part in get_args(annotation) for model in models_in(part)]

    level: list[type[BaseModel]] = [spec]
    for part in location:
        if isinstance(part, int):
            continue
        fields = [model.model_fields[part] for model in level if part in model.model_fields]
        if fields:
            level = [model for field in fields for model in models_in(field.annotation)]
        else:  # the tag of a union: the member whose `rule` or other tag has this value
            level = [
                model for model in level if any(part in get_args(f.annotation) for f in model.model_fields.values())
            ]
    return {field.alias or name for model in level for name, field in model.model_fields.items()}
