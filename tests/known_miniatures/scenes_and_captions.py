"""Scenes with many objects or captions, classes of ImageNet in other pictures, groups."""

import json
from typing import Any

from known_miniatures import Files, Miniature
from memory_files import images

_CATEGORIES = [{"id": 18, "name": "dog", "supercategory": "animal"}]
_TRAIN, _VAL = "train2017/000000000009.jpg", "val2017/000000000139.jpg"
_STRAY = "train2017/000000000010.jpg"
_ARCHIVES = {"train2017.zip": "train2017/", "val2017.zip": "val2017/"}


def _coco(name: str, number: int, *annotations: dict[str, Any], **image: str) -> str:
    """Return a file of COCO with one image of that number."""
    given = image or {"file_name": f"{number:012}.jpg"}
    return json.dumps(
        {
            "images": [{"id": number, "width": 640, "height": 480, **given}],
            "annotations": [
                {"id": place, "image_id": number, **annotation}
                for place, annotation in enumerate(annotations, start=1)
            ],
            "categories": _CATEGORIES if name != "captions" else [],
        }
    )


def _box(*box: int, category: int = 18) -> dict[str, Any]:
    return {"category_id": category, "bbox": list(box), "iscrowd": 0, "area": 9.0}


def _sentences(top: str, *splits: str) -> str:
    """Return a file of Karpathy with an image and two sentences for each split."""
    return json.dumps(
        {
            "images": [
                {
                    "filepath": top,
                    "filename": f"{number}.jpg",
                    "imgid": number,
                    "split": split,
                    "sentids": [number, number + 1],
                    "sentences": [
                        {"raw": f'A "{split}".', "tokens": ["a", split], "imgid": number},
                        {"raw": f"Its {split}.", "tokens": ["its", split], "imgid": number},
                    ],
                }
                for number, split in enumerate(splits, start=1)
            ],
            "dataset": top,
        }
    )


_COCO: Files = {
    **images(_TRAIN, _VAL, _STRAY),
    "annotations/instances_train2017.json": _coco(
        "instances", 9, _box(10, 20, 30, 40), _box(1, 2, 3, 4, category=99)
    ),
    "annotations/instances_val2017.json": _coco("instances", 139, _box(5, 6, 7, 8)),
    "annotations/captions_train2017.json": _coco(
        "captions", 9, {"caption": "A dog."}, {"caption": "A pet."}
    ),
    "annotations/captions_val2017.json": _coco("captions", 139, {"caption": "A room."}),
    "annotations/person_keypoints_val2017.json": _coco("instances", 139),
}
_COCO_ARCHIVES = {**_ARCHIVES, "annotations_trainval2017.zip": "annotations/"}
_OPEN_HEAD = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,"
    "IsDepiction,IsInside\n"
)
_COLLIE = "train_val2018/Mammalia/7"
_INAT = {
    **images(f"{_COLLIE}/a.jpg", f"{_COLLIE}/b.jpg", "train_val2018/Aves/2761/c.jpg"),
    "train_val2018/Aves/2761/._c.jpg": b"",
}


def _inat(*names: str) -> str:
    entries = [
        {"id": n, "file_name": name, "width": 8, "height": 6, "rights_holder": "A. B."}
        for n, name in enumerate(names)
    ]
    return json.dumps({"images": entries, "annotations": [], "categories": [], "licenses": []})


MINIATURES = {
    "coco": Miniature(
        _COCO,
        "label split supercategory",
        {f"{_TRAIN}#1": ["dog", "train", "animal"], f"{_TRAIN}#2": [None, "train", None],
         f"{_VAL}#1": ["dog", "val", "animal"]},
        {f"{_TRAIN}#1": [10, 20, 10 + 30, 20 + 40], f"{_TRAIN}#2": [1, 2, 1 + 3, 2 + 4],
         f"{_VAL}#1": [5, 6, 5 + 7, 6 + 8]},
        frozenset({"unknown-class: annotations/instances_train2017.json: annotation 2"}),
        _COCO_ARCHIVES,
        frozenset({"incomplete: images", "incomplete: labels"}),
    ),
    "coco/validation": Miniature(
        {
            **images(_VAL, "val2017/000000000140.jpg"),
            "instances_val2017.json": _coco("instances", 139, _box(5, 6, 7, 8)),
        },
        "label split",
        {f"{_VAL}#1": ["dog", "val"]},
        {f"{_VAL}#1": [5, 6, 12, 14]},
        counts=frozenset({"incomplete: images"}),
    ),
    "coco-captions": Miniature(
        {
            **images("train2014/1.jpg", "val2014/2.jpg", "val2014/3.jpg", "val2014/9.jpg"),
            "dataset_coco.json": _sentences("val2014", "train", "restval", "test", "val"),
        },
        "split text captions position",
        {
            "train2014/1.jpg": ["train", 'A "train".', ['A "train".', "Its train."], 1],
            "val2014/2.jpg": ["train", 'A "restval".', ['A "restval".', "Its restval."], 2],
            "val2014/3.jpg": ["test", 'A "test".', ['A "test".', "Its test."], 3],
        },
        findings=frozenset(
            f"dangling: dataset_coco.json: entry {number}" for number in (7, 8)
        ),
        counts=frozenset({"incomplete: split test"}),
    ),
    "coco-captions/official": Miniature(
        _COCO,
        "split text captions",
        {
            _TRAIN: ["train", "A dog.", ["A dog.", "A pet."]],
            _VAL: ["val", "A room.", ["A room."]],
        },
        archives=_COCO_ARCHIVES,
        counts=frozenset({"incomplete: split val"}),
    ),
    "lvis": Miniature(
        {
            **images(_TRAIN, _STRAY, _VAL),
            "lvis_v1_train.json": _coco(
                "lvis", 9, _box(1, 2, 10, 8),
                coco_url="http://images.cocodataset.org/train2017/000000000009.jpg",
            ),
            "lvis_v1_val.json": _coco(
                "lvis", 10, _box(1, 1, 2, 2), _box(0, 0, 0, 5),
                coco_url="http://images.cocodataset.org/train2017/000000000010.jpg",
            ),
        },
        "label split",
        {f"{_TRAIN}#1": ["dog", "train"], f"{_STRAY}#1": ["dog", "val"]},
        {f"{_TRAIN}#1": [1, 2, 11, 10], f"{_STRAY}#1": [1, 1, 3, 3]},
        frozenset({f"empty-box: {_STRAY}#2"}),
        {**_ARCHIVES, "lvis_v1_train.json.zip": "lvis_v1_train.json",
         "lvis_v1_val.json.zip": "lvis_v1_val.json"},
        frozenset({"incomplete: images"}),
    ),
    "flickr30k": Miniature(
        {
            **images("flickr30k-images/1.jpg", "flickr30k-images/2.jpg"),
            "dataset_flickr30k.json": _sentences("", "train", "test", "val"),
            "results_20130124.token": "1.jpg#0\tA dog .\n",
        },
        "split text",
        {
            "flickr30k-images/1.jpg": ["train", 'A "train".'],
            "flickr30k-images/2.jpg": ["test", 'A "test".'],
        },
        findings=frozenset(
            f"dangling: dataset_flickr30k.json: entry {number}" for number in (5, 6)
        ),
    ),
    "flickr30k/official": Miniature(
        {
            **images("flickr30k-images/1.jpg", "flickr30k-images/2.jpg"),
            "results_20130124.token": (
                '1.jpg#0\tTwo men .\n1.jpg#1\tA "pair" .\n2.jpg\tA dog .\n'
            ),
        },
        "text captions",
        {"flickr30k-images/1.jpg": ["Two men .", ["Two men .", 'A "pair" .']]},
        findings=frozenset(
            {
                "bad-value: results_20130124.token: image",
                "bad-row: results_20130124.token: line 3",
            }
        ),
    ),
    "flickr30k/kaggle": Miniature(
        {
            **images("flickr30k_images/1.jpg", "flickr30k_images/2.jpg"),
            "results.csv": (
                "image_name| comment_number| comment\n1.jpg| 0| Two young guys .\n"
                "1.jpg| 1| Two men .\n2.jpg| 0| A dog .\n2.jpg| 4   A dog runs .\n"
            ),
        },
        "text captions",
        {
            "flickr30k_images/1.jpg": [
                "Two young guys .", ["Two young guys .", "Two men ."],
            ],
            "flickr30k_images/2.jpg": ["A dog .", ["A dog ."]],
        },
        findings=frozenset({"bad-row: results.csv: line 5"}),
    ),
    "open-images": Miniature(
        {
            **images("train/000002b66c9c498e.jpg", "validation/0001eeaf4aed83f9.jpg",
                     "test/no_row.jpg"),
            "oidv6-train-annotations-bbox.csv": (
                f"{_OPEN_HEAD}"
                "000002b66c9c498e,xclick,/m/01g317,1,0.125,0.25,0.5,0.75,0,1,0,0,0\n"
                "000002b66c9c498f,xclick,/m/01g317,1,0.125,0.25,0.5,0.75,0,1,0,0,0\n"
            ),
            "validation-annotations-bbox.csv": (
                f"{_OPEN_HEAD}"
                "0001eeaf4aed83f9,freeform,/m/0cmf2,1,0.25,0.5,0.5,0.75,0,0,0,0,0\n"
            ),
            "oidv7-class-descriptions-boxable.csv": "/m/011k07,Tortoise\n/m/01g317,Person\n",
        },
        "label text split isoccluded istruncated",
        {
            "train/000002b66c9c498e.jpg#1": ["/m/01g317", "Person", "train", 0, 1],
            "validation/0001eeaf4aed83f9.jpg#1": ["/m/0cmf2", None, "val", 0, 0],
        },
        {
            "train/000002b66c9c498e.jpg#1": [0.125, 0.5, 0.25, 0.75],
            "validation/0001eeaf4aed83f9.jpg#1": [0.25, 0.5, 0.5, 0.75],
        },
        frozenset({"dangling: oidv6-train-annotations-bbox.csv: line 3"}),
        counts=frozenset(),
    ),
    "inaturalist-2018": Miniature(
        {
            **_INAT,
            "train2018.json": _inat(f"{_COLLIE}/a.jpg"),
            "Inat_dataset_splits/Inaturalist_train_set1.txt": (
                f"{_COLLIE}/a.jpg\n{_COLLIE}/b.jpg\n"
            ),
            "Inat_dataset_splits/Inaturalist_test_set1.txt": (
                "train_val2018/Aves/2761/c.jpg\ntrain_val2018/Aves/2761/d.jpg\n"
            ),
        },
        "label split",
        {
            f"{_COLLIE}/a.jpg": ["Mammalia/7", "train"],
            f"{_COLLIE}/b.jpg": ["Mammalia/7", "train"],
            "train_val2018/Aves/2761/c.jpg": ["Aves/2761", "test"],
        },
        findings=frozenset(
            {
                "dangling: Inat_dataset_splits/Inaturalist_test_set1.txt: line 2",
                "not-an-image: train_val2018/Aves/2761/._c.jpg",
            }
        ),
        queries={"inaturalist-2018": 2},
    ),
    "inaturalist-2018/competition": Miniature(
        {
            **_INAT,
            "train2018.json": _inat(f"{_COLLIE}/a.jpg", "train_val2018/Aves/2761/c.jpg"),
            "val2018.json": _inat(f"{_COLLIE}/b.jpg", "train_val2018/Aves/2761/d.jpg"),
        },
        "label split rights_holder",
        {
            f"{_COLLIE}/a.jpg": ["Mammalia/7", "train", "A. B."],
            f"{_COLLIE}/b.jpg": ["Mammalia/7", "val", "A. B."],
            "train_val2018/Aves/2761/c.jpg": ["Aves/2761", "train", "A. B."],
        },
        findings=frozenset(
            {
                "dangling: val2018.json: entry 2",
                "not-an-image: train_val2018/Aves/2761/._c.jpg",
            }
        ),
        archives={
            "train_val2018.tar.gz": "train_val2018/",
            "train2018.json.tar.gz": "train2018.json",
            "val2018.json.tar.gz": "val2018.json",
        },
        counts=frozenset({"incomplete: split val"}),
    ),
    "imagenet-sketch": Miniature(
        images("sketch/n01440764/sketch_0.JPEG", "sketch/odd/a.JPEG"),
        "label",
        {"sketch/n01440764/sketch_0.JPEG": "n01440764"},
        findings=frozenset({"bad-name: sketch/odd/a.JPEG"}),
    ),
    "imagenet-r": Miniature(
        {
            **images("imagenet-r/n01443537/art_0.jpg", "imagenet-r/n01443537/odd.jpg"),
            "imagenet-r/README.txt": "n01443537 goldfish\n",
        },
        "label subset",
        {"imagenet-r/n01443537/art_0.jpg": ["n01443537", "art"]},
        findings=frozenset({"bad-name: imagenet-r/n01443537/odd.jpg"}),
        archives={"imagenet-r.tar": "imagenet-r/"},
    ),
    "imagenet-a": Miniature(
        {
            **images("imagenet-a/n01498041/0.1_clock _ clock_0.8.jpg", "imagenet-a/stray.jpg"),
            "imagenet-a/n01498041/thumbs.db": b"",
        },
        "label",
        {"imagenet-a/n01498041/0.1_clock _ clock_0.8.jpg": "n01498041"},
        findings=frozenset(
            {
                "bad-name: imagenet-a/stray.jpg",
                "not-an-image: imagenet-a/n01498041/thumbs.db",
            }
        ),
        archives={"imagenet-a.tar": "imagenet-a/"},
    ),
    "imagenet-v2": Miniature(
        images(
            "imagenetv2-matched-frequency-format-val/0/a.jpeg",
            "imagenetv2-matched-frequency-format-val/999/b.jpeg",
            "imagenetv2-matched-frequency-format-val/odd/c.jpeg",
        ),
        "label",
        {
            "imagenetv2-matched-frequency-format-val/0/a.jpeg": "0",
            "imagenetv2-matched-frequency-format-val/999/b.jpeg": "999",
        },
        findings=frozenset({"bad-name: imagenetv2-matched-frequency-format-val/odd/c.jpeg"}),
        archives={
            "imagenetv2-matched-frequency.tar.gz": "imagenetv2-matched-frequency-format-val/"
        },
    ),
}  # fmt: skip
