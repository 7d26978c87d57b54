"""Annotations find their image in every spelling of its name."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.sources.image_references import Matches, match_references

PATHS = [
    "images/train/a.jpg",
    "images/train/B.JPG",
    "images/val/a.jpg",
    "images/val/c.jpg",
    "d.png",
]


def found(references: list[str | None], paths: list[str], **options: object) -> Matches:
    texts = pl.Series(references, dtype=pl.String)
    return match_references(texts, pl.Series(paths, dtype=pl.String), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("d.png", "d.png"),
        ("c.jpg", "images/val/c.jpg"),
        ("val/a.jpg", "images/val/a.jpg"),
        ("./val//a.jpg", "images/val/a.jpg"),
        ("val\\a.jpg", "images/val/a.jpg"),
        ("images/train/b.jpg", "images/train/B.JPG"),
        ("VAL/C.JPG", "images/val/c.jpg"),
        ("/home/me/birds/images/val/a.jpg", "images/val/a.jpg"),
        ("birds/d.png", "d.png"),
    ],
)
def test_names_as_people_write_them(reference: str, path: str) -> None:
    matches = found([reference], PATHS, top=Path("/data/birds.zip"))
    assert matches.matched.rows() == [(reference, path)]
    assert matches.unmatched.is_empty()


def test_the_folder_of_the_annotations_comes_first() -> None:
    assert found(["a.jpg"], PATHS, folders=("images/val",)).matched.rows() == [
        ("a.jpg", "images/val/a.jpg")
    ]


def test_what_is_nobodys_or_several_is_reported() -> None:
    faults = found(["a.jpg", "c.jpeg", "z.jpg", None, "z.jpg"], PATHS).unmatched
    assert faults.rows() == [
        ("a.jpg", "ambiguous-image", "it could mean 2 images, images/train/a.jpg among them"),
        ("c.jpeg", "dangling", "no such image; there is images/val/c.jpg"),
        ("z.jpg", "dangling", "no such image"),
    ]


def test_stems_leave_suffixes_out() -> None:
    matches = found(["val/c", "a.b", "d"], [*PATHS, "x/a.b.jpg", "d.jpg"], stems=True)
    assert dict(matches.matched.rows()) == {"val/c": "images/val/c.jpg", "a.b": "x/a.b.jpg"}
    assert matches.unmatched.row(0) == (
        "d",
        "ambiguous-image",
        "it could mean 2 images, d.jpg among them",
    )


PART = st.text(st.sampled_from("aAb. \u00e4\u00c4\n$("), min_size=1, max_size=3)
NAME = st.lists(PART, min_size=1, max_size=3).map("/".join)


@settings(max_examples=80, deadline=None)
@given(
    references=st.lists(st.one_of(st.none(), NAME, st.text(max_size=9)), max_size=5),
    paths=st.lists(NAME, max_size=6, unique=True),
    stems=st.booleans(),
)
def test_every_reference_is_found_or_reported(
    references: list[str | None], paths: list[str], stems: bool
) -> None:
    asked = [*references, *paths[:2]]
    matches = found(asked, paths, stems=stems, top=Path("/x/a"))
    told = [*matches.matched["reference"], *matches.unmatched["reference"]]
    assert sorted(told) == sorted({r for r in asked if r is not None})
    assert set(matches.matched["path"]) <= set(paths)
    if not stems:
        assert set(paths[:2]) <= {r for r, p in matches.matched.rows() if r == p}
