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
    """List the models of the catalogue and the combined one, or tell what one of them assumes and how it is set.

    \b
    Examples:
      forecast models
      forecast models discount-negbin
    """
    from forecast.evaluation.combined import combined_spec
    from forecast.families.model import choose_models

    chosen = open_chosen(workspace)
    combination, headline = chosen.spec.combination, chosen.spec.models.headline
    # The combined model is no file of the catalogue: it has the settings of [combination].
    combined = combined_spec(combination) if combination else None
    listed = {**chosen.catalogue, **({combined.name: combined} if combined else {})}
    use = {*chosen.spec.models.use, *([combined.name] if combined else [])}
    if name is None:
        rows = [
            {
                "name": model.name,
                "title": model.title,
                "family": model.family,
                "in_use": model.name in use,
                "headline": model.name == headline,
            }
            for model in listed.values()
        ]
        if json:
            result_json({"models": rows})
            return
        role = {model: "headline" if model == headline else "yes" for model in use}
        shown = [(model.name, model.title, model.family, role.get(model.name, "")) for model in listed.values()]
        show_table(("name", "title", "family", "in use"), shown, left=4)
        return
    (model,) = choose_models(listed, [name], where="models/")
    spec: dict[str, Any] = model.model_dump(mode="json")
    facts = [("family", model.family)]
    if combination and model is combined:
        spec["settings"] = combination.model_dump(mode="json", exclude={"name", "title"})
        given = combination.model_fields_set
    else:
        spec["settings"], given = model.build().model_dump(mode="json"), {*model.settings}
        facts += [("fit on", model.fit_on or "the data itself")]
        facts += [("weeks in the fit", "all" if model.window_weeks is None else str(model.window_weeks))]
    if json:
        result_json(spec | {"in_use": name in use, "headline": name == headline})
        return
    result(f"{model.name}: {model.title}\n")
    result(textwrap.fill(model.method.strip(), 100))
    facts += [(key, _value(value, given=key in given)) for key, value in spec["settings"].items()]
    show_table(("setting", "value"), facts, left=2)


def _value(value: Any, *, given: bool) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else f"{value}"
    return text if given else f"{text} (default)"
