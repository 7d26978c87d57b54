"""Groups of photographs of one scene, object, vehicle or category."""

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
    "VeRi/image_train/0001_c001_00016450_0.jpg": ["0001", "train", None, "001"],
    "VeRi/image_test/0002_c003_00030600_1.jpg": ["0002", "test", "gallery", "003"],
    "VeRi/image_query/0002_c002_00030600_0.jpg": ["0002", "test", "query", "002"],
}
_ODD = frozenset({"bad-name: VeRi/image_query/odd.jpg"})

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
        counts=frozenset({"incomplete: role gallery"}),
    ),
}  # fmt: skip
