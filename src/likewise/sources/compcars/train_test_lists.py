"""CompCars' lists of images for training, testing and verification."""

import polars as pl

from likewise.sources.annotation_files import AnnotationFilesWithFallback
from likewise.sources.base import findings_about, findings_from_rows
from likewise.sources.list_files import drop_repeated, missing_entry_findings, read_lines

_SPLITS = {
    "web": r"(\A|/)classification/(train|test)\.txt\z",
    "part": r"(\A|/)part/(train|test)_part_[1-8]\.txt\z",
    "sv": r"(\A|/)(train|test)_surveillance\.txt\z",
}
_VERIFICATION_LISTS = r"(\A|/)verification_(train|pairs_easy|pairs_medium|pairs_hard)\.txt\z"
_VERIFICATION_LINE = r"\A(\S+)(?:\s+(\S+)\s+[01])?\z"
_LEVELS = ("train", "easy", "medium", "hard")


def read_splits(
    annotation_files: AnnotationFilesWithFallback, images: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Read ``subset``, ``key``, ``split`` of the listed images, and findings about the lists.

    Images in both lists get the split test, so they are never used for training.
    """
    frames, faults = [], []
    for subset, pattern in _SPLITS.items():
        of_subset = images.filter(subset=subset)
        if of_subset.is_empty():
            continue
        entries, repeated_findings = drop_repeated(read_lines(annotation_files, pattern))
        name = pl.col("list").str.extract(r"([^/]*)\z")
        split = pl.when(name.str.contains("(?i)^test")).then(pl.lit("test"))
        entries = entries.with_columns(split=split.otherwise(pl.lit("train")))
        missing = entries.join(of_subset, left_on="text", right_on="key", how="anti")
        in_both = entries.filter(split="train").join(
            entries.filter(split="test"), on="text", how="semi"
        )
        conflicting = in_both.join(of_subset, left_on="text", right_on="key").select("path")
        frames.append(entries.select(subset=pl.lit(subset), key="text", split="split"))
        faults += [
            repeated_findings,
            missing_entry_findings(entries, missing),
            findings_about(
                conflicting,
                "two-splits",
                "it is listed for training and testing; taken as test",
            ),
        ]
    empty = pl.DataFrame(schema=dict.fromkeys(("subset", "key", "split"), pl.String))
    listed = pl.concat([empty, *frames])
    # 'test' sorts before 'train'.
    return listed.sort("split").unique(["subset", "key"], keep="first"), faults


def read_verification_lists(
    annotation_files: AnnotationFilesWithFallback, images: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Read ``key``, ``verification`` (lists that name a web image), and findings.

    A line is an image or a pair in ``verification_train.txt``; in the other lists it is a pair
    and 1 (same model) or 0.
    """
    lines = read_lines(annotation_files, _VERIFICATION_LISTS).with_columns(
        groups=pl.col("text").str.extract_groups(_VERIFICATION_LINE)
    )
    lines = lines.unnest("groups")
    invalid = lines.filter(pl.col("1").is_null())
    entries = pl.concat(
        [lines.select("list", text=side).drop_nulls("text") for side in ("1", "2")]
    ).unique(maintain_order=True)
    missing = entries.join(
        images.filter(subset="web"), left_on="text", right_on="key", how="anti"
    )
    level = pl.col("list").str.to_lowercase().str.extract(r"_([a-z]*)\.txt\z")
    rank = level.replace_strict(_LEVELS, range(len(_LEVELS)), return_dtype=pl.Int8)
    ranked = entries.with_columns(level=level, rank=rank).sort("rank", "list", "text")
    joined = ranked.group_by("text", maintain_order=True).agg(
        pl.col("level").unique(maintain_order=True)
    )
    rows = [
        (f"{path}: line {line}", "bad-annotation", "expected an image, or two and 0 or 1")
        for path, line in invalid.select("list", "line").iter_rows()
    ]
    return (
        joined.select(key="text", verification=pl.col("level").list.join("+")),
        [findings_from_rows(rows), missing_entry_findings(entries, missing)],
    )
