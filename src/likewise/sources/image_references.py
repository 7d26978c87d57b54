"""Match image names in annotations with the images that exist.

Matching is done in columns, with one join per folder depth, so millions of names stay fast.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import polars as pl

from likewise.sources.reference_ends import folded, match_longer

_MAX_COMPONENTS = 32
"""References with more path components than this are never matched."""


_MATCH_COLUMNS = dict.fromkeys(("reference", "path"), pl.String)

_NOTE_COLUMNS = dict.fromkeys(("reference", "check", "detail"), pl.String)

_Lookup = Callable[[pl.DataFrame], pl.DataFrame]
"""A way to match: unmatched references -> all their matches (reference, path)."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Result of ``match_references``; each distinct reference is matched or unmatched.

    Attributes:
        matched: ``reference``, ``path``.
        unmatched: ``reference``, ``check`` (``ambiguous-image`` or ``dangling``), ``detail``.
        notes: columns of ``unmatched``: matched references that only the file name supports.
    """

    matched: pl.DataFrame
    unmatched: pl.DataFrame
    notes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_NOTE_COLUMNS))

    @property
    def findings(self) -> pl.DataFrame:
        """``unmatched`` and ``notes``."""
        return pl.concat([self.unmatched, self.notes])


def match_references(
    references: pl.Series,
    paths: pl.Series,
    *,
    folders: Sequence[str] = (),
    top: Path | None = None,
    stems: bool = False,
    longer: bool = True,
) -> Matches:
    r"""Find the image of each reference.

    A reference matches the first of these that exists:

    1. the identical path;
    2. that path relative to the top, or to one of ``folders``;
    3. the path below ``top``, if the reference contains the name of ``top`` as a folder;
    4. the only path that ends in it (``a.jpg`` matches ``images/a.jpg``);
    5. the only path that ends in it when case is ignored, as on Windows and macOS;
    6. the same with ``%20`` and other escapes of URLs replaced, and in one form of Unicode;
    7. the path that is the end of a longer reference, such as ``/home/me/images/a.jpg``;
    8. the only path with the longest common end, which is at least the file name.

    ``\`` is treated as ``/``. Label files (``stems``) are not matched by rules 7 and 8. A match
    by the file name alone is refused if the image has another reference or is in another split,
    and ``notes`` lists it.

    Args:
        references: names from annotation files; nulls are dropped.
        paths: paths of all images.
        folders: folders that references may be relative to, the most likely first.
        top: folder or archive that contains ``paths``.
        stems: ignore the suffix of ``paths``, for label files named after their image.
        longer: use rules 7 and 8.
    """
    wanted = pl.DataFrame({"reference": references.drop_nulls().unique(maintain_order=True)})
    known = pl.DataFrame({"path": paths}).with_columns(key="path")
    if stems:
        known = known.with_columns(key=_without_suffix(pl.col("path")))
    hits = [_same_path(wanted.with_columns(key="reference"), known, "")]
    rest = wanted.join(hits[0], on="reference", how="anti", maintain_order="left")
    rest = rest.with_columns(key=_normalised(pl.col("reference")))
    lookups: list[_Lookup] = [
        partial(_same_path, known=known, folder=folder)
        for folder in dict.fromkeys(("", *folders))
    ]
    if top is not None:
        lookups.append(lambda rest: _same_path(_relative_to_top(rest, top), known, ""))
    lookups += [partial(_same_ending, known=known, lower=lower) for lower in (False, True)]
    lookups.append(partial(_same_when_folded, known=known))
    for lookup in lookups:
        if rest.is_empty():  # the usual case after no or one lookup
            break
        hits.append(lookup(rest))
        rest = rest.join(hits[-1], on="reference", how="anti", maintain_order="left")
    notes = pl.DataFrame(schema=_NOTE_COLUMNS)
    if len(rest) and longer and not stems:
        by_end, notes = match_longer(rest, known, pl.concat(hits)["path"])
        hits.append(by_end)
        rest = rest.join(by_end, on="reference", how="anti", maintain_order="left")
    candidates = pl.concat([pl.DataFrame(schema=_MATCH_COLUMNS), *hits])
    unmatched = []
    if len(candidates) + len(rest) > len(wanted):
        is_ambiguous = candidates["reference"].is_duplicated()
        unmatched.append(_ambiguous(candidates.filter(is_ambiguous)))
        candidates = candidates.filter(~is_ambiguous)
    if len(rest):
        unmatched.append(_missing(rest, known))
    return Matches(
        candidates, pl.concat([pl.DataFrame(schema=_NOTE_COLUMNS), *unmatched]), notes
    )


def _normalised(reference: pl.Expr) -> pl.Expr:
    """Use '/' as the only separator, and remove empty and '.' components."""
    slashed = reference.str.replace_all("\\", "/", literal=True).str.replace_all("/+", "/")
    return slashed.str.replace_all(r"(^|/)(?:\./)+", "$1")


def _without_suffix(path: pl.Expr) -> pl.Expr:
    return path.str.replace(r"\.[^./]*\z", "")


def _same_path(wanted: pl.DataFrame, known: pl.DataFrame, folder: str) -> pl.DataFrame:
    prefix = pl.lit(f"{folder.rstrip('/')}/" if folder.strip("/") else "")
    keyed = wanted.with_columns(key=prefix + pl.col("key"))
    return keyed.join(known, on="key", maintain_order="left").select("reference", "path")


def _relative_to_top(wanted: pl.DataFrame, top: Path) -> pl.DataFrame:
    """Keep references that contain the name of ``top`` as a folder, as paths below it."""
    name = re.escape(top.name.split(".")[0] or top.name)
    inside = pl.col("key").str.extract(rf"(?s)\A(?:.*/)?{name}/(.*)\z")
    return wanted.with_columns(key=inside).drop_nulls("key")


def _same_ending(wanted: pl.DataFrame, known: pl.DataFrame, *, lower: bool) -> pl.DataFrame:
    """Return each reference with all paths that end in it, with one join per depth."""
    case = pl.col("key").str.to_lowercase() if lower else pl.col("key")
    keyed = wanted.with_columns(key=case)
    depths = keyed.select(depth=pl.col("key").str.count_matches("/")).to_series()
    hits = [pl.DataFrame(schema=_MATCH_COLUMNS)]
    for depth in depths.unique().sort():
        if depth >= _MAX_COMPONENTS:
            continue
        ending = pl.col("key").str.extract(rf"(?s)((?:[^/]*/){{{depth}}}[^/]*)\z")
        endings = known.with_columns(key=case).with_columns(key=ending)
        of_depth = keyed.filter(depths == depth)
        joined = of_depth.join(endings, on="key", maintain_order="left")
        hits.append(joined.select(hits[0].columns))
    return pl.concat(hits)


def _same_when_folded(wanted: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Like ``_same_ending`` for names in one spelling; see ``reference_ends.folded``."""
    plain = wanted.with_columns(key=folded(wanted["key"]))
    plain_known = known.with_columns(key=folded(known["key"]))
    same = _same_path(plain, plain_known, "")
    rest = plain.join(same, on="reference", how="anti", maintain_order="left")
    return pl.concat([same, _same_ending(rest, plain_known, lower=False)])


def _ambiguous(candidates: pl.DataFrame) -> pl.DataFrame:
    counts = candidates.group_by("reference", maintain_order=True).agg(
        pl.col("path").sort().first(), pl.len()
    )
    detail = pl.format("it could mean {} images, {} among them", "len", "path")
    return counts.select("reference", check=pl.lit("ambiguous-image"), detail=detail)


def _missing(wanted: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """References without a match, with an existing path of the same stem in the detail."""

    def stem(name: str) -> pl.Expr:
        return _without_suffix(pl.col(name)).str.extract(r"([^/]*)\z").str.to_lowercase()

    existing = known.select("path", stem=stem("path")).unique("stem", keep="first")
    similar = wanted.with_columns(stem=stem("key")).join(
        existing, on="stem", how="left", maintain_order="left"
    )
    detail = pl.concat_str(
        pl.lit("no such image"), pl.format("; there is {}", "path").fill_null("")
    )
    return similar.select("reference", check=pl.lit("dangling"), detail=detail)
