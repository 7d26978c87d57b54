"""Persons in networks of cameras, besides Market-1501."""

from typing import Any

from known_miniatures import Miniature
from memory_files import images

DUKE = "DukeMTMC-reID/"


def _msmt(top: str, train: str, test: str) -> Miniature:
    """Return MSMT17 with one image in each list, and a missing one in the gallery."""
    name = "0000/0000_00{}_{:02}_0303morning_0008_0.jpg"
    files: dict[str, bytes | str] = images(
        *(f"{top}{train}/{name.format(n, n + 1)}" for n in (0, 1)),
        *(f"{top}{test}/{name.format(n, n + 1)}" for n in (0, 1)),
        f"{top}{test}/0000/in_no_list.jpg",
    )
    files |= {
        f"{top}list_train.txt": f"{name.format(0, 1)} 0\n",
        f"{top}list_val.txt": f"{name.format(1, 2)} 0\n",
        f"{top}list_query.txt": f"{name.format(0, 1)} 0\n",
        f"{top}list_gallery.txt": f"{name.format(1, 2)} 0\n{name.format(2, 15)} 0\n",
    }
    items: dict[str, Any] = {
        f"{top}{train}/{name.format(0, 1)}": ["train_0", "train", None, "01"],
        f"{top}{train}/{name.format(1, 2)}": ["train_0", "train", None, "02"],
        f"{top}{test}/{name.format(0, 1)}": ["test_0", "test", "query", "01"],
        f"{top}{test}/{name.format(1, 2)}": ["test_0", "test", "gallery", "02"],
    }
    return Miniature(
        files,
        "label split role camera",
        items,
        findings=frozenset({f"dangling: {top}list_gallery.txt: line 2"}),
        counts=frozenset({"incomplete: role gallery"}),
        # one query, and the twin of the image in the gallery
        queries={"reidentification": 1 + 1},
    )


MINIATURES = {
    "dukemtmc-reid": Miniature(
        images(
            f"{DUKE}bounding_box_train/0001_c2_f0046182.jpg",
            f"{DUKE}bounding_box_test/0002_c1_f0044158.jpg",
            f"{DUKE}bounding_box_test/-1_c1_f0000001.jpg",
            f"{DUKE}query/0002_c2_f0044160.jpg",
            f"{DUKE}query/odd.jpg",
        ),
        "label split role camera frame",
        {
            f"{DUKE}bounding_box_train/0001_c2_f0046182.jpg": [
                "0001", "train", None, 2, "0046182",
            ],
            f"{DUKE}bounding_box_test/0002_c1_f0044158.jpg": [
                "0002", "test", "gallery", 1, "0044158",
            ],
            f"{DUKE}bounding_box_test/-1_c1_f0000001.jpg": [
                "-1", "test", "gallery", 1, "0000001",
            ],
            f"{DUKE}query/0002_c2_f0044160.jpg": ["0002", "test", "query", 2, "0044160"],
        },
        findings=frozenset({f"bad-name: {DUKE}query/odd.jpg"}),
        counts=frozenset({"incomplete: role query", "incomplete: role gallery"}),
        # one query, and the twins of two images in the gallery
        queries={"reidentification": 1 + 2},
    ),
    "msmt17": _msmt("MSMT17_V1/", "train", "test"),
    "msmt17/blurred": _msmt("MSMT17_V2/", "mask_train_v2", "mask_test_v2"),
}  # fmt: skip
