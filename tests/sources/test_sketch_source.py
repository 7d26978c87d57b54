"""Sketches are paired with their photos, in folders of splits and by lists."""

import csv
import io
import os
import random
import tarfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from likewise.errors import ConfigError, DataError
from likewise.formats.archives import open_files
from likewise.imaging.decode import decode
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult

SAMPLES = Path(__file__).parents[2] / "samples" / "sketches"
FOLDERS = [
    "trainB/00066.png",
    "trainA/00066_01.png",
    "trainA/00066_06.png",
    "trainB/00067.png",
    "testB/00007.png",
    "testA/00007_3.png",
    "testB/00008.jpg",
]
QMUL = [
    "ShoeV2_photo/1135045020.png",
    "ShoeV2_photo/2.png",
    "ShoeV2_photo/3.png",
    "ShoeV2_sketch_png/1135045020_1.png",
    "ShoeV2_sketch_png/1135045020_12.png",
    "ShoeV2_sketch_png/2_1.png",
    "ShoeV2_sketch_png/2_2.png",
]
LISTS = {
    "photo_train.txt": "1135045020.png\n",
    "photo_test.txt": "2\n3\n",
    "sketch_train.txt": "1135045020_1.png\r\n\r\nShoeV2_sketch/1135045020_12.svg\n",
    "sketch_test.txt": "\ufeff2_1\n",
}


def placed(top: Path, *names: str, **texts: str) -> Path:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(name.encode())
    for name, text in texts.items():
        (top / f"{name}.txt").write_text(text, encoding="utf-8")
    return top


def qmul(top: Path, **changed: str | None) -> Path:
    placed(top, *QMUL)
    for name, text in {**LISTS, **{f"{k}.txt": v for k, v in changed.items()}}.items():
        if text is not None:
            (top / name).write_text(text, encoding="utf-8")
    return top


def read(path: Path, annotations: Path | None = None, **options: object) -> SourceResult:
    source = SOURCES.build({"kind": "sketch", **options}, "card")
    return source.read(source.open(path), annotations or path)


def rows(reading: SourceResult, *columns: str) -> list[tuple[object, ...]]:
    return list(reading.items.select("image_id", *columns).iter_rows())


def found(reading: SourceResult) -> list[str]:
    return reading.findings["finding_id"].to_list()


def test_folders_pair_sketches_and_photos(tmp_path: Path) -> None:
    names = random.Random(1).sample(FOLDERS, len(FOLDERS))  # noqa: S311
    reading = read(placed(tmp_path, *names))
    assert rows(reading, "split", "role", "label", "pair", "designer", "sketches") == [
        ("trainA/00066_01.png", "train", "query", "00066", "trainB/00066.png", "01", None),
        ("trainA/00066_06.png", "train", "query", "00066", "trainB/00066.png", "06", None),
        ("trainB/00066.png", "train", "gallery", "00066", None, None, 2),
        ("trainB/00067.png", "train", "gallery", "00067", None, None, 0),
        ("testA/00007_3.png", "test", "query", "00007", "testB/00007.png", "3", None),
        ("testB/00007.png", "test", "gallery", "00007", None, None, 1),
        ("testB/00008.jpg", "test", "gallery", "00008", None, None, 0),
    ]
    assert reading.findings.is_empty()
    assert [c.name for c in reading.extra_columns] == ["pair", "designer", "sketches"]


def test_lists_say_the_splits(tmp_path: Path) -> None:
    reading = read(qmul(tmp_path))
    assert rows(reading, "split", "label", "designer") == [
        ("ShoeV2_sketch_png/1135045020_1.png", "train", "1135045020", "1"),
        ("ShoeV2_sketch_png/1135045020_12.png", "train", "1135045020", "12"),
        ("ShoeV2_photo/1135045020.png", "train", "1135045020", None),
        ("ShoeV2_sketch_png/2_1.png", "test", "2", "1"),
        ("ShoeV2_photo/2.png", "test", "2", None),
        ("ShoeV2_photo/3.png", "test", "3", None),
        ("ShoeV2_sketch_png/2_2.png", None, "2", "2"),
    ]
    # The lists select the scored sketches: the eighth is not listed.
    assert found(reading) == ["unlisted: ShoeV2_sketch_png/2_2.png"]


def test_without_lists_of_sketches_a_sketch_goes_where_its_photo_is(tmp_path: Path) -> None:
    reading = read(qmul(tmp_path, sketch_train=None, sketch_test=None))
    assert reading.items.group_by("split", "role", maintain_order=True).len().rows() == [
        ("train", "query", 2),
        ("train", "gallery", 1),
        ("test", "query", 2),
        ("test", "gallery", 2),
    ]
    bare = read(placed(tmp_path / "bare", *QMUL))
    assert bare.items["split"].null_count() == 7
    assert bare.findings.is_empty()


def test_lists_may_be_elsewhere(tmp_path: Path) -> None:
    expected = read(qmul(tmp_path / "both"))
    placed(tmp_path / "pictures", *QMUL)
    (tmp_path / "lists").mkdir()
    for name, text in LISTS.items():
        (tmp_path / "lists" / name).write_text(text, encoding="utf-8")
    assert read(tmp_path / "pictures", tmp_path / "lists").items.equals(expected.items)


@pytest.mark.parametrize("top", ["ClothesV1", "deep/down"])
def test_an_archive_gives_the_reading_of_the_folder(tmp_path: Path, top: str) -> None:
    placed(tmp_path / "folder" / top, *FOLDERS, "LICENSE", "figures/trial.png")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "folder", ".")
    reading = read(tmp_path / "folder")
    assert len(reading.items) == 7
    assert read(tmp_path / "a.tar.gz").items.equals(reading.items)
    assert reading.findings.is_empty()


def test_one_of_several_sets_is_named(tmp_path: Path) -> None:
    chairs = [name.replace("ShoeV2", "ChairV2") for name in QMUL]
    placed(tmp_path, *QMUL, *chairs)
    with pytest.raises(DataError, match="several sets of sketches: 'ChairV2', 'ShoeV2'; give"):
        read(tmp_path)
    reading = read(tmp_path, root="ChairV2")
    assert all(name.startswith("ChairV2") for name in reading.items["image_id"])
    with pytest.raises(ConfigError, match="roots: unknown key; did you mean 'root'"):
        read(tmp_path, roots="x")
    with pytest.raises(DataError, match="no image found"):
        read(tmp_path, root="elsewhere")


@pytest.mark.parametrize(
    ("name", "finding"),
    [
        ("trainA/00099_01.png", "no-photo"),
        ("testA/00066_02.png", "no-photo"),  # its photo is for training
        ("trainA/00066.png", "bad-name"),
        ("trainA/00066_.png", "bad-name"),
        ("trainA/00066_x1.png", "bad-name"),
        ("trainA/more/00066_01.png", "bad-name"),
        ("trainA/00066_01.svg", "not-an-image"),
        ("trainB/.DS_Store", "not-an-image"),
        ("trainA/00066_06.webp", "twice"),
        ("trainB/00067.webp", "twice"),
    ],
)
def test_what_breaks_the_grammar_is_a_finding(tmp_path: Path, name: str, finding: str) -> None:
    reading = read(placed(tmp_path, *FOLDERS, name))
    assert found(reading) == [f"{finding}: {name}"]
    assert reading.items.equals(read(placed(tmp_path / "whole", *FOLDERS)).items)


def test_a_photo_in_two_splits_is_reported(tmp_path: Path) -> None:
    reading = read(placed(tmp_path, *FOLDERS, "testB/00066.png"))
    assert found(reading) == ["two-splits: testB/00066.png", "two-splits: trainB/00066.png"]
    assert len(reading.items) == 8


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({"sketch_test": "2_1\n2_9\n2_2\n"}, ["dangling: sketch_test.txt: 2_9"]),
        ({"sketch_test": "2_1\n2_1\n2_2\n"}, ["listed-twice: sketch_test.txt: 2_1"]),
        (
            {"photo_train": "1135045020\n2\n", "sketch_test": "2_1\n2_2"},
            ["two-splits: photo_train.txt: 2"],
        ),
        ({"photo_test": "2\n", "sketch_test": "2_1\n2_2"}, ["unlisted: ShoeV2_photo/3.png"]),
        (
            {"sketch_test": "2_1\n2_2\n1135045020_1\n", "sketch_train": "1135045020_12"},
            ["two-splits: ShoeV2_sketch_png/1135045020_1.png"],
        ),
    ],
)
def test_lists_that_do_not_fit_are_findings(
    tmp_path: Path, lists: dict[str, str], expected: list[str]
) -> None:
    reading = read(qmul(tmp_path, **lists))
    assert found(reading) == expected
    assert len(reading.items) == 7


def test_what_is_tested_is_never_trained_on(tmp_path: Path) -> None:
    lists = {"photo_train": "1135045020\n2\n", "sketch_train": "2_1\n1135045020_1"}
    items = read(qmul(tmp_path, **lists)).items
    assert items.filter(label="2", designer="1")["split"].to_list() == ["test"]
    assert items.filter(label="2", role="gallery")["split"].to_list() == ["test"]


def test_a_list_in_another_encoding_is_one_error(tmp_path: Path) -> None:
    qmul(tmp_path)
    (tmp_path / "sketch_test.txt").write_bytes(b"2_1\n\xe9_1\n")
    with pytest.raises(DataError, match=r"sketch_test\.txt, line 2: not utf-8"):
        read(tmp_path)


@pytest.mark.parametrize(
    "names", [["trainA/1_1.png"], ["trainB/1.png"], ["a/1.png"], ["trainA/x.txt"]]
)
def test_nothing_of_the_layout_is_an_error(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(DataError, match=r"no image found; expected trainA/00066_01\.png"):
        read(placed(tmp_path, *names))


def test_a_transparent_sketch_is_put_on_white() -> None:
    # black and transparent, as drawing programs save images
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[1, 1] = (0, 0, 0, 255)
    pixels[2, 2] = (0, 0, 0, 51)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    rgb = np.asarray(decode(stream.getvalue()))
    expected = np.full((4, 4, 3), 255)
    expected[1, 1], expected[2, 2] = 0, 255 - 51
    assert (rgb == expected).all()


def test_the_shipped_set_has_the_counts_of_its_readme() -> None:
    reading = read(SAMPLES)
    counts = reading.items.group_by("split", "role", maintain_order=True).len().rows()
    assert counts == [
        ("train", "query", 89),
        ("train", "gallery", 51),
        ("test", "query", 45),
        ("test", "gallery", 27),
    ]
    assert reading.items.filter(sketches=0).height == 6
    assert reading.findings.is_empty()
    with (SAMPLES / "sources.csv").open(encoding="utf-8") as stream:
        named = sorted(row["file"].removeprefix("sketches/") for row in csv.DictReader(stream))
    assert named == reading.items["image_id"].sort().to_list()


def test_a_real_set_has_the_counts_of_clothes_v1(shared_data: Path) -> None:
    path = shared_data / "pairs_clothes_like"
    reading = read(path)
    counts = reading.items.group_by("split", "role", maintain_order=True).len().rows()
    assert counts == [
        ("train", "query", 925),
        ("train", "gallery", 380),
        ("test", "query", 275),
        ("test", "gallery", 120),
    ]
    assert reading.findings.is_empty()
    photos = reading.items.filter(role="gallery")
    assert photos["label"].n_unique() == 380 + 120
    assert photos["sketches"].sum() == 925 + 275
    assert sorted(reading.items["designer"].drop_nulls().unique()) == ["01", "02", "03", "04"]


@settings(max_examples=100, deadline=None)
@given(
    names=st.lists(
        st.tuples(
            st.sampled_from([b"trainA/", b"trainB/", b"testA/", b"testB/", b"trainA/x/"]),
            st.one_of(
                st.sampled_from([b"1.png", b"1_1.png", b"1_01.png", b"2.jpg", b"2_7.png"]),
                st.binary(min_size=1, max_size=12).map(lambda n: n + b".png"),
                st.binary(min_size=1, max_size=8).map(lambda n: n + b"_1.png"),
            ).filter(lambda n: not set(n) & {0, ord("/")}),
        ).map(b"".join),
        max_size=12,
    )
)
def test_every_name_is_an_item_or_a_finding(
    tmp_path_factory: pytest.TempPathFactory, names: list[bytes]
) -> None:
    top = placed(tmp_path_factory.mktemp("fuzz"), "trainA/0_1.png", "trainB/0.png")
    for name in names:
        path = Path(os.fsdecode(os.fsencode(top) + b"/" + name))
        with suppress(OSError):  # a name that is a file in one place and a folder in another
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    there = open_files(top)
    count = len(there.listing()) + len(there.undecodable)
    reading = read(top)
    told = reading.findings.filter(reading.findings["check"] != "two-splits")
    assert len(reading.items) + len(told) == count
    assert reading.items["item_id"].is_unique().all()
    queries = reading.items.filter(role="query")
    photos = reading.items.filter(role="gallery").select("label", "split")
    assert len(queries.join(photos, on=["label", "split"], how="semi")) == len(queries)


@settings(max_examples=100, deadline=None)
@given(data=st.dictionaries(st.sampled_from(sorted(LISTS)), st.binary(max_size=60)))
def test_any_lists_give_a_reading_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, bytes]
) -> None:
    top = placed(tmp_path_factory.mktemp("fuzz"), *QMUL)
    for name, content in data.items():
        (top / name).write_bytes(content)
    with suppress(DataError):
        reading = read(top)
        assert len(reading.items) == 7
        assert reading.findings["finding_id"].is_unique().all()
