"""The cards in docs/layouts.md read the layouts that they describe."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import forked
import likewise
from memory_files import CUB, MARKET, findings, images, read_memory, rows

PAGE = Path(__file__).parents[2] / "docs" / "layouts.md"
HEAD = "image_id class_id super_class_id path\n"
SOP: dict[str, bytes | str] = {
    **images("bicycle_final/111_0.JPG", "chair_final/112_0.JPG"),
    "Ebay_train.txt": f"{HEAD}1 1 1 bicycle_final/111_0.JPG\n",
    "Ebay_test.txt": f"{HEAD}2 2 2 chair_final/112_0.JPG\n",
}
VERI: dict[str, bytes | str] = {
    **images("image_train/0001_c001_1.jpg", "image_train/0002_c009_2.jpg"),
    "train_label.xml": (
        '<?xml version="1.0" encoding="gb2312"?><TrainingImages Version="1.0">'
        '<Items number="2">'
        '<Item imageName="0001_c001_1.jpg" vehicleID="0001" cameraID="c001" colorID="1"/>'
        '<Item imageName="0002_c009_2.jpg" vehicleID="0002" cameraID="c009" colorID="4"/>'
        "</Items></TrainingImages>"
    ),
}
CAPTIONS = '[{"target": "B1", "candidate": "B2", "captions": ["is red", "has no sleeves"]}]'
FASHION_IQ: dict[str, bytes | str] = {
    **images("images/B1.jpg", "images/B2.jpg"),
    "image_splits/split.dress.train.json": '["B1", "B2"]',
    "captions/cap.dress.train.json": CAPTIONS,
}
SETS: dict[str, tuple[dict[str, bytes | str], dict[str, list[Any]]]] = {
    "CUB-200-2011": (
        CUB,
        {
            "images/001.A/A_1.jpg#1": ["001.A", "test"],
            "images/001.A/A_2.jpg#1": ["001.A", "train"],
            "images/200.B/B_1.jpg#1": ["200.B", "train"],
        },
    ),
    "Stanford Online Products": (
        SOP,
        {
            "bicycle_final/111_0.JPG": ["1", "train"],
            "chair_final/112_0.JPG": ["2", "test"],
        },
    ),
    "Market-1501": (
        {name: data for name, data in MARKET.items() if not name.startswith("gt_bbox")},
        {
            "bounding_box_train/0002_c1s1_000451_03.jpg": ["0002", "train"],
            "bounding_box_test/-1_c1s1_000401_03.jpg": [None, "test"],
            "bounding_box_test/0000_c1s1_000151_01.jpg": [None, "test"],
            "bounding_box_test/0001_c1s1_001051_03.jpg": ["0001", "test"],
            "query/0001_c2s1_000301_00.jpg": ["0001", "test"],
        },
    ),
    "VeRi, training images": (
        VERI,
        {
            "image_train/0001_c001_1.jpg": ["0001", "train"],
            "image_train/0002_c009_2.jpg": ["0002", "train"],
        },
    ),
    "Fashion-IQ, dresses": (
        FASHION_IQ,
        {"images/B1.jpg": [None, "train"], "images/B2.jpg": [None, "train"]},
    ),
}
"""Title of a card -> files, and label and split of the items."""


def cards() -> dict[str, str]:
    """Return the cards of the page by their titles."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return {yaml.safe_load(block)["title"]: block for block in blocks}


def test_every_card_is_tested_and_short() -> None:
    assert set(cards()) == set(SETS)
    assert all(len(text.splitlines()) <= 12 for text in cards().values())


@pytest.mark.parametrize("title", SETS)
def test_a_card_of_the_page_reads_its_layout(title: str) -> None:
    files, expected = SETS[title]
    options = yaml.safe_load(cards()[title])["source"]
    result = read_memory(options.pop("kind"), files, **options)
    assert rows(result, "label", "split") == expected
    assert {name.partition(":")[0] for name in findings(result)} <= {"unjoined"}


def written(folder: Path, files: dict[str, bytes | str]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


def test_a_layout_is_tried_before_it_is_added(tmp_path: Path) -> None:
    source = written(tmp_path / "cub", CUB)
    (tmp_path / "lab.yaml").write_text(cards()["CUB-200-2011"], encoding="utf-8")
    words = ("validate", "table", str(source), "--preview", "1")
    done = forked.run(tmp_path, "likewise", *words, "--card", "lab.yaml")
    assert done.returncode == 1  # classes.txt has a class without an image
    assert "images/001.A/A_2.jpg#1" in done.stdout
    assert "the first 1 of 3 items" in done.stderr
    assert "columns without a meaning of their own, which are kept: 2: id, class" in done.stdout
    tables = "images.txt(id image); image_class_labels.txt(id label) on id"
    short = forked.run(tmp_path, "likewise", *words, "-o", f"tables={tables}", "--json")
    assert '"label": "1"' in short.stdout
    assert '"left_over": [' in short.stdout
    with pytest.raises(likewise.ConfigError, match="of the kind 'table', not 'pattern'"):
        likewise.validate("pattern", source, card=tmp_path / "lab.yaml")


def test_a_card_is_copied_into_the_catalogue(tmp_path: Path) -> None:
    source = written(tmp_path / "cub", CUB)
    (tmp_path / "lab.yaml").write_text(
        f"{cards()['CUB-200-2011']}citation: Wah et al.\n", encoding="utf-8"
    )
    likewise.init(tmp_path / "cat")
    added = likewise.add(
        "birds", path=source, card=tmp_path / "lab.yaml", models=[], workspace=tmp_path / "cat"
    )
    assert (added.items, added.labels, added.splits) == (3, 2, {"train": 2, "test": 1})
    card = yaml.safe_load((tmp_path / "cat" / added.card).read_text(encoding="utf-8"))
    assert card["title"] == "CUB-200-2011"
    assert card["citation"] == "Wah et al."
    assert card["source"]["tables"][0] == "images.txt(id image)"
