"""The page of the Python interface, from the names that `import forecast as fc` offers."""

from __future__ import annotations

from inspect import isclass, isfunction, ismodule

import forecast


def python_interface() -> str:
    """Return the page: what each public name is, its parameters and its examples, as its docstring says it."""
    parts = [
        "# Python\n",
        "Written from the docstrings at each build; `help(fc.load)` says the same. "
        "What `import forecast as fc` offers:\n",
    ]
    for name, kind in _groups().items():
        parts += [f"## {name}\n", *(f"::: {place}\n" for place in kind)]
    return "\n".join(parts)


def _groups() -> dict[str, list[str]]:
    """Return the places of public names by what they are."""
    found: dict[str, list[str]] = {}
    for name in forecast.__all__:
        value = getattr(forecast, name)
        if ismodule(value):
            inner = [getattr(value, each) for each in getattr(value, "__all__", ())]
            found[f"Module {value.__name__}"] = [_place(each) for each in inner if isclass(each) or isfunction(each)]
        elif isclass(value) and issubclass(value, Exception):
            found.setdefault("Errors", []).append(_place(value))
        elif isclass(value):
            found.setdefault("Classes", []).append(_place(value))
        elif isfunction(value):
            found.setdefault("Functions", []).append(_place(value))
    first = {name: found.pop(name) for name in ("Functions", "Classes")}
    return first | found


def _place(value: object) -> str:
    return f"{value.__module__}.{value.__qualname__}"  # type: ignore[attr-defined]
