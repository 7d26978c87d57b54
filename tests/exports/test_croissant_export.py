import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import likewise

pytest.importorskip("mlcroissant")

PROGRAM = """
import json, sys
import mlcroissant
dataset = mlcroissant.Dataset(jsonld=sys.argv[1])
issues = dataset.metadata.ctx.issues
told = {"errors": sorted(issues.errors), "records": {}}
for name in ("items", "images", "splits"):
    if name not in [r.id for r in dataset.metadata.record_sets]:
        continue
    rows = list(dataset.records(name))
    plain = {
        key: value.decode() if isinstance(value, bytes) else getattr(value, "size", value)
        for key, value in rows[0].items()
    }
    told["records"][name] = [len(rows), plain]
print(json.dumps(told))
"""


def read(folder: Path) -> dict[str, Any]:
    """Return the errors of the format's own validator, and the number of records it reads."""
    command = [sys.executable, "-c", PROGRAM, str(folder / "croissant.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_labels_are_valid_and_readable(workspace: Path) -> None:
    likewise.export("emoji", "croissant", workspace / "out")
    found = read(workspace / "out")
    assert found["errors"] == []
    items = likewise.open("emoji").items
    first = items.row(0, named=True)
    rows, record = found["records"]["items"]
    assert rows == 24
    assert record["items/image"] == f"images/{first['image_id']}"
    assert record["items/label"] == first["label"]
    assert record["items/width"] == first["width"]
    assert found["records"]["images"][0] == 24
    document = json.loads((workspace / "out" / "croissant.json").read_text("utf-8"))
    assert document["license"][0] == "https://spdx.org/licenses/CC-BY-SA-4.0.html"
    table = (workspace / "out" / "items.csv").read_bytes()
    assert document["distribution"][0]["sha256"] == hashlib.sha256(table).hexdigest()


def test_boxes_and_splits_are_valid_and_readable(cards: Path, tmp_path: Path) -> None:
    likewise.export("cards", "croissant", tmp_path / "out", workspace=cards)
    found = read(tmp_path / "out")
    assert found["errors"] == []
    items = likewise.open("cards", workspace=cards).items
    row = items.row(0, named=True)
    rows, record = found["records"]["items"]
    assert rows == 311
    corners = [record[f"items/{corner}"] for corner in ("x1", "y1", "x2", "y2")]
    assert corners == row["box"]
    assert record["items/split"] == row["split"]
    assert found["records"]["splits"][0] == items["split"].n_unique()
    assert found["records"]["images"][0] == 160
