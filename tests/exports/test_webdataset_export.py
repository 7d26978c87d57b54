import json
import subprocess
import sys
import tarfile
from pathlib import Path

import polars as pl
import pytest

import likewise


def test_shards_of_samples(workspace: Path) -> None:
    likewise.export("emoji", "webdataset", workspace / "out")
    items = likewise.open("emoji").items
    with tarfile.open(workspace / "out" / "all-000000.tar") as shard:
        names = shard.getnames()
        assert names[:3] == ["000000000.jpg", "000000000.json", "000000000.cls"]
        assert len(names) == 3 * 24
        for row, item in enumerate(items.iter_rows(named=True)):
            data, entry, label = (
                shard.extractfile(f"{row:09d}.{kind}") for kind in ("jpg", "json", "cls")
            )
            assert data is not None
            assert entry is not None
            assert label is not None
            original = workspace / "emoji" / "images" / item["image_id"]
            assert data.read() == original.read_bytes()
            told = json.loads(entry.read())
            assert told["id"] == item["image_id"]
            assert told["label"] == item["label"] == label.read().decode()
            assert told["text"] == item["text"]
            assert told["subset"] == item["subset"]


def test_boxes_are_in_the_json(cards: Path, tmp_path: Path) -> None:
    likewise.export("cards", "webdataset", tmp_path / "out", workspace=cards)
    items = likewise.open("cards", workspace=cards).items
    found = []
    for path in sorted((tmp_path / "out").glob("*.tar")):
        split = path.name.partition("-")[0]
        with tarfile.open(path) as shard:
            for member in shard:
                if member.name.endswith(".json"):
                    file = shard.extractfile(member)
                    assert file is not None
                    entry = json.loads(file.read())
                    found += [
                        (entry["id"], split, box["label"], box["box"]) for box in entry["boxes"]
                    ]
    expected = items.select("image_id", "split", "label", pl.col("box").arr.to_list()).rows()
    assert sorted(found) == sorted(expected)


def test_the_library_reads_it(workspace: Path) -> None:
    pytest.importorskip("webdataset")
    likewise.export("emoji", "webdataset", workspace / "out")
    program = (
        "import sys, webdataset\n"
        "found = webdataset.WebDataset(sys.argv[1], shardshuffle=False).decode('rgb8')\n"
        "for sample in found: print(sample['cls'], *sample['jpg'].shape)\n"
    )
    shard = str(workspace / "out" / "all-000000.tar")
    command = [sys.executable, "-c", program, shard]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    items = likewise.open("emoji").items
    expected = [
        f"{r[0]} {r[1]} {r[2]} 3" for r in items.select("label", "height", "width").rows()
    ]
    assert done.stdout.splitlines() == expected
