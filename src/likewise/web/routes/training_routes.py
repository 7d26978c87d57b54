"""Routes of trainings and of all runs: learning curves, and the leaderboard."""

from typing import Any

import numpy as np
import polars as pl
from starlette.responses import Response

import likewise
from likewise.errors import DataError
from likewise.web import parameters
from likewise.web.answers import bad_request, json_answer
from likewise.web.requests import Call

MOST_MODELS = 20
POINTS = 800
"""Default number of points of a curve; of each interval, its lowest and highest values."""


def training(call: Call) -> Response:
    """Answer the learning curves of models; by default of all models."""
    names = [name for name in parameters.texts(call.query, "model") if name]
    most = parameters.number(call.query, "points", POINTS, 10, 10_000)
    if len(names) > MOST_MODELS:
        raise bad_request(f"model: {len(names)} are given; at most {MOST_MODELS} are drawn")
    workspace = call.site.workspace
    listed = likewise.list_models(workspace=workspace)
    trainings = likewise.trainings(names, workspace=workspace)
    content = {
        "known": [model.name for model in listed if model.learns],
        "trainings": [_described(one, most) for one in trainings[:MOST_MODELS]],
        "left_out": max(0, len(trainings) - MOST_MODELS),
    }
    return json_answer(content)


def _described(one: "likewise.Training", most: int) -> dict[str, Any]:
    curves = one.values.partition_by("metric", maintain_order=True)
    return {
        "name": f"{one.model}@{one.rev}" if one.rev else one.model,
        "model": one.model,
        "rev": one.rev,
        "key": one.key,
        "state": one.state,
        "kept_epoch": one.kept_epoch,
        "kept_step": one.kept_step,
        "facts": one.facts,
        "last": one.last,
        "curves": [_curve(curve, most) for curve in curves],
    }


def _curve(curve: pl.DataFrame, most: int) -> dict[str, Any]:
    """Return the steps and values of a metric, at most about ``most`` of them."""
    steps, values = curve["step"].to_numpy(), curve["value"].to_numpy()
    kept = _extremes(values, most) if len(values) > most else np.arange(len(values))
    return {
        "metric": curve["metric"][0],
        "values": len(values),
        "step": steps[kept].tolist(),
        "value": values[kept].tolist(),
    }


def _extremes(values: "np.typing.NDArray[np.float64]", most: int) -> Any:
    """Return the places of the lowest and highest value of every interval, and of the ends."""
    ends = np.linspace(0, len(values), most // 2 + 1).astype(np.int64)
    kept = {0, len(values) - 1}
    for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        part = values[start:end]
        if np.isfinite(part).any():
            kept |= {start + int(np.nanargmin(part)), start + int(np.nanargmax(part))}
    return np.array(sorted(kept))


def leaderboard(call: Call) -> Response:
    """Answer the boards of all runs: one per protocol, with intervals, ranks and ties."""
    published = parameters.choice(call.query, "published", ("no", "yes")) == "yes"
    try:
        made = likewise.leaderboard(published=published, workspace=call.site.workspace)
    except DataError as error:  # there is no run
        return json_answer({"boards": [], "left_out": [], "note": str(error)})
    content = {
        "boards": [_board(board) for board in made.boards],
        "left_out": made.left_out,
        "published": published,
    }
    return json_answer(content)


def _board(board: "likewise.Board") -> dict[str, Any]:
    decimals = board.protocol.get("decimals", 4)
    return {
        "title": board.title,
        "protocol": board.protocol["name"],
        "metric": board.metric,
        "decimals": decimals,
        "datasets": board.datasets,
        "entries": [_entry(entry) for entry in board.entries],
        "published": board.published,
        "sources": board.sources,
        "notes": board.notes,
    }


def _entry(entry: "likewise.BoardEntry") -> dict[str, Any]:
    return {
        "name": entry.name,
        "model": entry.model,
        "mean_rank": entry.mean_rank,
        "dim": entry.dim,
        "images_per_s": entry.images_per_s,
        "cells": entry.cells,
    }
