"""Classes of ImageNet's validation images, from the lists of the devkits."""

import polars as pl

from likewise.formats.counted_nouns import counted
from likewise.sources.annotation_files import AnnotationFilesWithFallback
from likewise.sources.base import findings_from_rows
from likewise.sources.list_files import read_lines

_SOLUTION_FILE = r"(\A|/)loc_val_solution\.csv\z"
_GROUND_TRUTH_FILE = r"(\A|/)ilsvrc[0-9]{4}_(clsloc_)?validation_ground_truth\.txt\z"


def read_validation_labels(
    annotation_files: AnnotationFilesWithFallback, classes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read ``number`` and ``label`` (WNID) of the validation images, and findings.

    ``LOC_val_solution.csv`` contains image names and WNIDs. The devkit's ground truth contains
    one devkit id per line, in the order of the images, and needs ``classes`` with these ids.
    ``LOC_val_solution.csv`` takes precedence.
    """
    solution, solution_findings = _parse_solution(read_lines(annotation_files, _SOLUTION_FILE))
    ground_truth, ground_truth_findings = _parse_ground_truth(
        read_lines(annotation_files, _GROUND_TRUTH_FILE), classes
    )
    different = solution.join(ground_truth, on="number", suffix="_2").filter(
        pl.col("label") != pl.col("label_2")
    )
    faults = [*solution_findings, *ground_truth_findings]
    if len(different):
        examples = ", ".join(map(str, different["number"].sort().head(3)))
        detail = (
            f"{counted(len(different), 'image', 'is', 'are')} of another class in the ground "
            f"truth: {examples}"
        )
        faults.append(("LOC_val_solution.csv", "contradiction", detail))
    labels = pl.concat([solution, ground_truth]).unique(
        "number", keep="first", maintain_order=True
    )
    return labels, findings_from_rows(faults)


FindingRows = list[tuple[str, str, str]]


def _parse_solution(lines: pl.DataFrame) -> tuple[pl.DataFrame, FindingRows]:
    lines = lines.filter(~pl.col("text").str.starts_with("ImageId"))
    pattern = r"\A\"?ILSVRC[0-9]{4}_val_([0-9]{1,9})(?:\.\w+)?\"?,\"?(n[0-9]{8})(?:\W|\z)"
    rows = lines.with_columns(
        number=pl.col("text").str.extract(pattern).cast(pl.Int64),
        label=pl.col("text").str.extract(pattern, 2),
    )
    return _labels_and_findings(rows, "expected ILSVRC2012_val_{number},{wnid}")


def _parse_ground_truth(
    lines: pl.DataFrame, classes: pl.DataFrame
) -> tuple[pl.DataFrame, FindingRows]:
    ids = classes.select("devkit_id", label="wnid").drop_nulls()
    if len(lines) and ids.is_empty():
        detail = (
            "it holds devkit ids, and no table here gives them: put meta_clsloc.csv beside it"
        )
        return _labels_and_findings(lines.clear(), "")[0], [
            (lines["list"][0], "bad-annotation", detail)
        ]
    numbered = lines.with_columns(
        devkit_id=pl.col("text").str.extract(r"\A([0-9]{1,9})\z").cast(pl.Int32),
        number="line",
    )
    return _labels_and_findings(
        numbered.join(ids, on="devkit_id", how="left", maintain_order="left"),
        "expected the devkit id of a class",
    )


def _labels_and_findings(rows: pl.DataFrame, expected: str) -> tuple[pl.DataFrame, FindingRows]:
    """Return the rows with a label, and one finding per list with invalid rows."""
    schema = {"number": pl.Int64, "label": pl.String}
    if "label" not in rows.columns:
        return pl.DataFrame(schema=schema), []
    invalid = rows.filter(pl.col("label").is_null() | pl.col("number").is_null())
    faults = []
    for (path,), group in invalid.group_by("list", maintain_order=True):
        detail = (
            f"{counted(len(group), 'line')}, first line {group['line'].head(1).item()}: "
            f"{expected}"
        )
        faults.append((str(path), "bad-annotation", detail))
    return rows.select(schema.keys()).drop_nulls(), faults
