"""``add`` names a damaged annotation file, and suggests no other layout for it."""

import json
import pickle  # noqa: TID251 (what the published files are)
from pathlib import Path

import pytest
from typer.testing import CliRunner

import likewise
from likewise.cli.app import app
from likewise.errors import DamagedError, DataError

PARAMS = "datasets: {}\nmodels: {}\nembeddings: {}\nindexes: {}\nruns: {}\n"

COCO = {
    "images": [{"id": 1, "file_name": "0_noto.jpg"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 20, 30]}],
    "categories": [{"id": 1, "name": "house"}],
}

XML = """<annotation><filename>0_noto.jpg</filename><object><name>house</name>
<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>20</xmax><ymax>30</ymax></bndbox></object>
</annotation>"""

TRUTH = {"imlist": ["0_noto"], "qimlist": ["0_fluent"], "gnd": []}

WHOLE: dict[str, tuple[str, str, bytes]] = {
    "coco": ("data", "annotations/instances_train.json", json.dumps(COCO).encode()),
    "gpr1200": ("data", "categories.json", json.dumps({"0": "house"}).encode()),
    "csv": ("data", "boxes.csv", "image,label\n0_noto.jpg,h\xe4user\n".encode("utf-16")),
    "roxford5k": ("data", "gnd_roxford5k.pkl", pickle.dumps(TRUTH, protocol=2)),
    "compcars": (
        "data/data/image/1/1/2014",
        "data/misc/make_model_name.mat",
        b"MATLAB 5.0 MAT-file".ljust(126) + b"IM" + bytes(7),
    ),
    "imagenet": (
        "data/train/n02119789",
        "imagenet_class_index.json",
        json.dumps({"0": ["n02119789", "kit fox"]}).encode(),
    ),
}
"""Kind -> path of the pictures, path of the annotations, and the start of that file."""


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a catalogue without data sets, and make it the current folder."""
    root = tmp_path / "bare"
    (root / "catalog").mkdir(parents=True)
    (root / "params.yaml").write_text(PARAMS, encoding="utf-8")
    monkeypatch.chdir(root)
    return root


def laid_out(pictures: Path, kind: str) -> Path:
    """Return the annotations file; the pictures are moved to the places of ``kind``."""
    folder, name, _ = WHOLE[kind]
    place = pictures.parent / folder
    place.parent.mkdir(parents=True, exist_ok=True)
    pictures.rename(place)
    note = pictures.parent / "data" / name
    note.parent.mkdir(parents=True, exist_ok=True)
    return note


@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_that_is_cut_short_is_named(bare: Path, pictures: Path, kind: str) -> None:
    note = laid_out(pictures, kind)
    data = WHOLE[kind][2]
    note.write_bytes(data[:-1] if kind != "csv" else data[:3])
    before = (bare / "params.yaml").read_bytes()
    with pytest.raises(DamagedError) as caught:
        likewise.add("drawn", source=kind, path=pictures.parent / "data")
    said = str(caught.value)
    assert note.name in said
    assert "--source" not in said
    assert len(said.splitlines()) == 1
    assert (bare / "params.yaml").read_bytes() == before
    assert list((bare / "catalog").iterdir()) == []


@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_of_other_bytes_is_named(bare: Path, pictures: Path, kind: str) -> None:
    note = laid_out(pictures, kind)
    note.write_bytes(b"\x00\xff\xd8?")
    with pytest.raises(DamagedError, match=note.name) as caught:
        likewise.add("drawn", source=kind, path=pictures.parent / "data")
    assert "--source" not in str(caught.value)


def test_json_of_another_kind_is_another_layout(bare: Path, pictures: Path) -> None:
    note = laid_out(pictures, "coco")
    note.write_text(json.dumps({"0": "house"}), encoding="utf-8")
    with pytest.raises(
        DataError, match=r"not COCO's JSON: .*; layouts that fit: --source"
    ) as told:
        likewise.add("drawn", source="coco", path=pictures.parent / "data")
    assert not isinstance(told.value, DamagedError)


def test_what_is_left_out_is_named(bare: Path, pictures: Path) -> None:
    top = pictures.parent / "voc"
    (top / "Annotations").mkdir(parents=True)
    pictures.rename(top / "JPEGImages")
    (top / "Annotations" / "0_noto.xml").write_text(XML, encoding="utf-8")
    for name in ("0_fluent", "0_openmoji", "0_twemoji"):
        (top / "Annotations" / f"{name}.xml").write_text(XML[:-1], encoding="utf-8")
    words = ["add", "drawn", "--source", "voc", "--path", str(top)]
    shown = CliRunner().invoke(app, words)
    assert shown.exit_code == 0
    first, second = (
        f"Annotations/0_{name}.xml: not VOC's XML: unclosed token: line 3, column 0"
        for name in ("fluent", "openmoji")
    )
    assert shown.output.splitlines()[:2] == [
        "drawn: 24 items, 1 label, 3 findings",
        f"unreadable and skipped: {first}, {second} and 1 more",
    ]
    assert likewise.add("again", source="voc", path=top).damaged.endswith(" and 1 more")
