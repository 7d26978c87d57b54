"""Which class each validation image is of, by whichever list of the devkits is there."""

import polars as pl

from likewise.sources.annotation_files import NotesToo
from likewise.sources.base import findings_frame
from likewise.sources.list_files import lines

_SOLUTION = r"(\A|/)loc_val_solution\.csv\z"
_GROUND_TRUTH = r"(\A|/)ilsvrc[0-9]{4}_(clsloc_)?validation_ground_truth\.txt\z"


def truth(notes: NotesToo, classes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Number and label (a WNID) of every validation image that a list explains; findings.

    ``LOC_val_solution.csv`` names images and WNIDs; the devkit's ground truth is a devkit id a
    line, the line the image's number, and needs a table of ``classes`` that has those ids.
    Where they contradict each other, the first is taken.
    """
    solution, odd = _solution(lines(notes, _SOLUTION))
    by_id, more = _by_id(lines(notes, _GROUND_TRUTH), classes)
    both = solution.join(by_id, on="number", suffix="_2").filter(
        pl.col("label") != pl.col("label_2")
    )
    faults = [*odd, *more]
    if len(both):
        first = ", ".join(map(str, both["number"].sort().head(3)))
        said = f"{len(both):,} images are of another class in the ground truth: {first}"
        faults.append(("LOC_val_solution.csv", "contradiction", said))
    found = pl.concat([solution, by_id]).unique("number", keep="first", maintain_order=True)
    return found, findings_frame(faults)


Faults = list[tuple[str, str, str]]


def _solution(told: pl.DataFrame) -> tuple[pl.DataFrame, Faults]:
    told = told.filter(~pl.col("text").str.starts_with("ImageId"))
    pattern = r"\A\"?ILSVRC[0-9]{4}_val_([0-9]{1,9})(?:\.\w+)?\"?,\"?(n[0-9]{8})(?:\W|\z)"
    read = told.with_columns(
        number=pl.col("text").str.extract(pattern).cast(pl.Int64),
        label=pl.col("text").str.extract(pattern, 2),
    )
    return _rows(read, "expected ILSVRC2012_val_{number},{wnid}")


def _by_id(told: pl.DataFrame, classes: pl.DataFrame) -> tuple[pl.DataFrame, Faults]:
    ids = classes.select("devkit_id", label="wnid").drop_nulls()
    if len(told) and ids.is_empty():
        said = (
            "it holds devkit ids, and no table here gives them: put meta_clsloc.csv beside it"
        )
        return _rows(told.clear(), "")[0], [(told["list"][0], "bad-annotation", said)]
    numbered = told.with_columns(
        devkit_id=pl.col("text").str.extract(r"\A([0-9]{1,9})\z").cast(pl.Int32),
        number="line",
    )
    return _rows(
        numbered.join(ids, on="devkit_id", how="left", maintain_order="left"),
        "expected the devkit id of a class",
    )


def _rows(read: pl.DataFrame, expected: str) -> tuple[pl.DataFrame, Faults]:
    """The rows that say a label, and one finding a list of those that do not."""
    schema = {"number": pl.Int64, "label": pl.String}
    if "label" not in read.columns:
        return pl.DataFrame(schema=schema), []
    broken = read.filter(pl.col("label").is_null() | pl.col("number").is_null())
    faults = []
    for (path,), part in broken.group_by("list", maintain_order=True):
        detail = f"{len(part):,} lines, first line {part['line'].head(1).item()}: {expected}"
        faults.append((str(path), "bad-annotation", detail))
    return read.select(schema.keys()).drop_nulls(), faults
