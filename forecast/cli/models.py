"""``forecast models``: the catalogue."""

from __future__ import annotations

import textwrap
from typing import Annotated, Any

import typer

from forecast.cli.options import JsonOption, WorkspaceOption, open_chosen
from forecast.cli.output import result, result_json, show_table


def models(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One model.", show_default=False)] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """List the models of the catalogue, or tell what one of them assumes and how it is set.

    \b
    Examples:
      forecast models
      forecast models discount-negbin
    """
    from forecast.families.model import choose_models

    chosen = open_chosen(workspace)
    use, headline = chosen.spec.models.use, chosen.spec.models.headline
    if name is None:
        rows = [
            {
                "name": model.name,
                "title": model.title,
                "family": model.family,
                "in_use": model.name in use,
                "headline": model.name == headline,
            }
            for model in chosen.catalogue.values()
        ]
        if json:
            result_json({"models": rows})
            return
        listed = chosen.catalogue.values()
        role = {model: "headline" if model == headline else "yes" for model in use}
        shown = [(model.name, model.title, model.family, role.get(model.name, "")) for model in listed]
        show_table(("name", "title", "family", "in use"), shown, left=4)
        return
    (model,) = choose_models(chosen.catalogue, [name], where="models/")
    spec: dict[str, Any] = model.model_dump(mode="json")
    spec["settings"] = model.build().model_dump(mode="json")
    if json:
        result_json(spec | {"in_use": name in use, "headline": name == headline})
        return
    result(f"{model.name}: {model.title}\n")
    result(textwrap.fill(model.method.strip(), 100))
    facts = [("family", model.family), ("fit on", model.fit_on or "the data itself")]
    facts += [("weeks in the fit", "all" if model.window_weeks is None else str(model.window_weeks))]
    facts += [(key, _value(value, given=key in model.settings)) for key, value in spec["settings"].items()]
    show_table(("setting", "value"), facts, left=2)


def _value(value: Any, *, given: bool) -> str:
    return f"{value}" if given else f"{value} (default)"
