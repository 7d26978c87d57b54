"""CompCars' lists: which images are for training and testing, and for verification."""

import polars as pl

from likewise.sources.annotation_files import NotesToo
from likewise.sources.base import findings, findings_frame
from likewise.sources.list_files import dangling, lines, repeated

_SPLITS = {
    "web": r"(\A|/)classification/(train|test)\.txt\z",
    "part": r"(\A|/)part/(train|test)_part_[1-8]\.txt\z",
    "sv": r"(\A|/)(train|test)_surveillance\.txt\z",
}
_PAIRS = r"(\A|/)verification_(train|pairs_easy|pairs_medium|pairs_hard)\.txt\z"
_PAIR = r"\A(\S+)(?:\s+(\S+)\s+[01])?\z"
_LEVELS = ("train", "easy", "medium", "hard")


def splits(notes: NotesToo, images: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """The split of every listed image (subset, key, split), and findings about the lists.

    An image in both lists is tested, and so never trained on.
    """
    frames, faults = [], []
    for subset, pattern in _SPLITS.items():
        here = images.filter(subset=subset)
        if here.is_empty():
            continue
        entries, twice = repeated(lines(notes, pattern))
        name = pl.col("list").str.extract(r"([^/]*)\z")
        split = pl.when(name.str.contains("(?i)^test")).then(pl.lit("test"))
        entries = entries.with_columns(split=split.otherwise(pl.lit("train")))
        lost = entries.join(here, left_on="text", right_on="key", how="anti")
        both = entries.filter(split="train").join(
            entries.filter(split="test"), on="text", how="semi"
        )
        told = both.join(here, left_on="text", right_on="key").select("path")
        frames.append(entries.select(subset=pl.lit(subset), key="text", split="split"))
        faults += [
            twice,
            dangling(entries, lost),
            findings(
                told, "two-splits", "it is listed for training and testing; taken as test"
            ),
        ]
    none = pl.DataFrame(schema=dict.fromkeys(("subset", "key", "split"), pl.String))
    listed = pl.concat([none, *frames])
    # 'test' sorts before 'train'.
    return listed.sort("split").unique(["subset", "key"], keep="first"), faults


def verification(
    notes: NotesToo, images: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Which verification lists name each web image (key, verification), and findings.

    A line of ``verification_train.txt`` is an image, or a pair; of the others a pair, and 1
    where both are of one model.
    """
    told = lines(notes, _PAIRS).with_columns(groups=pl.col("text").str.extract_groups(_PAIR))
    told = told.unnest("groups")
    broken = told.filter(pl.col("1").is_null())
    ends = pl.concat(
        [told.select("list", text=side).drop_nulls("text") for side in ("1", "2")]
    ).unique(maintain_order=True)
    lost = ends.join(images.filter(subset="web"), left_on="text", right_on="key", how="anti")
    level = pl.col("list").str.to_lowercase().str.extract(r"_([a-z]*)\.txt\z")
    rank = level.replace_strict(_LEVELS, range(len(_LEVELS)), return_dtype=pl.Int8)
    named = ends.with_columns(level=level, rank=rank).sort("rank", "list", "text")
    joined = named.group_by("text", maintain_order=True).agg(
        pl.col("level").unique(maintain_order=True)
    )
    odd = [
        (f"{path}: line {line}", "bad-annotation", "expected an image, or two and 0 or 1")
        for path, line in broken.select("list", "line").iter_rows()
    ]
    return (
        joined.select(key="text", verification=pl.col("level").list.join("+")),
        [findings_frame(odd), dangling(ends, lost)],
    )
