"""``forecast export``: runs in the formats of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from forecast.cli.options import JsonOption, WorkspaceOption, day, names, open_chosen
from forecast.cli.output import result, result_json, say
from forecast.errors import InputError


def export(
    format: Annotated[  # noqa: A002 - the name of the option
        Literal["hub", "views", "hdx"],
        typer.Option("--format", help="A forecast hub; samples of the ViEWS challenge; CSV with HXL tags."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="An earlier export there is replaced.  [default: out/exports/FORMAT]"),
    ] = None,
    origin: Annotated[
        str | None, typer.Option(metavar="DATE", help="The run from this origin (YYYY-MM-DD).  [default: the newest]")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All runs of the report.")] = False,
    report: Annotated[
        str | None, typer.Option(metavar="NAME", help="A report.  [default: the workspace's own]")
    ] = None,
    units: Annotated[
        Literal["regions", "places"], typer.Option(help="Places overlap regions, so they are exported by themselves.")
    ] = "regions",
    types: Annotated[
        str, typer.Option(metavar="A,B", help="Of a hub: quantile, pmf, cdf, sample.")
    ] = "quantile,sample",
    draws: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Sample paths.  [default: 100 in a hub, 1000 for ViEWS]")
    ] = None,
    file_format: Annotated[
        Literal["csv", "parquet"] | None,
        typer.Option(help="Of forecasts.  [default: csv in a hub, parquet for ViEWS]", show_default=False),
    ] = None,
    team: Annotated[
        str, typer.Option(metavar="ABBR", help="Of a hub: who forecasts, at most 16 letters, digits, underscores.")
    ] = "escalation",
    licence: Annotated[
        str, typer.Option(help="Of a hub: the licence of the forecasts, as hubs write it.")
    ] = "cc-by-4.0",
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Write a published run in a format of others: the whole forecast of the headline model.

    hub: model output, configuration, metadata and target data of a Hubverse hub; weeks end on Friday unless
    forecast.toml says otherwise. views: samples of months per country or PRIO-GRID cell; weeks in two months are split.
    hdx: risks and weekly forecasts with a row of HXL tags.

    \b
    Examples:
      forecast export --format hub --out hub
      forecast export --format hub --types quantile,pmf,cdf,sample --file-format parquet --all
      forecast export --format views --origin 2026-08-01
      forecast export --format hdx --units places
    """
    from forecast.config import parse
    from forecast.exchange.hub_config import HubTeam
    from forecast.exchange.hub_rows import OUTPUT_TYPES, check_types
    from forecast.jobs.export import ExportSettings
    from forecast.jobs.export import export as write

    if origin is not None and every:
        raise InputError("--origin and --all", expected="one of them")
    chosen = names(types)
    check_types(chosen)
    settings = ExportSettings(
        format=format,
        kind="place" if units == "places" else "region",
        types=tuple(kind for kind in OUTPUT_TYPES if kind in chosen),
        draws=draws,
        file_format=file_format,
        team=parse(HubTeam, {"abbreviation": team, "licence": licence}, where="--team, --licence"),
    )
    done = write(open_chosen(workspace), settings, out, origin=day(origin, "--origin"), every=every, report=report)
    if json:
        result_json({"folder": str(done.folder), "origins": done.origins, "files": done.files})
        return
    say(
        f"{len(done.files)} files of {'the run' if len(done.origins) == 1 else f'{len(done.origins)} runs'} from "
        f"{', '.join(done.origins[:3])}{' ...' if len(done.origins) > 3 else ''}"
    )
    result(str(done.folder))
