"""Files in memory, so that properties of sources are tried on thousands of small data sets."""

import zlib
from pathlib import Path
from typing import Any

from likewise.formats.archives import FileCollection
from likewise.formats.archives.listing import FileListing, ListingBuilder
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult


class MemoryFiles(FileCollection):
    """Files in a dictionary: path -> bytes."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        super().__init__(Path("memory"))
        self._contents = contents

    def read(self, path: str) -> bytes:
        if path not in self._contents:
            raise self._missing(path)
        return self._contents[path]

    def _scan(self) -> FileListing:
        members = ListingBuilder(self.path)
        for name, data in self._contents.items():
            members.add(name.encode(), len(data), zlib.crc32(data))
        return members.build()


def read_memory(kind: str, contents: dict[str, bytes | str], **options: Any) -> SourceResult:
    """Read files in memory with a source and its options."""
    source = SOURCES.build({"kind": kind, **options}, "source")
    data = {
        name: text.encode() if isinstance(text, str) else text
        for name, text in contents.items()
    }
    files = MemoryFiles(data)
    return source.read(files, files.path)


def images(*names: str) -> dict[str, bytes | str]:
    """Return files of images without content, which sources never read."""
    return dict.fromkeys(names, b"")


def rows(result: SourceResult, *columns: str) -> dict[str, Any]:
    """Return the values of ``columns`` by item; of one column, its value alone."""
    values = result.items.select("item_id", *columns).iter_rows()
    return {key: rest[0] if len(rest) == 1 else rest for key, *rest in values}


def boxes(result: SourceResult) -> dict[str, list[float] | None]:
    """Return the box of each item."""
    found = zip(result.items["item_id"], result.items["box"], strict=True)
    return {key: None if box is None else box.to_list() for key, box in found}


def findings(result: SourceResult) -> dict[str, str]:
    """Return the detail of each finding by its id."""
    return dict(result.findings.select("finding_id", "detail").iter_rows())


BIRDS = images("images/001.A/A_1.jpg", "images/001.A/A_2.jpg", "images/200.B/B_1.jpg")
CUB: dict[str, bytes | str] = {
    **BIRDS,
    "images.txt": "1 001.A/A_1.jpg\n2 001.A/A_2.jpg\n3 200.B/B_1.jpg\n",
    "image_class_labels.txt": "1 1\n2 1\n3 200\n",
    "classes.txt": "1 001.A\n200 200.B\n201 201.C\n",
    "train_test_split.txt": "1 0\n2 1\n3 1\n",
    "bounding_boxes.txt": "1 6.0 2.0 25.0 11.0\n2 13.0 7.0 20.0 10.0\n3 1.0 1.0 10.0 10.0\n",
}
"""CUB-200-2011 in small: five tables without a header."""

MARKET = images(
    "bounding_box_train/0002_c1s1_000451_03.jpg",
    "bounding_box_test/-1_c1s1_000401_03.jpg",
    "bounding_box_test/0000_c1s1_000151_01.jpg",
    "bounding_box_test/0001_c1s1_001051_03.jpg",
    "query/0001_c2s1_000301_00.jpg",
    "gt_bbox/0001_c1s1_001051_00.jpg",
)
"""Market-1501 in small: label, camera and split are in the paths."""
