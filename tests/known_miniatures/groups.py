"""Groups of photographs of one scene, object, vehicle or category."""

import json
from typing import Any

from known_miniatures import Miniature
from memory_files import images

_LABELS = (
    '<?xml version="1.0" encoding="gb2312"?><TrainingImages Version="1.0"><Items number="2">'
    '<Item imageName="{0}" vehicleID="0001" cameraID="c001" colorID="1" typeID="4" />'
    '<Item imageName="absent.jpg" vehicleID="0001" cameraID="c001" colorID="1" typeID="4" />'
    "</Items></TrainingImages>"
)
_VERI = images(
    "VeRi/image_train/0001_c001_00016450_0.jpg",
    "VeRi/image_test/0002_c003_00030600_1.jpg",
    "VeRi/image_query/0002_c002_00030600_0.jpg",
    "VeRi/image_query/odd.jpg",
)
_VERI_ITEMS: dict[str, list[Any]] = {
    "VeRi/image_train/0001_c001_00016450_0.jpg": ["0001", "train", None, 1],
    "VeRi/image_test/0002_c003_00030600_1.jpg": ["0002", "test", "gallery", 3],
    "VeRi/image_query/0002_c002_00030600_0.jpg": ["0002", "test", "query", 2],
}
_ODD = frozenset({"bad-name: VeRi/image_query/odd.jpg"})

_INDEX, _TEST = "index/0/0/0/000080a4a7eb08b0.jpg", "test/a/b/c/abc080a4a7eb08b0.jpg"
_IGNORED = "test/f/0/0/f00080a4a7eb08b0.jpg"
_LANDMARKS = {
    **images(_INDEX, _TEST, _IGNORED, "train/6/e/1/6e158a47eb2ca3f6.jpg"),
    "retrieval_solution_v2.1.csv": (
        "id,images,Usage\nabc080a4a7eb08b0,000080a4a7eb08b0 0000ffffffffffff,Private\n"
        "f00080a4a7eb08b0,None,Ignored\n"
    ),
    "train.csv": "id,url,landmark_id\n6e158a47eb2ca3f6,http://h/a.jpg,142820\n",
}
_TRAIN_A, _TRAIN_B = "train/6/e/1/6e158a47eb2ca3f6.jpg", "train/2/0/2/202cd79556f30760.jpg"


def _uned(**domains: str) -> dict[str, bytes | str]:
    """Return info files: domain_split -> path and class of one image, separated by a blank."""
    files: dict[str, bytes | str] = {}
    for name, entry in domains.items():
        domain, _, split = name.partition("_")
        path, _, label = entry.partition(" ")
        entries = [{"path": path, "class_id": json.loads(label)}]
        files[f"info_files/{domain}/{split}.json"] = json.dumps(entries)
    return files


MINIATURES = {
    "veri-776": Miniature(
        {
            **_VERI,
            "VeRi/train_label.xml": _LABELS.format("0001_c001_00016450_0.jpg"),
            "VeRi/test_label.xml": _LABELS.format("0002_c003_00030600_1.jpg"),
            "VeRi/name_query.txt": "0002_c002_00030600_0.jpg\n",
            "VeRi/jk_index.txt": "1 2\n",
        },
        "label split role camera colorid typeid",
        {
            path: [*row, *((1, 4) if row[2] != "query" else (None, None))]
            for path, row in _VERI_ITEMS.items()
        },
        findings=_ODD,
        counts=frozenset({"incomplete: split train", "incomplete: role query"}),
    ),
    "veri-776/without-lists": Miniature(
        {**_VERI, "VeRi/train_label.xml": _LABELS},
        "label split role camera",
        _VERI_ITEMS,
        findings=_ODD,
        queries={"veri-776": 2},
    ),
    "holidays": Miniature(
        images("jpg/100000.jpg", "jpg/100001.jpg", "jpg/100100.jpg", "jpg/1002.jpg"),
        "label role",
        {
            "jpg/100000.jpg": ["1000", "query"],
            "jpg/100001.jpg": ["1000", "gallery"],
            "jpg/100100.jpg": ["1001", "query"],
        },
        findings=frozenset({"bad-name: jpg/1002.jpg"}),
        archives={"jpg1.tar.gz": "jpg/"},
        queries={"holidays": 3},
        counts=frozenset({"incomplete: role query"}),
    ),
    "ukbench": Miniature(
        images(*(f"full/ukbench{number:05}.jpg" for number in (0, 3, 4)), "full/ukbench.jpg"),
        "label",
        {
            "full/ukbench00000.jpg": str(0 // 4),
            "full/ukbench00003.jpg": str(3 // 4),
            "full/ukbench00004.jpg": str(4 // 4),
        },
        findings=frozenset({"bad-name: full/ukbench.jpg"}),
        archives={"ukbench.zip": "full/"},
    ),
    "tu-berlin": Miniature(
        {
            **images("png/airplane/1.png", "png/alarm clock/81.png", "png/alarm clock/x.png"),
            "png/filelist.txt": "airplane/1.png\nalarm clock/81.png\nzebra/20000.png\n",
        },
        "label role",
        {
            "png/airplane/1.png": ["airplane", None],
            "png/alarm clock/81.png": ["alarm clock", None],
        },
        findings=frozenset({"bad-name: png/alarm clock/x.png"}),
    ),
    "tu-berlin/without-list": Miniature(
        images("sketches/airplane/1.png", "sketches/airplane/x.png"),
        "label",
        {"sketches/airplane/1.png": "airplane"},
        findings=frozenset({"bad-name: sketches/airplane/x.png"}),
    ),
    "tu-berlin/extension": Miniature(
        images("png_ready/hot air balloon/7.png", "ImageResized_ready/hot air balloon/a.jpg",
               "ImageResized_ready/stray.jpg"),
        "label role",
        {
            "png_ready/hot air balloon/7.png": ["hot air balloon", "query"],
            "ImageResized_ready/hot air balloon/a.jpg": ["hot air balloon", "gallery"],
        },
        findings=frozenset({"bad-name: ImageResized_ready/stray.jpg"}),
        queries={"tu-berlin-zero-shot-30": 2},
        counts=frozenset({"incomplete: role query"}),
    ),
    "google-landmarks-v2": Miniature(
        {
            **_LANDMARKS,
            "index_image_to_landmark.csv": (
                "id,landmark_id\n000080a4a7eb08b0,142820\n0000aaaaaaaaaaaa,7\n"
            ),
        },
        "label role split subset relevant",
        {
            _INDEX: ["142820", "gallery", "test", None, None],
            _TEST: [None, "query", "test", "Private", [_INDEX]],
            _IGNORED: [None, "query", "test", "Ignored", None],
        },
        findings=frozenset(
            {
                "dangling: index_image_to_landmark.csv: line 3",
                "dangling: relevant",
            }
        ),
        counts=frozenset({"incomplete: role query", "incomplete: role gallery"}),
    ),
    "google-landmarks-v2/without-landmarks": Miniature(
        _LANDMARKS,
        "role split subset relevant",
        {
            _INDEX: ["gallery", "test", None, None],
            _TEST: ["query", "test", "Private", [_INDEX]],
            _IGNORED: ["query", "test", "Ignored", None],
        },
        findings=frozenset({"dangling: relevant"}),
    ),
    "google-landmarks-v2-train": Miniature(
        {
            **images(_TRAIN_A, _TRAIN_B, "train/0/0/0/stray.jpg", _INDEX),
            "train.csv": (
                "id,url,landmark_id\n6e158a47eb2ca3f6,http://h/a.jpg,142820\n"
                "202cd79556f30760,http://h/b.jpg,104169\n202cd79556f30761,http://h/c.jpg,1\n"
            ),
            "train_clean.csv": "landmark_id,images\n142820,6e158a47eb2ca3f6 6e15800000000000\n",
        },
        "label split subset",
        {
            _TRAIN_A: ["142820", "train", "clean"],
            _TRAIN_B: ["104169", "train", None],
        },
        findings=frozenset({"dangling: train.csv: line 4"}),
    ),
    "google-landmarks-v2-train/all": Miniature(
        {
            **images(_TRAIN_A, "train/0/0/0/stray.jpg"),
            "train.csv": "id,url,landmark_id\n6e158a47eb2ca3f6,http://h/a.jpg,142820\n",
        },
        "label split",
        {_TRAIN_A: ["142820", "train"]},
    ),
    "ilias": Miniature(
        {
            **images(
                "ilias_core/bold_bimp_000/query/Q000_00.jpg",
                "ilias_core/bold_bimp_000/pos/P000_00.jpg",
                "ilias_core/zippy_zoo_999/query/Q999_00.jpg",
                "ilias_core/zippy_zoo_999/pos/P999.jpg",
                "yfcc100m/0001/a.jpg",
            ),
            "ilias_core/bold_bimp_000/query/T000.txt": 'a "bold" figure, red, 10 cm tall\n',
            "ilias_core/bold_bimp_000/query/Q000_00_bbox.txt": "1 2 3 4\n5 6 7 8\n",
            "ilias_core/bold_bimp_000/pos/P000_00_bbox.png": b"",
            "ilias_core/bold_bimp_000/pos/P000_00_url.txt": "http://h/a.jpg\n",
            "ilias_core/zippy_zoo_999/query/T9.txt": "odd\n",
        },
        "label role text",
        {
            "ilias_core/bold_bimp_000/query/Q000_00.jpg": [
                "bold_bimp_000", "query", 'a "bold" figure, red, 10 cm tall',
            ],
            "ilias_core/bold_bimp_000/pos/P000_00.jpg": ["bold_bimp_000", "gallery", None],
            "ilias_core/zippy_zoo_999/query/Q999_00.jpg": ["zippy_zoo_999", "query", None],
            "yfcc100m/0001/a.jpg": [None, "gallery", None],
        },
        findings=frozenset({"bad-name: ilias_core/zippy_zoo_999/pos/P999.jpg"}),
        archives={"ilias_core.tar": "ilias_core/", "yfcc100m.tar": "yfcc100m/"},
        counts=frozenset({"incomplete: labels", "incomplete: role query"}),
    ),
    "uned": Miniature(
        {
            **images(
                "images/cars/car_ims/1.jpg", "images/cars/car_ims/2.jpg",
                "images/met/MET/1/0.jpg", "images/met/test_met/9.jpg",
                "images/gldv2/images/test/a/b/c/abc.jpg",
            ),
            **_uned(
                cars_train='cars/car_ims/1.jpg 5',
                cars_test='cars/car_ims/2.jpg 6',
                cars_val='cars/car_ims/3.jpg 6',
                met_train='met/MET/1/0.jpg 1',
                met_index='met/MET/1/0.jpg 1',
                met_small_index='met/MET/1/0.jpg 1',
                met_test='met/test_met/9.jpg 1',
                gldv2_test='gldv2/images/test/a/b/c/abc.jpg [7, 8]',
            ),
        },
        "label subset split role labels",
        {
            "images/cars/car_ims/1.jpg": ["5", "cars", "train", None, ["5"]],
            "images/cars/car_ims/2.jpg": ["6", "cars", "test", None, ["6"]],
            "images/met/MET/1/0.jpg": ["1", "met", "test", "gallery", ["1"]],
            "images/met/test_met/9.jpg": ["1", "met", "test", "query", ["1"]],
            "images/gldv2/images/test/a/b/c/abc.jpg": [
                None, "gldv2", "test", "query", ["7", "8"],
            ],
        },
        findings=frozenset(
            {
                "dangling: info_files/cars/val.json: entry 1",
                "several-labels: info_files/gldv2/test.json",
            }
        ),
        counts=frozenset({"incomplete: split val", "incomplete: role query"}),
    ),
}  # fmt: skip
