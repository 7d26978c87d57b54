"""ImageNet in folders and in the official tars, with all facts of its tables."""

import json
import random
from pathlib import Path

import pytest

import likewise
from archives import placed, tarred
from imagenet_tree import (
    CRANE,
    FOX,
    LIFT,
    LISTS,
    SETTER,
    TOP,
    TRAIN,
    official,
    read,
    rows,
    tree,
    val,
)


def test_every_id_and_name_is_kept(tmp_path: Path) -> None:
    reading = read(placed(tmp_path, tree()))
    assert reading.findings.is_empty()
    columns = ("split", "label", "text", "devkit_id", "class_index", "list_id")
    assert rows(reading, *columns) == [
        # Index among the sorted WNIDs: crane (bird), setter, fox, crane (lift).
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


def test_another_task_and_is_left_alone(tmp_path: Path) -> None:
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
    (root / "params.yaml").write_text("seed: 0\n", encoding="utf-8")  # is not a model
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
