"""ImageNet in folders and in the official tars, whole and as named subsets."""

import hashlib
import io
import json
import random
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

import likewise
from archives import Tree, placed, tarred
from likewise.errors import ConfigError, DataError, UnknownNameError
from likewise.sources import SOURCES
from likewise.sources.base import Reading

FOX, SETTER, CRANE, LIFT = "n02119789", "n02100735", "n02012849", "n03126707"
"""Four classes: two of them have the human label crane."""

TOP = "Data/CLS-LOC/"
LISTS = "ImageSets/CLS-LOC/"
TRAIN = [f"{FOX}_10", f"{FOX}_9", f"{CRANE}_2", f"{LIFT}_3", f"{SETTER}_7"]
META = f"""\
ILSVRC2015_CLSLOC_ID,WNID,name,description,num_train_images,human_label
1,{FOX},"kit fox, Vulpes macrotis",small grey fox,1300,kit_fox
2,{SETTER},English setter,a breed,1300,English_setter
429,{CRANE},crane,a bird,1300,crane
545,{LIFT},crane,lifts things,1300,crane
"""
TRUTH = "429\n545\n1\n"


def val(number: int) -> str:
    return f"ILSVRC2012_val_{number:08d}"


def tree() -> Tree:
    return {
        **{f"{TOP}train/{name[:9]}/{name}.JPEG": name.encode() for name in TRAIN},
        **{f"{TOP}val/{val(n)}.JPEG": val(n).encode() for n in (1, 2, 3)},
        f"{LISTS}train_cls.txt": "".join(
            f"{name[:9]}/{name} {n}\n" for n, name in enumerate(sorted(TRAIN), start=1)
        ).encode(),
        f"{LISTS}val.txt": "".join(f"{val(n)} {n}\n" for n in (1, 2, 3)).encode(),
        "meta_clsloc.csv": META.encode(),
        "ILSVRC2015_clsloc_validation_ground_truth.txt": TRUTH.encode(),
    }


def devkit() -> bytes:
    """The tables of ILSVRC2012's devkit: synsets by id, inner nodes of WordNet behind them."""
    rows = [
        (1, FOX, "kit fox, Vulpes macrotis", "small grey fox", 1300),
        (2, SETTER, "English setter", "a breed", 1300),
        (429, CRANE, "crane", "a bird", 1300),
        (545, LIFT, "crane", "lifts things", 1300),
        (1001, "n00001740", "entity", "what is", 0),
    ]
    fields = ["ILSVRC2012_ID", "WNID", "words", "gloss", "num_train_images"]
    synsets = np.array([[row] for row in rows], dtype=[(name, object) for name in fields])
    stream = io.BytesIO()
    savemat(stream, {"synsets": synsets.reshape(-1, 1)})
    return stream.getvalue()


def official(top: Path) -> Path:
    """The same images as the official tars hold them, and the devkit's own tar."""
    wnids = sorted({name[:9] for name in TRAIN})
    classes = {
        f"{w}.tar": tarred({f"{n}.JPEG": n.encode() for n in TRAIN if n.startswith(w)})
        for w in wnids
    }
    folder = "ILSVRC2012_devkit_t12/data/"
    kit = {
        f"{folder}meta.mat": devkit(),
        f"{folder}ILSVRC2012_validation_ground_truth.txt": TRUTH.encode(),
    }
    images = {f"{val(n)}.JPEG": val(n).encode() for n in (1, 2, 3)}
    return placed(
        top,
        {
            "ILSVRC2012_img_train.tar": tarred(classes),
            "ILSVRC2012_img_val.tar": tarred(images),
            "ILSVRC2012_devkit_t12.tar.gz": tarred(kit, "w:gz"),
        },
    )


def read(path: Path, annotations: Path | None = None, **options: object) -> Reading:
    source = SOURCES.build({"kind": "imagenet", **options}, "card")
    return source.read(source.open(path), annotations or path)


def rows(reading: Reading, *columns: str) -> list[tuple[object, ...]]:
    return list(reading.items.select(columns).iter_rows())


def found(reading: Reading) -> list[str]:
    return reading.findings["finding_id"].to_list()


def test_every_id_and_name_is_kept(tmp_path: Path) -> None:
    reading = read(placed(tmp_path, tree()))
    assert reading.findings.is_empty()
    columns = ("split", "label", "text", "devkit_id", "class_index", "list_id")
    assert rows(reading, *columns) == [
        # The place among the sorted WNIDs: crane (bird), setter, fox, crane (lift).
        ("train", CRANE, "crane", 429, 0, 1),
        ("train", SETTER, "English_setter", 2, 1, 2),
        ("train", FOX, "kit_fox", 1, 2, 3),
        ("train", FOX, "kit_fox", 1, 2, 4),
        ("train", LIFT, "crane", 545, 3, 5),
        ("val", CRANE, "crane", 429, 0, 1),
        ("val", LIFT, "crane", 545, 3, 2),
        ("val", FOX, "kit_fox", 1, 2, 3),
    ]
    assert reading.items["wnid"].equals(reading.items["label"])
    first = reading.items.filter(label=FOX).to_dicts()[0]
    assert first["item_id"] == f"{TOP}train/{FOX}/{FOX}_10.JPEG"
    assert (first["words"], first["gloss"]) == ("kit fox, Vulpes macrotis", "small grey fox")
    assert (first["train_images"], first["subset"], first["role"]) == (1300, None, None)


def test_the_order_of_a_subsets_list_is_that_of_its_labels(tmp_path: Path) -> None:
    top = placed(tmp_path, {**tree(), "mine.txt": f"{LIFT}\r\n\r\n{CRANE}\r\n".encode()})
    reading = read(top, subset="mine.txt")
    assert rows(reading, "split", "label", "class_index", "subset", "list_id") == [
        ("train", CRANE, 1, "mine", 1),
        ("train", LIFT, 0, "mine", 5),
        ("val", CRANE, 1, "mine", 1),
        ("val", LIFT, 0, "mine", 2),
    ]
    assert reading.findings.is_empty()
    digest = hashlib.sha256(f"{LIFT}\n{CRANE}".encode()).hexdigest()
    assert read(top, subset="mine.txt", subset_sha256=digest).items.equals(reading.items)
    with pytest.raises(ConfigError, match=f"that of 'mine' is {digest}"):
        read(top, subset="mine.txt", subset_sha256="0" * 64)
    with pytest.raises(ConfigError, match="subset is missing"):
        read(top, subset_sha256=digest)


@pytest.mark.parametrize("place", ["lists", "lists/mine.txt", "lists.tar"])
def test_a_list_of_ones_own_lies_anywhere(tmp_path: Path, place: str) -> None:
    top = placed(tmp_path / "data", tree())
    own = {"mine.txt": f"{LIFT}\n{CRANE}\n".encode()}
    placed(tmp_path / "lists", own)
    (tmp_path / "lists.tar").write_bytes(tarred(own))
    reading = read(top, tmp_path / place, subset="mine.txt")
    assert reading.findings.is_empty()
    assert rows(reading, "label", "class_index", "text") == [
        (CRANE, 1, "crane"),
        (LIFT, 0, "crane"),
        (CRANE, 1, "crane"),
        (LIFT, 0, "crane"),
    ]
    broken = placed(tmp_path / "broken", {"map_clsloc.txt": b"x"})
    with pytest.raises(DataError, match=f"{broken}/map_clsloc.txt is no table"):
        read(top, broken)


def test_shipped_subsets_are_the_ones_that_papers_use(tmp_path: Path) -> None:
    placed(tmp_path, {f"{TOP}train/n02701002/n02701002_1.JPEG": b""})  # ambulance is in both
    for name, count, label, digest in (
        (
            "imagenet30",
            30,
            2,
            "ea01557b5794836b80b3d914759e3465d3b97245bc6c031559f072829f036538",
        ),
        (
            "imagenet100",
            100,
            48,
            "b06db93f7ac2851ef476c162d6c4cbba17197be0269c88005add46486f682cb0",
        ),
    ):
        reading = read(tmp_path, subset=name, subset_sha256=digest)
        assert rows(reading, "subset", "class_index") == [(name, label)]
        assert set(reading.findings["check"]) == {"no-images"}
        assert len(reading.findings) == count - 1


@pytest.mark.parametrize("lists", [True, False])
def test_official_tars_give_the_rows_of_the_folders(tmp_path: Path, lists: bool) -> None:
    content = tree()
    folders = {name: data for name, data in content.items() if lists or LISTS not in name}
    expected = read(placed(tmp_path / "folders", folders))
    official(tmp_path / "tars")
    if lists:
        placed(tmp_path / "tars", {n: d for n, d in content.items() if LISTS in n})
    reading = read(tmp_path / "tars")
    assert reading.findings.is_empty()
    columns = ("split", "label", "devkit_id", "class_index", "words", "gloss", "list_id")
    assert rows(reading, *columns) == rows(expected, *columns)
    assert reading.items["image_id"].to_list()[0] == (
        f"ILSVRC2012_img_train.tar/{CRANE}.tar/{CRANE}_2.JPEG"
    )
    train = read(tmp_path / "tars" / "ILSVRC2012_img_train.tar")
    assert train.items["split"].to_list() == ["train"] * 5
    validation = read(
        tmp_path / "tars" / "ILSVRC2012_img_val.tar",
        tmp_path / "tars" / "ILSVRC2012_devkit_t12.tar.gz",
    )
    assert validation.items["label"].to_list() == [CRANE, LIFT, FOX]


@pytest.mark.parametrize("top", ["", "ILSVRC/Data/CLS-LOC/", "imagenet/"])
def test_a_tree_without_any_table_is_read(tmp_path: Path, top: str) -> None:
    content = {f"{top}train/{n[:9]}/{n}.JPEG": b"" for n in TRAIN}
    content |= {f"{top}val/{FOX}/{val(7)}.JPEG": b"", f"{top}val/{CRANE}/{val(3)}.JPEG": b""}
    content[f"{top}test/ILSVRC2012_test_00000001.JPEG"] = b""
    names = random.Random(2).sample(sorted(content), len(content))  # noqa: S311
    reading = read(placed(tmp_path, {name: content[name] for name in names}))
    assert reading.findings.is_empty()
    assert rows(reading, "split", "label", "class_index", "list_id") == [
        ("train", CRANE, 0, None),
        ("train", SETTER, 1, None),
        ("train", FOX, 2, None),
        ("train", FOX, 2, None),
        ("train", LIFT, 3, None),
        ("val", CRANE, 0, 3),
        ("val", FOX, 2, 7),
        ("test", None, None, 1),
    ]


def test_another_task_beside_it_is_left_alone(tmp_path: Path) -> None:
    content = {**tree(), f"Data/DET/train/ILSVRC2013_train/{FOX}/{FOX}_99.JPEG": b""}
    reading = read(placed(tmp_path, content))
    assert len(reading.items) == 8
    assert reading.findings.is_empty()


def test_other_tables_say_the_same(tmp_path: Path) -> None:
    content = {n: d for n, d in tree().items() if "meta" not in n and "ground" not in n}
    solution = [f"{val(1)},{CRANE} 1 2 3 4", f"{val(2)},{LIFT}", f"{val(3)},{FOX} 5 6 7 8 "]
    tables = {
        "LOC_val_solution.csv": "\r\n".join(["ImageId,PredictionString", *solution]).encode(),
        "LOC_synset_mapping.txt": f"{FOX} kit fox, Vulpes macrotis\n{CRANE} crane\n".encode(),
        "devkit/data/map_clsloc.txt": f"{FOX} 1 kit_fox\n{SETTER} 2 English_setter\n".encode(),
        "imagenet_class_index.json": json.dumps({"3": [LIFT, "crane"]}).encode(),
    }
    reading = read(placed(tmp_path, {**content, **tables}))
    assert reading.findings.is_empty()
    assert reading.items.filter(split="val")["label"].to_list() == [CRANE, LIFT, FOX]
    shown = reading.items.filter(split="train").select("label", "text", "devkit_id", "words")
    assert shown.unique(maintain_order=True).rows() == [
        (CRANE, "crane", None, "crane"),
        (SETTER, "English_setter", 2, None),
        (FOX, "kit_fox", 1, "kit fox, Vulpes macrotis"),
        (LIFT, "crane", None, None),
    ]


GROUND = "ILSVRC2015_clsloc_validation_ground_truth.txt"


@pytest.mark.parametrize(
    ("name", "data", "finding"),
    [
        (
            f"{TOP}train/{FOX}/{SETTER}_1.JPEG",
            b"",
            f"bad-name: {TOP}train/{FOX}/{SETTER}_1.JPEG",
        ),
        (f"{TOP}train/fox/1.JPEG", b"", f"bad-name: {TOP}train/fox/1.JPEG"),
        (f"{TOP}train/{FOX}/x.txt", b"", f"not-an-image: {TOP}train/{FOX}/x.txt"),
        (f"{TOP}val/.DS_Store", b"", f"not-an-image: {TOP}val/.DS_Store"),
        (f"{TOP}val/{val(2)}.png", b"", f"twice: {TOP}val/{val(2)}.png"),
        (f"{LISTS}val.txt", f"{val(1)} 1\n{val(9)} 9\n".encode(), f"dangling: {LISTS}val.txt"),
        (
            f"{LISTS}val.txt",
            f"{val(1)} 1\n{val(1)} 1\n".encode(),
            f"listed-twice: {LISTS}val.txt",
        ),
        (f"{LISTS}val.txt", b"a b c d\n", f"bad-annotation: {LISTS}val.txt: line 1"),
        (GROUND, b"429\n545\n", f"no-label: {TOP}val/{val(3)}.JPEG"),
        (GROUND, None, "no-label: val"),
        (
            "LOC_val_solution.csv",
            f"{val(1)},{FOX}\n".encode(),
            "contradiction: LOC_val_solution.csv",
        ),
        (
            "LOC_val_solution.csv",
            f"{val(1)},{CRANE}\n{val(2)},crane\n".encode(),
            "bad-annotation: LOC_val_solution.csv",
        ),
        (f"{TOP}train/n99999999/n99999999_1.JPEG", b"", "unknown-class: n99999999"),
    ],
)
def test_damage_is_a_finding(
    tmp_path: Path, name: str, data: bytes | None, finding: str
) -> None:
    content = tree()
    content.pop(name, None)
    if data is not None:
        content[name] = data
    reading = read(placed(tmp_path, content))
    assert finding in found(reading)
    assert len(set(reading.findings["check"])) == 1
    assert len(reading.items) == (9 if "n99999999" in name else 8)
    assert reading.findings["detail"].str.len_chars().max() < 250  # type: ignore[operator]


def test_a_ground_truth_line_that_is_no_class_is_told(tmp_path: Path) -> None:
    reading = read(placed(tmp_path, {**tree(), GROUND: b"429\n9999\nfox\n"}))
    assert found(reading) == [
        f"bad-annotation: {GROUND}",
        f"no-label: {TOP}val/{val(2)}.JPEG",
        f"no-label: {TOP}val/{val(3)}.JPEG",
    ]
    bare = tree()
    del bare["meta_clsloc.csv"]
    assert found(read(placed(tmp_path / "bare", bare))) == [
        f"bad-annotation: {GROUND}",
        "no-label: val",
    ]


def test_a_folder_and_the_ground_truth_that_differ_are_told(tmp_path: Path) -> None:
    content = tree()
    content[f"{TOP}val/{FOX}/{val(1)}.JPEG"] = content.pop(f"{TOP}val/{val(1)}.JPEG")
    reading = read(placed(tmp_path, content))
    assert found(reading) == [f"contradiction: {TOP}val/{FOX}/{val(1)}.JPEG"]
    assert reading.items.filter(split="val", list_id=1)["label"].to_list() == [CRANE]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("meta_clsloc.csv", b"id,wnid\n1,x\n", r"meta_clsloc\.csv is no table of ImageNet's"),
        ("meta_clsloc.csv", META.encode()[:120] + b"\xff", r"line \d+: not utf-8"),
        ("map_clsloc.txt", f"{FOX} one kit_fox".encode(), r"map_clsloc\.txt is no table"),
        ("map_clsloc.txt", b"fox 1 kit_fox", "has what is no WNID: 'fox'"),
        ("map_clsloc.txt", f"{FOX} 1 a\n{FOX} 2 b".encode(), f"names a class twice: {FOX}"),
        ("class_index.json", b"{", r"class_index\.json is no table"),
        ("class_index.json", b'{"0": 1}', r"class_index\.json is no table"),
        ("class_index.json", b"[" * 100_000, r"class_index\.json is no table"),
        ("meta.mat", devkit()[:500], r"meta\.mat is damaged or cut short"),
        ("meta.mat", b"MATLAB 5.0", r"meta\.mat is damaged or cut short"),
        ("train.tar", tarred({"n1.tar": b"x" * 700}), r"'n1\.tar' is damaged"),
    ],
)
def test_tables_that_cannot_be_used_are_one_error(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    with pytest.raises(DataError, match=said) as error:
        read(placed(tmp_path, {**tree(), name: data}))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty"),
        (b"kit_fox\n", "no list of WNIDs, one a line as n02119789: 'kit_fox'"),
        (b"n0211978\n", "no list of WNIDs"),
        (f"{FOX}\n{CRANE}\n{FOX}\n".encode(), f"names a class twice.*: {FOX}"),
        (b"\xff\xfe\x00", "not utf-16"),
        (b"n01440764\n", "holds no image of the 1 classes of 'mine.txt'"),
    ],
)
def test_a_subset_that_is_no_list_is_one_error(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(placed(tmp_path, {**tree(), "mine.txt": data}), subset="mine.txt")


def test_a_subset_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    placed(tmp_path, tree())
    with pytest.raises(UnknownNameError, match="did you mean 'imagenet100'"):
        read(tmp_path, subset="imagenet10")
    placed(tmp_path, {"a/l.txt": b"", "b/l.txt": b""})
    with pytest.raises(DataError, match=r"several l\.txt: a/l\.txt, b/l\.txt"):
        read(tmp_path, subset="l.txt")


def test_nothing_of_the_layout_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no image found; expected train/\{wnid\}"):
        read(placed(tmp_path, {"cat/1.jpg": b""}))


def test_official_tars_become_tables(tmp_path: Path, pictures: Path) -> None:
    drawings = sorted(pictures.iterdir())
    classes = {
        f"{wnid}.tar": tarred(
            {f"{wnid}_{n}.JPEG": drawings[4 * at + n].read_bytes() for n in range(4)}
        )
        for at, wnid in enumerate((FOX, CRANE))
    }
    data = placed(tmp_path / "data", {"ILSVRC2012_img_train.tar": tarred(classes)})
    root = tmp_path / "catalogue"
    likewise.init(root)
    (root / "params.yaml").write_text("seed: 0\n", encoding="utf-8")  # no model
    likewise.add("inet", source="imagenet", path=data, workspace=root)
    done = likewise.ingest("inet", workspace=root)
    assert (done.items, done.images, done.findings) == (8, 8, {})
    published = likewise.publish("inet", workspace=root)
    assert published.items == 8
    table = likewise.open(workspace=root)["inet"].frame().collect()
    assert table["wnid"].to_list() == [CRANE] * 4 + [FOX] * 4
    assert likewise.ingest("inet", workspace=root).read == 0


def test_a_real_set_has_the_counts_of_its_readme(shared_data: Path) -> None:
    reading = read(shared_data / "imagenet_like")
    counts = reading.items.group_by("split", maintain_order=True).len().rows()
    assert counts == [("train", 693), ("val", 175)]
    assert reading.findings.is_empty()
    assert reading.items["label"].n_unique() == 35
    assert reading.items["label"].null_count() == 0
    index = json.loads((shared_data / "imagenet_like" / "class_index.json").read_text())
    known = {wnid: int(number) for number, (wnid, _) in index.items()}
    for label, number in rows(reading, "label", "class_index"):
        assert known[str(label)] == number


def test_the_real_tables_say_what_the_devkit_says(tmp_path: Path, shared_data: Path) -> None:
    placed(tmp_path, {f"val/{val(n)}.JPEG": b"" for n in range(1, 501)})
    kit = shared_data / "ilsvrc_meta" / "aux_files"
    by_id = read(tmp_path, kit)
    assert by_id.items["devkit_id"].to_list()[:3] == [490, 361, 171]
    by_name = read(tmp_path, shared_data / "ilsvrc_meta")
    assert by_id.items["label"].equals(by_name.items["label"])
    assert "contradiction" not in by_name.findings["check"]
    index = json.loads((kit.parent / "imagenet_class_index.json").read_text())
    assert [index[str(n)][0] for n in by_id.items["class_index"]] == by_id.items[
        "label"
    ].to_list()


@settings(max_examples=80, deadline=None)
@given(
    data=st.dictionaries(
        st.sampled_from(
            [
                *(f"{LISTS}train_cls.txt", f"{LISTS}val.txt", "meta_clsloc.csv", GROUND),
                *("LOC_val_solution.csv", "map_clsloc.txt", "class_index.json", "meta.mat"),
                *("LOC_synset_mapping.txt", "mine.txt"),
            ]
        ),
        st.one_of(
            st.binary(max_size=80),
            st.text(max_size=60).map(str.encode),
            st.lists(
                st.sampled_from([FOX, CRANE, val(1), "1", ",", " ", "\n"]), max_size=20
            ).map(lambda words: "".join(words).encode()),
        ),
        max_size=4,
    )
)
def test_any_tables_give_a_reading_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, data: Tree
) -> None:
    top = placed(tmp_path_factory.mktemp("fuzz"), {**tree(), **data})
    with suppress(DataError):
        reading = read(top, subset="mine.txt") if "mine.txt" in data else read(top)
        assert reading.items["item_id"].is_unique().all()
        assert reading.findings["finding_id"].is_unique().all()


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(
        st.tuples(
            st.sampled_from(
                ["", "train/", "val/", "test/", f"train/{FOX}/", f"{FOX}.tar/", "a/"]
            ),
            st.one_of(
                st.sampled_from([f"{FOX}_1.JPEG", f"{val(3)}.JPEG", f"{CRANE}_1.jpg", "n.png"]),
                st.text("n0_.aV/", min_size=1, max_size=9).map(lambda n: n + ".JPEG"),
            ),
        ).map("".join),
        max_size=10,
    )
)
def test_any_names_give_a_reading_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    top = tmp_path_factory.mktemp("fuzz")
    for name in names:
        with suppress(OSError):  # a name that is a file here and a folder there
            placed(top, {name: b""})
    with suppress(DataError):
        reading = read(top)
        assert reading.items["item_id"].is_unique().all()
        assert reading.items["split"].null_count() == 0
        for split, label in rows(reading, "split", "label"):
            assert label is not None or split != "train"
