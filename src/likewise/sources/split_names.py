"""Names of splits, as folders, columns and files spell them: one vocabulary for all sources."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from likewise.formats.counted_nouns import counted

SPLITS = ("train", "val", "test")
"""The splits, in canonical order."""

WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""Lower-case word -> split."""

_QUALIFIERS = r"(?:sets?|splits?|mini|data|images?|imgs?|dev|[0-9]+[km]?)"
"""Suffixes of the word in a name: train2017, train_mini, test-dev2017, Training Set."""

_NAME = rf"({'|'.join(WORDS)})(?:[-_. ]?{_QUALIFIERS})*"

_NEUTRAL = re.compile(
    r"[a-z]|attributes|bbox(es)?|cat|cc|coco|csv|data(set)?|default|detection|final|index|info|json"
    r"|lvis|metadata|mini|of|oidv|tar|tgz|gz|bz|xz|zip|parquet|jsonl|paths?|person|public|rf|rows|stuff|te?xts?|tsv"
    r"|(annotation|ann|box|caption|categorie|class|file|image|img|instance|item|key|keypoint"
    r"|label|list|name|object|part|sample|set|shard|split|table)(s|es)?|annotations|category"
)
"""Words of file names that say nothing about the subject, such as "instances"."""


def split_of(name: str) -> str | None:
    """Return the split that ``name`` means as a whole; None if it is not one.

    Upper and lower case count as equal. A year, a number, or a word such as "set", "images" or
    "mini" may follow.

    Example:
        >>> [split_of(name) for name in ("Training", "train2017", "valid", "train_stations")]
        ['train', 'train', 'val', None]
    """
    match = re.fullmatch(_NAME, name.strip(), re.IGNORECASE)
    return WORDS[match[1].lower()] if match else None


def split_expr(names: pl.Expr) -> pl.Expr:
    """Return ``split_of`` of a column; null where a value is not a split."""
    word = names.str.strip_chars().str.extract(rf"(?i)\A{_NAME}\z")
    return word.str.to_lowercase().replace_strict(WORDS, default=None, return_dtype=pl.String)


def split_of_folders(path: str = "path") -> pl.Expr:
    """Return the split of the first folder of ``path`` that is a name of a split; or null.

    A folder such as ``train2017`` counts before other spellings.
    """
    usual = pl.col(path).str.extract(r"(?:\A|/)(train|val|valid|validation|test)[0-9]*/")
    word = pl.coalesce(usual, pl.col(path).str.extract(rf"(?i)(?:\A|/){_NAME}/"))
    return word.str.to_lowercase().replace_strict(WORDS, default=None, return_dtype=pl.String)


def split_values(column: str = "split") -> pl.Expr:
    """Return a column of splits with known names as train, val or test, all others as given."""
    return pl.coalesce(split_expr(pl.col(column)), column)


def split_value_findings(rows: pl.DataFrame) -> list[tuple[str, str, str]]:
    """Return one finding row for each value of ``split`` that ``split_values`` replaces.

    Args:
        rows: ``:where`` (location of the row) and ``split`` as given.
    """
    replaced = rows.select(":where", "split", known=split_expr(pl.col("split"))).filter(
        pl.col("known").is_not_null() & (pl.col("known") != pl.col("split"))
    )
    counts = replaced.group_by("split", "known").agg(pl.len(), pl.col(":where").first())
    return [
        (
            where,
            "split-name",
            _replaced(number, given, split),
        )
        for given, split, number, where in counts.sort("split").iter_rows()
    ]


_OLD_WORDS = {"train", "val", "valid", "validation", "test"}
"""Words that give a split even where they are in doubt, as they did before ``WORDS`` grew."""

_TEST_DEV = re.compile(r"test[-_ ]?dev(?![a-z])")
"""COCO's test-dev2017, which is not a development split."""


def _replaced(number: int, given: str, split: str) -> str:
    return f"{counted(number, 'row', 'has', 'have')} the split {given!r}, read as {split}"


class FileSplit(NamedTuple):
    """The split in the name of a file.

    Attributes:
        split: the split; None if no word of the path is a name of a split, or several differ.
        doubt: what is uncertain about it; "" if nothing is.
    """

    split: str | None
    doubt: str = ""


def split_of_file(path: str) -> FileSplit:
    """Return the split that a word of ``path`` names, the file name before the folders.

    Other words that may be a subject ("train_stations.csv") leave a doubt. So do names of two
    splits ("train_test_split.csv"), which give no split.

    Args:
        path: path of a file of annotations, or of a shard.

    Example:
        >>> split_of_file("annotations/instances_train2017.json")
        FileSplit(split='train', doubt='')
        >>> split_of_file("train_stations.csv").doubt
        "the split train is a part of the name 'train_stations.csv'; check it"
    """
    *folders, name = path.split("/")
    for component in (name.rpartition(".")[0] or name, *reversed(folders)):
        lower = _TEST_DEV.sub("test", component.lower())
        words = [word for word in re.split(r"[^a-z]+", lower) if word]
        splits = list(dict.fromkeys(WORDS[word] for word in words if word in WORDS))
        if len(splits) > 1 and not split_of(component):
            names = " and ".join(splits)
            return FileSplit(None, f"the name {component!r} has {names}; it gives no split")
        if splits:
            if split_of(component) or all(w in WORDS or _NEUTRAL.fullmatch(w) for w in words):
                return FileSplit(split_of(component) or splits[0])
            shown = name if component in name else component
            doubt = f"the split {splits[0]} is a part of the name {shown!r}; check it"
            return FileSplit(splits[0], doubt) if _OLD_WORDS & {*words} else FileSplit(None)
    return FileSplit(None)


def file_split_findings(paths: Iterable[str], advice: str = "") -> list[tuple[str, str, str]]:
    """Return a finding row for each path whose split is in doubt.

    Args:
        paths: paths of files whose split is taken from their names.
        advice: what decides it, such as "name the column by --option split=COLUMN".
    """
    doubts = ((path, split_of_file(path).doubt) for path in paths)
    ending = f"; {advice}" if advice else ""
    return [(path, "split-name", f"{doubt}{ending}") for path, doubt in doubts if doubt]


def split_rank(split: str = "split") -> pl.Expr:
    """Return the sort rank of a split: train, val, test, then all others."""
    return pl.col(split).replace_strict(SPLITS, range(len(SPLITS)), default=len(SPLITS))
