"""Make a small ImageNet (folders, official tars, devkit) and read it."""

import io
from pathlib import Path

import numpy as np
from scipy.io import savemat

from archives import Tree, placed, tarred
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult

FOX, SETTER, CRANE, LIFT = "n02119789", "n02100735", "n02012849", "n03126707"
"""Four classes; two of them have the label crane."""
TOP = "Data/CLS-LOC/"
LISTS = "ImageSets/CLS-LOC/"
TRAIN = [f"{FOX}_10", f"{FOX}_9", f"{CRANE}_2", f"{LIFT}_3", f"{SETTER}_7"]
META = f"""\
ILSVRC2015_CLSLOC_ID,WNID,name,description,num_train_images,human_label
1,{FOX},"kit fox, Vulpes macrotis",small grey fox,1300,kit_fox
2,{SETTER},English setter,a breed,1300,English_setter
429,{CRANE},crane,a bird,1300,crane
545,{LIFT},crane,lifts things,1300,crane
"""
TRUTH = "429\n545\n1\n"


def val(number: int) -> str:
    return f"ILSVRC2012_val_{number:08d}"


def tree() -> Tree:
    return {
        **{f"{TOP}train/{name[:9]}/{name}.JPEG": name.encode() for name in TRAIN},
        **{f"{TOP}val/{val(n)}.JPEG": val(n).encode() for n in (1, 2, 3)},
        f"{LISTS}train_cls.txt": "".join(
            f"{name[:9]}/{name} {n}\n" for n, name in enumerate(sorted(TRAIN), start=1)
        ).encode(),
        f"{LISTS}val.txt": "".join(f"{val(n)} {n}\n" for n in (1, 2, 3)).encode(),
        "meta_clsloc.csv": META.encode(),
        "ILSVRC2015_clsloc_validation_ground_truth.txt": TRUTH.encode(),
    }


def devkit() -> bytes:
    """Make the tables of ILSVRC2012's devkit: synsets by id, then inner nodes of WordNet."""
    rows = [
        (1, FOX, "kit fox, Vulpes macrotis", "small grey fox", 1300),
        (2, SETTER, "English setter", "a breed", 1300),
        (429, CRANE, "crane", "a bird", 1300),
        (545, LIFT, "crane", "lifts things", 1300),
        (1001, "n00001740", "entity", "what is", 0),
    ]
    fields = ["ILSVRC2012_ID", "WNID", "words", "gloss", "num_train_images"]
    synsets = np.array([[row] for row in rows], dtype=[(name, object) for name in fields])
    stream = io.BytesIO()
    savemat(stream, {"synsets": synsets.reshape(-1, 1)})
    return stream.getvalue()


def official(top: Path) -> Path:
    """Make the official tars of the images, and the tar of the devkit."""
    wnids = sorted({name[:9] for name in TRAIN})
    classes = {
        f"{w}.tar": tarred({f"{n}.JPEG": n.encode() for n in TRAIN if n.startswith(w)})
        for w in wnids
    }
    folder = "ILSVRC2012_devkit_t12/data/"
    kit = {
        f"{folder}meta.mat": devkit(),
        f"{folder}ILSVRC2012_validation_ground_truth.txt": TRUTH.encode(),
    }
    images = {f"{val(n)}.JPEG": val(n).encode() for n in (1, 2, 3)}
    return placed(
        top,
        {
            "ILSVRC2012_img_train.tar": tarred(classes),
            "ILSVRC2012_img_val.tar": tarred(images),
            "ILSVRC2012_devkit_t12.tar.gz": tarred(kit, "w:gz"),
        },
    )


def read(path: Path, annotations: Path | None = None, **options: object) -> SourceResult:
    source = SOURCES.build({"kind": "imagenet", **options}, "card")
    return source.read(source.open(path), annotations or path)


def rows(reading: SourceResult, *columns: str) -> list[tuple[object, ...]]:
    return list(reading.items.select(columns).iter_rows())


def found(reading: SourceResult) -> list[str]:
    return reading.findings["finding_id"].to_list()
