import os
import subprocess
import sys
from pathlib import Path

import pytest

import likewise

pytest.importorskip("datasets")

PROGRAM = """
import io, json, sys
from datasets import load_dataset
from datasets.features import ClassLabel, Image, List
found = load_dataset(sys.argv[1], cache_dir=sys.argv[2])
told = {}
for split, rows in found.items():
    assert isinstance(rows.features["image"], Image)
    assert isinstance(rows.features["label"], ClassLabel)
    names = rows.features["label"].names
    first = rows[0]
    entry = {"rows": len(rows), "size": first["image"].size, "id": first["image_id"]}
    entry["label"] = None if first["label"] is None else names[first["label"]]
    if "objects" in rows.features:
        assert isinstance(rows.features["objects"], List)
        entry["boxes"] = sum(len(row["objects"]) for row in rows.select_columns("objects"))
        entry["first"] = first["objects"][0]
        kinds = rows.features["objects"].feature["category"]
        entry["first"]["category"] = kinds.names[entry["first"]["category"]]
    told[split] = entry
print(json.dumps(told))
"""


def loaded(folder: Path, tmp_path: Path) -> dict[str, dict[str, object]]:
    """Load the export with ``datasets``, in a process without network."""
    import json

    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HOME": str(tmp_path / "home"),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), str(tmp_path / "cache")],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, object]] = json.loads(done.stdout)
    return found


def test_datasets_opens_labels(workspace: Path, tmp_path: Path) -> None:
    likewise.export("emoji", "huggingface", workspace / "out", options={"shard_mb": 1})
    found = loaded(workspace / "out", tmp_path)
    items = likewise.open("emoji").items
    first = items.row(0, named=True)
    assert found == {
        "train": {
            "rows": 24,
            "size": [first["width"], first["height"]],
            "id": first["image_id"],
            "label": first["label"],
        }
    }
    page = (workspace / "out" / "README.md").read_text("utf-8")
    assert page.startswith('---\npretty_name: "Emoji in GPR1200\'s layout"\n')
    assert "Licence: CC-BY-SA-4.0" in page


def test_datasets_opens_boxes(cards: Path, tmp_path: Path) -> None:
    likewise.export("cards", "huggingface", tmp_path / "out", workspace=cards)
    found = loaded(tmp_path / "out", tmp_path)
    items = likewise.open("cards", workspace=cards).items
    assert sum(int(str(split["rows"])) for split in found.values()) == 160
    assert sum(int(str(split["boxes"])) for split in found.values()) == 311
    row = items.filter(split="train").row(0, named=True)
    x1, y1, x2, y2 = row["box"]
    assert found["train"]["first"] == {
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "category": row["label"],
        "item_id": row["item_id"],
        "text": None,
        **{name: row[name] for name in ("pose", "truncated", "difficult", "occluded")},
    }
