"""Persons, clothes, sketches, landmarks: the same thing in other pictures."""

import pickle  # noqa: TID251 (the format of the ground truth)
from typing import Any

from known_miniatures import Miniature
from memory_files import images

_SHOP = (
    "3\nimage_name item_id evaluation_status\n"
    "img/WOMEN/Dresses/id_00000002/02_1_front.jpg   id_00000002 train\n"
    "img/WOMEN/Dresses/id_00000004/03_2_side.jpg    id_00000004 query\n"
    "img/MEN/Denim/id_00000080/01_1_front.jpg       id_00000080 gallery\n"
)
_DRESS = "Img/img/WOMEN/Dresses/id_00000002/02_1_front.jpg"
_SIDE = "Img/img/WOMEN/Dresses/id_00000004/03_2_side.jpg"
_DENIM = "Img/img/MEN/Denim/id_00000080/01_1_front.jpg"
_EVAL = "Eval/list_eval_partition.txt"
_BOXES = "Anno/list_bbox_inshop.txt"
_SHOP_ITEMS = {
    _DRESS: ["id_00000002", "train", None],
    _SIDE: ["id_00000004", "test", "query"],
    _DENIM: ["id_00000080", "test", "gallery"],
}

_SKETCH = "256x256/sketch/"
_PHOTO = "256x256/photo/"
_PLANE = "airplane/n02691156_10151"
_TREE = "tree/n12100538_1"
_SKETCHY = images(
    f"{_SKETCH}tx_000000000000/{_PLANE}-1.png",
    f"{_SKETCH}tx_000000000000/{_PLANE}-2.png",
    f"{_SKETCH}tx_000000000000/{_TREE}-1.png",
    f"{_SKETCH}tx_000100000000/{_PLANE}-1.png",
    f"{_PHOTO}tx_000000000000/{_PLANE}.jpg",
    f"{_PHOTO}tx_000000000000/{_TREE}.jpg",
    f"{_PHOTO}tx_000100000000/{_PLANE}.jpg",
)
_DRAWINGS: dict[str, list[Any]] = {
    f"{_SKETCH}tx_000000000000/{_PLANE}-1.png": ["airplane", "test", "query", _PLANE, 1],
    f"{_SKETCH}tx_000000000000/{_PLANE}-2.png": ["airplane", "test", "query", _PLANE, 2],
    f"{_SKETCH}tx_000000000000/{_TREE}-1.png": ["tree", "train", "query", _TREE, 1],
    f"{_PHOTO}tx_000000000000/{_PLANE}.jpg": ["airplane", "test", "gallery", _PLANE, None],
    f"{_PHOTO}tx_000000000000/{_TREE}.jpg": ["tree", "train", "gallery", _TREE, None],
}


def _pairs(photos: str, sketches: str, **lists: str) -> Miniature:
    """Return photos 1 (training) and 2 (testing) with sketches, in these folders."""
    names = [photos.format(split=s, n=n) for n, s in ((1, "train"), (2, "test"))]
    drawn = [sketches.format(split=s, n=n) for n, s in ((1, "train"), (2, "test"))]
    odd = sketches.format(split="test", n=9)
    items = {
        path: [str(n), split, role]
        for role, paths in (("gallery", names), ("query", drawn))
        for path, n, split in zip(paths, (1, 2), ("train", "test"), strict=True)
    }
    files = {
        **images(*names, *drawn, odd),
        **{f"{name}.txt": text for name, text in lists.items()},
    }
    return Miniature(files, "label split role", items,
                     findings=frozenset({f"no-photo: {odd}"}),
                     counts=frozenset())  # fmt: skip


def _landmark(name: str) -> Miniature:
    entry = {"bbx": [1.0, 2.0, 30.0, 40.0], "easy": [0], "hard": [], "junk": []}
    truth = {"imlist": ["tower_1"], "qimlist": ["tower_2"], "gnd": [entry]}
    return Miniature(
        {
            **images("jpg/tower_1.jpg", "jpg/tower_2.jpg"),
            f"gnd_{name}.pkl": pickle.dumps(truth, protocol=2),
        },
        "label role",
        {"jpg/tower_1.jpg": [None, "gallery"], "jpg/tower_2.jpg#1": ["tower", "query"]},
        {"jpg/tower_2.jpg#1": [1, 2, 30, 40]},
        counts=frozenset({"incomplete: role query"}),
    )


MINIATURES = {
    "in-shop": Miniature(
        {
            **images(_DRESS, _SIDE, _DENIM),
            _EVAL: _SHOP,
            _BOXES: (
                "3\nimage_name clothes_type pose_type x_1 y_1 x_2 y_2\n"
                "img/WOMEN/Dresses/id_00000002/02_1_front.jpg 3 1 50 49 208 236\n"
                "img/WOMEN/Dresses/id_00000004/03_2_side.jpg 3 2 65 48 194 204\n"
            ),
        },
        "label split role",
        {(f"{path}#1" if path != _DENIM else path): row for path, row in _SHOP_ITEMS.items()},
        {f"{_DRESS}#1": [50, 49, 208, 236], f"{_SIDE}#1": [65, 48, 194, 204]},
        frozenset({f"incomplete: {_BOXES}", f"unjoined: {_EVAL} with {_BOXES}"}),
        {"Img/img.zip": "Img/"},
        frozenset({"incomplete: role query", "incomplete: role gallery"}),
        queries={"in-shop": 1 + 1},
    ),
    "in-shop/no-boxes": Miniature(
        {**images(_DRESS, _SIDE, _DENIM), _EVAL: _SHOP},
        "label split role",
        _SHOP_ITEMS,
        queries={"in-shop": 1 + 1},
    ),
    "market-1501": Miniature(
        {
            **images(
                "M/bounding_box_train/0002_c1s1_000451_03.jpg",
                "M/bounding_box_test/-1_c1s1_000401_03.jpg",
                "M/bounding_box_test/0000_c1s1_000151_01.jpg",
                "M/bounding_box_test/0001_c1s1_001051_03.jpg",
                "M/query/0001_c2s3_000301_00.jpg",
                "M/query/odd.jpg",
                "M/gt_bbox/0001_c1s1_001051_00.jpg",
            ),
            "M/gt_query/0001_c1s1_001051_00_good.mat": b"",
            "M/bounding_box_train/Thumbs.db": b"",
        },
        "label split role camera sequence",
        {
            "M/bounding_box_train/0002_c1s1_000451_03.jpg": ["0002", "train", None, 1, 1],
            "M/bounding_box_test/-1_c1s1_000401_03.jpg": ["-1", "test", "gallery", 1, 1],
            "M/bounding_box_test/0000_c1s1_000151_01.jpg": ["0000", "test", "gallery", 1, 1],
            "M/bounding_box_test/0001_c1s1_001051_03.jpg": ["0001", "test", "gallery", 1, 1],
            "M/query/0001_c2s3_000301_00.jpg": ["0001", "test", "query", 2, 3],
        },
        findings=frozenset(
            {"bad-name: M/query/odd.jpg", "not-an-image: M/bounding_box_train/Thumbs.db"}
        ),
        archives={"Market-1501-v15.09.15.zip": ""},
        counts=frozenset({"incomplete: role gallery", "incomplete: labels"}),
        queries={"market-1501": 1 + 2},
    ),
    "sketchy": Miniature(
        {**_SKETCHY, "info/testset.txt": f"{_PLANE}.jpg\nship/n1_2.jpg\n"},
        "label split role photo drawing",
        _DRAWINGS,
        counts=frozenset({"incomplete: role gallery"}),
        queries={
            "sketch-category": 2 + 1,
            "sketchy-zero-shot-25": 3 + 2,
            "sketchy-zero-shot-21": 1 + 1,
        },
    ),
    "sketchy/without-list": Miniature(
        _SKETCHY,
        "label split role photo drawing",
        {path: [row[0], None, *row[2:]] for path, row in _DRAWINGS.items()},
        counts=frozenset({"incomplete: labels"}),
        queries={"sketchy-zero-shot-25": 3 + 2},
    ),
    "sketchy-extended": Miniature(
        images(
            f"{_SKETCH}tx_000000000000/{_PLANE}-1.png",
            f"{_SKETCH}tx_000000000010/{_PLANE}-1.png",
            f"{_PHOTO}tx_000000000000/{_PLANE}.jpg",
            f"EXTEND_image_sketchy/{_PLANE}.jpg",
            "EXTEND_image_sketchy/airplane/ext_1.jpg",
            "EXTEND_image_sketchy/stray.jpg",
        ),
        "label role photo",
        {
            f"{_SKETCH}tx_000000000000/{_PLANE}-1.png": ["airplane", "query", _PLANE],
            f"EXTEND_image_sketchy/{_PLANE}.jpg": ["airplane", "gallery", _PLANE],
            "EXTEND_image_sketchy/airplane/ext_1.jpg": [
                "airplane", "gallery", "airplane/ext_1",
            ],
        },
        findings=frozenset({"bad-name: EXTEND_image_sketchy/stray.jpg"}),
        counts=frozenset({"incomplete: role gallery"}),
        queries={"sketchy-zero-shot-25": 1 + 2},
    ),
    "shoe-v2": _pairs(
        "ShoeV2/ShoeV2_photo/{n}.png", "ShoeV2/ShoeV2_sketch/{n}_1.png",
        photo_train="1.png\n", photo_test="2.png\n",
        sketch_train="1_1.svg\n", sketch_test="2_1.svg\n9_1.svg\n",
    ),
    "shoe-v2/folders": _pairs("photo/{split}/{n}.png", "sketch/{split}/{n}_1.png"),
    "chair-v2/arnet": _pairs("{split}B/{n}.png", "{split}A/{n}_1.png"),
    "chair-v2": _pairs("photo/{split}/{n}.png", "sketch/{split}/{n}_1.png"),
    "clothes-v1": _pairs("{split}B/{n}.png", "{split}A/{n}_01.png"),
    "roxford5k": _landmark("roxford5k"),
    "rparis6k": _landmark("rparis6k"),
}  # fmt: skip
