"""Data sets whose layout is a kind of its own, or that of a detection benchmark."""

from compcars_tree import LABEL
from known_miniatures import Miniature
from memory_files import images

_OBJECT = (
    "<annotation><size><width>9</width><height>9</height></size><object><name>{}</name>"
    "<difficult>0</difficult><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>7</xmax><ymax>8</ymax>"
    "</bndbox></object></annotation>"
)


def _voc(year: str, day: str, *splits: str) -> Miniature:
    """Return VOC with one image of each split, and a broken annotation."""
    archives: dict[str, str | tuple[str, ...]] = {}
    top = f"VOCdevkit/VOC{year}/"
    names = {split: f"{number:06}" for number, split in enumerate(splits, start=1)}
    files: dict[str, bytes | str] = images(
        *(f"{top}JPEGImages/{name}.jpg" for name in names.values()),
        f"{top}JPEGImages/000009.jpg",
        f"{top}SegmentationClass/000001.png",
    )
    for split, name in names.items():
        files[f"{top}Annotations/{name}.xml"] = _OBJECT.format("dog")
        files[f"{top}ImageSets/Main/{split}.txt"] = f"{name}\n"
    files[f"{top}Annotations/000009.xml"] = "<annotation>"
    if "test" in splits:
        test = ("Annotations/000003", "JPEGImages/000003", "ImageSets/Main/test")
        archives[f"VOCtest_{day}.tar"] = tuple(f"{top}{path}" for path in test)
    archives[f"VOCtrainval_{day}.tar"] = top
    image = f"{top}JPEGImages/{{}}.jpg"
    return Miniature(
        files,
        "label split",
        {
            **{f"{image.format(name)}#1": ["dog", split] for split, name in names.items()},
            image.format("000009"): [None, None],
        },
        {f"{image.format(name)}#1": [1, 2, 7, 8] for name in names.values()},
        frozenset({f"bad-annotation: {top}Annotations/000009.xml"}),
        archives,
        counts=frozenset({"incomplete: labels"}),
        queries={"leave-one-out": len(names) * 2},
    )


MINIATURES = {
    "gpr1200": Miniature(
        {
            **images("images/0_a.jpg", "images/1199_b.jpg", "images/odd.jpg"),
            "GPR1200_categoryNumber_to_text.json": '{"0": "tower", "1199": "face"}',
        },
        "label text",
        {"images/0_a.jpg": ["0", "tower"], "images/1199_b.jpg": ["1199", "face"]},
        findings=frozenset({"bad-name: images/odd.jpg"}),
        archives={"GPR1200.zip": "images/"},
    ),
    "imagenet": Miniature(
        {
            **images(
                "Data/CLS-LOC/train/n02119789/n02119789_1.JPEG",
                "Data/CLS-LOC/val/ILSVRC2012_val_00000001.JPEG",
                "Data/CLS-LOC/val/ILSVRC2012_val_00000002.JPEG",
            ),
            "LOC_val_solution.csv": (
                "ImageId,PredictionString\nILSVRC2012_val_00000001,n02119789 1 2 3 4\n"
            ),
            "LOC_synset_mapping.txt": "n02119789 kit fox, Vulpes macrotis\n",
        },
        "label split",
        {
            "Data/CLS-LOC/train/n02119789/n02119789_1.JPEG": ["n02119789", "train"],
            "Data/CLS-LOC/val/ILSVRC2012_val_00000001.JPEG": ["n02119789", "val"],
            "Data/CLS-LOC/val/ILSVRC2012_val_00000002.JPEG": [None, "val"],
        },
        findings=frozenset({"no-label: Data/CLS-LOC/val/ILSVRC2012_val_00000002.JPEG"}),
        counts=frozenset({"incomplete: split train"}),
        queries={"leave-one-out": 2 * 2},
    ),
    "compcars": Miniature(
        {
            **images("data/image/2/3/2014/bb.jpg"),
            "data/label/2/3/2014/bb.txt": LABEL,
        },
        "label",
        {"data/image/2/3/2014/bb.jpg#1": "3"},
        {"data/image/2/3/2014/bb.jpg#1": [11, 22, 245, 234]},
        frozenset({"absent: make_model_name.mat"}),
        counts=frozenset(),
    ),
    "fissp": Miniature(
        {
            **images("train/7/a.jpg", "val/8/b.jpg", "test/8/c.jpg"),
            "annotations/train.csv": "image,label\ntrain/7/a.jpg,7\n",
        },
        "label split",
        {
            "train/7/a.jpg": ["7", "train"],
            "val/8/b.jpg": ["8", "val"],
            "test/8/c.jpg": ["8", "test"],
        },
        counts=frozenset(),
    ),
    "voc2007": _voc("2007", "06-Nov-2007", "train", "val", "test"),
    "voc2007/training": _voc("2007", "06-Nov-2007", "train", "val"),
    "voc2012": _voc("2012", "11-May-2012", "train", "val"),
}
