"""Which image an annotation means: names as people write them, against the names that are.

Everything is done in columns, a join a depth of folders: millions of names stay cheap.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

_DEEPEST = 32
"""Components of a reference that are looked at; a deeper path than that is nobody's."""


_HITS = dict.fromkeys(("reference", "path"), pl.String)

_Way = Callable[[pl.DataFrame], pl.DataFrame]
"""A way to find references: those that are left -> the paths that each may mean."""


@dataclass(frozen=True, slots=True)
class Matches:
    """What references mean: ``found`` (reference, path), ``faults`` (reference, check, detail).

    Every distinct reference stands in exactly one of the two.
    """

    found: pl.DataFrame
    faults: pl.DataFrame


def match(
    references: pl.Series,
    paths: pl.Series,
    *,
    folders: Sequence[str] = (),
    top: Path | None = None,
    stems: bool = False,
) -> Matches:
    r"""The image that each of the ``references`` means.

    A reference means the path that it is, from the top or from one of the ``folders``, or from
    anywhere above the top's folder, whose name it then has in it; else the one path that ends
    in it (``a.jpg`` means ``images/a.jpg``); else the one path that ends in it where upper and
    lower case are the same, as Windows and macOS have it. ``\`` is ``/``.

    Args:
        references: names from annotation files; nulls are left out.
        paths: every image there is.
        folders: folders that names may be relative to, the likeliest first.
        top: the folder or archive that ``paths`` are in.
        stems: compare without the suffix: a label file means the image of its name.
    """
    asked = pl.DataFrame({"reference": references.drop_nulls().unique(maintain_order=True)})
    asked = asked.with_columns(key=_plain(pl.col("reference")))
    known = pl.DataFrame({"path": paths}).with_columns(key="path")
    if stems:
        known = known.with_columns(key=_stem(pl.col("path")))
    exactly: list[_Way] = [lambda rest: _exact(rest.with_columns(key="reference"), known, "")]
    exactly += [partial(_exact, known=known, folder=f) for f in dict.fromkeys(("", *folders))]
    if top is not None:
        exactly.append(lambda rest: _exact(_below(rest, top), known, ""))
    nearly: list[_Way] = [partial(_tails, known=known, lower=lower) for lower in (False, True)]
    hits, rest = [], asked
    for way in (*exactly, *nearly):
        if rest.is_empty():  # as it should be soon: millions of names are not looked through
            break
        hits.append(way(rest))
        rest = rest.join(hits[-1], on="reference", how="anti", maintain_order="left")
    every = pl.concat([pl.DataFrame(schema=_HITS), *hits])
    twice = pl.col("reference").is_duplicated()
    faults = [_ambiguous(every.filter(twice))]
    if len(rest):
        faults.append(_dangling(rest, known))
    return Matches(every.filter(~twice), pl.concat(faults))


def _plain(reference: pl.Expr) -> pl.Expr:
    """A reference with '/' between components, and without the ones that mean nothing."""
    slashed = reference.str.replace_all("\\", "/", literal=True).str.replace_all("/+", "/")
    return slashed.str.replace_all(r"(^|/)(?:\./)+", "$1")


def _stem(path: pl.Expr) -> pl.Expr:
    return path.str.replace(r"\.[^./]*\z", "")


def _exact(asked: pl.DataFrame, known: pl.DataFrame, folder: str) -> pl.DataFrame:
    place = pl.lit(f"{folder.rstrip('/')}/" if folder.strip("/") else "")
    wanted = asked.with_columns(key=place + pl.col("key"))
    return wanted.join(known, on="key", maintain_order="left").select("reference", "path")


def _below(asked: pl.DataFrame, top: Path) -> pl.DataFrame:
    """The references that have the name of ``top`` as a folder, as they go on below it."""
    name = re.escape(top.name.split(".")[0] or top.name)
    inside = pl.col("key").str.extract(rf"(?s)\A(?:.*/)?{name}/(.*)\z")
    return asked.with_columns(key=inside).drop_nulls("key")


def _tails(asked: pl.DataFrame, known: pl.DataFrame, *, lower: bool) -> pl.DataFrame:
    """Each reference with every path that ends in it, a join a number of components."""
    case = pl.col("key").str.to_lowercase() if lower else pl.col("key")
    wanted = asked.with_columns(key=case)
    depths = wanted.select(depth=pl.col("key").str.count_matches("/")).to_series()
    hits = [pl.DataFrame(schema=_HITS)]
    for depth in depths.unique().sort():
        if depth >= _DEEPEST:
            continue
        tail = pl.col("key").str.extract(rf"(?s)((?:[^/]*/){{{depth}}}[^/]*)\z")
        ends = known.with_columns(key=case).with_columns(key=tail)
        here = wanted.filter(depths == depth)
        hits.append(here.join(ends, on="key", maintain_order="left").select(hits[0].columns))
    return pl.concat(hits)


def _ambiguous(hits: pl.DataFrame) -> pl.DataFrame:
    named = hits.group_by("reference", maintain_order=True).agg(
        pl.col("path").sort().first(), pl.len()
    )
    detail = pl.format("it could mean {} images, {} among them", "len", "path")
    return named.select("reference", check=pl.lit("ambiguous-image"), detail=detail)


def _dangling(asked: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """What is not there, with the path of the nearest name that is."""

    def near(name: str) -> pl.Expr:
        return _stem(pl.col(name)).str.extract(r"([^/]*)\z").str.to_lowercase()

    there = known.select("path", near=near("path")).unique("near", keep="first")
    told = asked.with_columns(near=near("key")).join(
        there, on="near", how="left", maintain_order="left"
    )
    detail = pl.concat_str(
        pl.lit("no such image"), pl.format("; there is {}", "path").fill_null("")
    )
    return told.select("reference", check=pl.lit("dangling"), detail=detail)
