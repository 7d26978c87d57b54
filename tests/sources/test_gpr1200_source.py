"""GPR1200's layout: labels, subsets and texts, in an order independent of the file system."""

import json
import os
import random
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from archives import placed
from likewise.errors import ConfigError, DataError
from likewise.formats.archives import open_files
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult
from likewise.sources.gpr1200_subsets import SUBSETS, subset_of
from likewise.storage import schema

TEXTS = "GPR1200_categoryNumber_to_text.json"


def category_of(name: str) -> int:
    return int(name.partition("_")[0])


def jpeg(colour: int) -> bytes:
    stream = BytesIO()
    Image.new("L", (8, 8), colour % 256).save(stream, "JPEG")
    return stream.getvalue()


def read(path: Path, annotations: Path | None = None, **options: object) -> SourceResult:
    source = SOURCES.build({"kind": "gpr1200", **options}, "card")
    return source.read(open_files(path), annotations or path)


def images(*names: str, top: str = "images/") -> dict[str, bytes]:
    return {f"{top}{name}": jpeg(i) for i, name in enumerate(names)}


def checks(reading: SourceResult) -> list[tuple[str, str]]:
    return list(reading.findings.select("check", "path").iter_rows())


def ids(reading: SourceResult) -> list[str]:
    return reading.items["image_id"].to_list()


FEW = ["0_b.jpg", "0_a_c.JPG", "2_x.jpeg", "10_\u00e4.png", "1199_z.jpg", "10_a.jpg"]
ORDERED = ["0_a_c.JPG", "0_b.jpg", "2_x.jpeg", "10_a.jpg", "10_\u00e4.png", "1199_z.jpg"]
WORDS = {"0": "Tower", "2": "Bridge", "10": "Gate", "1199": "A Person"}


def test_rows_are_by_category_and_then_by_name(tmp_path: Path) -> None:
    reading = read(placed(tmp_path, {**images(*FEW), TEXTS: json.dumps(WORDS).encode()}))
    items = reading.items
    assert ids(reading) == [f"images/{name}" for name in ORDERED]
    assert items["item_id"].equals(items["image_id"])
    assert items["label"].to_list() == ["0", "0", "2", "10", "10", "1199"]
    assert items["text"].to_list() == [*["Tower"] * 2, "Bridge", *["Gate"] * 2, "A Person"]
    assert items["subset"].to_list() == [*["landmarks"] * 5, "faces"]
    for column in ("split", "role", "box"):
        assert items[column].null_count() == len(items)
    assert reading.findings.is_empty()


def test_a_reading_has_the_columns_of_the_contracts(tmp_path: Path) -> None:
    reading = read(placed(tmp_path, images("0_a.jpg")))
    contracts = {schema.ITEMS: reading.items, schema.FINDINGS: reading.findings}
    for contract, frame in contracts.items():
        empty = pl.from_arrow(contract.arrow().empty_table())
        assert isinstance(empty, pl.DataFrame)
        # ingest adds the content
        assert frame.schema == empty.drop("content", strict=False).schema


def test_every_archive_gives_the_reading_of_the_folder(tmp_path: Path) -> None:
    content = {**images(*FEW), TEXTS: json.dumps(WORDS).encode(), "images/Thumbs.db": b""}
    shuffled = random.Random(0).sample(sorted(content), len(content))  # noqa: S311
    expected = read(placed(tmp_path / "folder", content))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in shuffled:
            archive.writestr(name, content[name])
    for name, mode in (("a.tar", "w"), ("a.tgz", "w:gz"), ("a.tar.xz", "w:xz")):
        with tarfile.open(tmp_path / name, mode) as tar:  # type: ignore[call-overload]
            for path in shuffled:
                tar.add(tmp_path / "folder" / path, path)
    for name in ("a.zip", "a.tar", "a.tgz", "a.tar.xz"):
        reading = read(tmp_path / name)
        assert reading.items.equals(expected.items)
        assert reading.findings.equals(expected.findings)
        data = dict(open_files(tmp_path / name).read_many(ids(reading)))
        assert data == {path: content[path] for path in ids(reading)}


@pytest.mark.parametrize("top", ["", "images/", "GPR1200/images/"])
def test_images_may_be_at_the_top_or_one_folder_down(tmp_path: Path, top: str) -> None:
    reading = read(placed(tmp_path, images(*FEW, top=top)))
    assert ids(reading) == [top + name for name in ORDERED]


def test_a_macs_shadow_of_the_images_is_not_taken_for_them(tmp_path: Path) -> None:
    content = {
        **images("0_a.jpg", top="GPR1200/images/"),
        "__MACOSX/images/._0_a.jpg": b"",
        "GPR1200/images/._0_a.jpg": b"",
    }
    with pytest.raises(DataError, match="several folders of images"):
        read(placed(tmp_path / "both", {**content, "other/images/0_b.jpg": b""}))
    reading = read(placed(tmp_path / "mac", content))
    assert ids(reading) == ["GPR1200/images/0_a.jpg"]
    assert checks(reading) == [("not-an-image", "GPR1200/images/._0_a.jpg")]


def test_what_is_not_an_image_of_the_set_is_a_finding(tmp_path: Path) -> None:
    content = images(
        *("0_a.jpg", "01_b.jpg", "_c.jpg", "d.jpg", "x1_e.jpg", "-1_f.jpg", "\u0661_g.jpg"),
        *("1234567890_h.jpg", "0/1_i.jpg", ".DS_Store", "._0_a.jpg", "Thumbs.db", "1_j.txt"),
    )
    reading = read(placed(tmp_path, {**content, "README.md": b"outside: not looked at"}))
    assert ids(reading) == ["images/0_a.jpg"]
    assert checks(reading) == sorted(
        [
            *(
                ("bad-name", f"images/{name}")
                for name in ("01_b.jpg", "_c.jpg", "d.jpg", "x1_e.jpg", "-1_f.jpg")
            ),
            ("bad-name", "images/\u0661_g.jpg"),
            ("bad-name", "images/1234567890_h.jpg"),
            ("bad-name", "images/0/1_i.jpg"),
            *(
                ("not-an-image", f"images/{name}")
                for name in (".DS_Store", "._0_a.jpg", "Thumbs.db", "1_j.txt")
            ),
        ]
    )
    assert reading.findings["finding_id"].to_list() == [f"{c}: {p}" for c, p in checks(reading)]
    assert reading.findings["detail"].str.len_chars().min() != 0


def test_names_that_are_not_utf8_and_links_are_findings(tmp_path: Path) -> None:
    top = placed(tmp_path / "top", images("0_a.jpg"))
    Path(os.fsdecode(os.fsencode(top) + b"/images/0_\xff.jpg")).write_bytes(b"")
    (top / "images" / "0_gone.jpg").symlink_to("nothing")
    assert checks(read(top)) == [
        ("bad-encoding", "images/0_\\xff.jpg"),
        ("refused", "images/0_gone.jpg"),
    ]


def test_nothing_of_the_layout_is_an_error_that_shows_what_there_is(tmp_path: Path) -> None:
    top = placed(tmp_path, {f"cat/{i}.jpg": b"" for i in range(9)})
    with pytest.raises(DataError) as error:
        read(top)
    assert str(error.value) == (
        f"{top}: no image found; expected images/{{category}}_{{name}}.jpg, "
        "as in images/12_tower.jpg; found: 'cat/0.jpg', 'cat/1.jpg', 'cat/2.jpg', "
        "'cat/3.jpg', 'cat/4.jpg' and 4 more"
    )


def test_texts_may_be_elsewhere(tmp_path: Path) -> None:
    top = placed(tmp_path / "top", images("0_a.jpg"))
    assert read(top).items["text"].to_list() == [None]
    words = json.dumps({"0": "Tow\u00e9r"}).encode("utf-8-sig")
    placed(
        tmp_path, {"some.json": words, "notes/categories.json": words, "more/own.json": words}
    )
    for place in (tmp_path / "some.json", tmp_path / "notes"):
        assert read(top, place).items["text"].to_list() == ["Tow\u00e9r"]
    assert read(top, tmp_path / "more").items["text"].to_list() == [None]
    assert read(top, tmp_path / "more", text="own.json").items["text"].to_list() == [
        "Tow\u00e9r"
    ]
    with zipfile.ZipFile(tmp_path / "notes.zip", "w") as archive:
        archive.writestr(f"GPR1200/{TEXTS}", words)
    assert read(top, tmp_path / "notes.zip").items["text"].to_list() == ["Tow\u00e9r"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "is not JSON in UTF-8"),
        (b"", "is not JSON in UTF-8"),
        (b'{"0": "caf\xe9"}', "is not JSON in UTF-8"),
        (b"[" * 100_000, "is not JSON in UTF-8"),
        (b"[]", "is not one JSON object of category -> text"),
        (b"null", "is not one JSON object of category -> text"),
        (b'{"0": 1}', "is not one JSON object of category -> text"),
        (b'{"0": {"a": "b"}}', "is not one JSON object of category -> text"),
        (b'{"0": "a", "0": "b"}', "names a category twice: 0"),
        (b'{"0": "\\ud800"}', "half of a surrogate pair"),
        (b'{"1": "a"}', "has no text for the categories 0, 3, 5"),
    ],
)
def test_texts_that_cannot_be_used_are_an_error(tmp_path: Path, data: bytes, said: str) -> None:
    content = {**images("0_a.jpg", "3_a.jpg", "5_a.jpg", "5_b.jpg"), TEXTS: data}
    with pytest.raises(DataError, match=said) as error:
        read(placed(tmp_path, content))
    assert TEXTS in str(error.value)


def whole(categories: range, *, without: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Make the published categories, ten images each, and their texts."""
    names = [f"{c}_{n}.jpg" for c in categories for n in range(10)]
    words = json.dumps({str(c): f"place {c}" for c in categories}).encode()
    kept = [name for name in names if name not in without]
    return {**images(*kept), TEXTS: words}


def test_what_a_partial_copy_lacks_is_reported(tmp_path: Path) -> None:
    gone = ("1_3.jpg", "2_0.jpg", "2_1.jpg", *(f"4_{n}.jpg" for n in range(10)))
    reading = read(placed(tmp_path, whole(range(6), without=gone)))
    assert reading.findings.select("finding_id", "detail").rows() == [
        (f"dangling: {TEXTS}", "1 of 6 categories have no image: 4"),
        ("incomplete: category 1", "9 images, where a category has 10"),
        ("incomplete: category 2", "8 images, where a category has 10"),
    ]
    assert len(reading.items) == 6 * 10 - len(gone)
    assert reading.items["text"].null_count() == 0


def test_foreign_images_do_not_stop_the_rest(tmp_path: Path) -> None:
    foreign = ("2021_holiday.jpg", "IMG_0001.jpg", "12 (2).jpg", "Thumbs.db", "0_new.jpg.part")
    reading = read(placed(tmp_path, {**whole(range(3)), **images(*foreign)}))
    assert checks(reading) == [
        ("bad-name", "images/12 (2).jpg"),
        ("bad-name", "images/IMG_0001.jpg"),
        ("incomplete", "category 2021"),
        ("no-text", "category 2021"),
        ("not-an-image", "images/0_new.jpg.part"),
        ("not-an-image", "images/Thumbs.db"),
    ]
    assert reading.items["label"].to_list()[-2:] == ["2", "2021"]
    left_out = read(tmp_path, exclude=["images/2021_holiday.jpg"])
    assert left_out.items.equals(reading.items)  # ingest skips files that the card excludes


def test_a_copy_cut_within_an_archive_is_a_finding(tmp_path: Path) -> None:
    placed(tmp_path / "folder", whole(range(2)))
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.add(tmp_path / "folder", ".")
    data = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(data[: len(data) // 2])
    rest = read(tmp_path / "a.tar")
    assert 0 < len(rest.items) < 20
    assert "refused" in rest.findings["check"].to_list()


def test_which_texts_are_meant_must_be_clear(tmp_path: Path) -> None:
    content = {**images("0_a.jpg"), TEXTS: b'{"0": "a"}', "categories.json": b'{"0": "b"}'}
    top = placed(tmp_path, content)
    with pytest.raises(DataError, match="several possible annotation files"):
        read(top)
    assert read(top, text="categories.json").items["text"].to_list() == ["b"]
    with pytest.raises(DataError, match=r"has no file 'absent\.json', which the card names"):
        read(top, text="absent.json")
    with pytest.raises(DataError, match="does not exist"):
        read(top, tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="texts: unknown key; did you mean 'text'"):
        read(top, texts="x")


def test_the_card_knows_the_terms_and_faults() -> None:
    facts = SOURCES.load("gpr1200").card_defaults()
    assert facts["licence"] == {"terms": "data: non-commercial research and education"}
    assert "arXiv:2111.13122" in facts["citation"]
    assert len(facts["faults"]) == 2


@settings(max_examples=75, deadline=None)
@given(
    names=st.lists(
        st.one_of(
            st.binary(min_size=1, max_size=30),
            st.from_regex(r"\A[0-9]{1,5}_[^/\0]{1,8}\.(jpg|PNG|txt)\Z").map(str.encode),
            st.from_regex(r"\A[0-9]{1,12}_?[^/\0]{0,4}\.jpg\Z").map(str.encode),
        ).filter(lambda n: not set(n) & {0, ord("/")} and n not in (b".", b"..")),
        max_size=8,
        unique=True,
    )
)
def test_every_name_is_an_item_or_a_finding(
    tmp_path_factory: pytest.TempPathFactory, names: list[bytes]
) -> None:
    top = placed(tmp_path_factory.mktemp("fuzz"), images("0_always.jpg"))
    for name in {*names} - {TEXTS.encode(), b"categories.json"}:
        Path(os.fsdecode(os.fsencode(top) + b"/images/" + name)).touch()
    reading = read(top)
    assert len(reading.items) + len(reading.findings) == len({*names, b"0_always.jpg"})
    assert reading.findings["finding_id"].is_unique().all()
    assert reading.findings["finding_id"].is_sorted()
    found = [image_id.removeprefix("images/") for image_id in ids(reading)]
    assert found == sorted(found, key=lambda name: (category_of(name), name))
    for path, label, subset in zip(
        found, reading.items["label"], reading.items["subset"], strict=True
    ):
        category = category_of(path)
        assert (label, subset) == (str(category), subset_of(category))


def test_subsets_are_those_of_the_benchmark(tmp_path: Path) -> None:
    edges = [edge for ids in SUBSETS.values() for edge in (ids.start, ids.stop - 1)]
    reading = read(placed(tmp_path, images(*(f"{e}_x.jpg" for e in [*edges, 1200]))))
    assert reading.items["subset"].to_list() == [
        *(name for name in SUBSETS for _ in range(2)),
        None,
    ]


def test_a_real_set_is_read_in_place(shared_data: Path) -> None:
    path = shared_data / "gpr_like"
    reading = read(path)
    items = reading.items
    assert len(items) == 2000
    assert items.group_by("label").len()["len"].to_list() == [10] * 200
    assert items["label"].to_list() == [str(row // 10) for row in range(2000)]
    assert items["text"].null_count() == 0
    assert items.filter(label="0")["text"].unique().to_list() == ["Golden Delicious"]
    assert items["subset"].unique().to_list() == ["landmarks"]
    assert reading.findings.is_empty()
    first = open_files(path).read(items["image_id"][0])
    assert first == (path / "images" / "0_Golden-Delicious_002.jpg").read_bytes()


def test_only_the_benchmark_itself_gets_its_subsets_and_missing_categories_are_found(
    tmp_path: Path,
) -> None:
    names = [f"{c}_{n}.jpg" for c in range(1200) if c not in (7, 1003) for n in range(2)]
    top = placed(tmp_path / "most", dict.fromkeys((f"images/{n}" for n in names), b""))
    source = SOURCES.build({"kind": "gpr1200"}, "card")
    reading = read(top)
    assert source.settled(reading.items) == {}
    assert checks(reading) == [("incomplete", "GPR1200")]
    assert reading.findings["detail"][0] == "2 of 1,200 categories have no image: 7, 1003"
    few = placed(tmp_path / "few", images(*FEW))
    assert source.settled(read(few).items) == {"subsets": "none"}
    assert read(few, subsets="none").items["subset"].null_count() == len(FEW)
    named = SOURCES.build({"kind": "gpr1200", "subsets": "by_number"}, "card")
    assert named.settled(read(few).items) == {}
    more = placed(tmp_path / "more", dict.fromkeys((f"images/{n}" for n in names), b""))
    placed(more, images("1200_a.jpg"))
    assert source.settled(read(more).items) == {"subsets": "none"}
    assert checks(read(more)) == []
