"""Birds, cars, products, species: classes that differ in details."""

from typing import Any

import numpy as np

from compcars_tree import mat
from known_miniatures import Miniature
from memory_files import images

LIST_HEAD = "image_id class_id super_class_id path\n"

CUB = "CUB_200_2011/"
_CUB_FILES: dict[str, bytes | str] = {
    **images(
        f"{CUB}images/001.Black_footed_Albatross/A_1.jpg",
        f"{CUB}images/100.Brown_Pelican/P_1.jpg",
        f"{CUB}images/101.White_Pelican/W_1.jpg",
        f"{CUB}images/200.Common_Yellowthroat/Y_1.jpg",
        f"{CUB}images/200.Common_Yellowthroat/in_no_list.jpg",
    ),
    f"{CUB}README": "The Caltech-UCSD Birds-200-2011 Dataset\n",
    f"{CUB}images.txt": (
        "1 001.Black_footed_Albatross/A_1.jpg\n2 100.Brown_Pelican/P_1.jpg\n"
        "3 101.White_Pelican/W_1.jpg\n4 200.Common_Yellowthroat/Y_1.jpg\n"
    ),
    f"{CUB}image_class_labels.txt": "1 1\n2 100\n3 101\n4 200\n",
    f"{CUB}classes.txt": (
        "1 001.Black_footed_Albatross\n100 100.Brown_Pelican\n101 101.White_Pelican\n"
        "200 200.Common_Yellowthroat\n"
    ),
    f"{CUB}train_test_split.txt": "1 0\n2 1\n3 1\n4 0\n",
    f"{CUB}bounding_boxes.txt": (
        "1 60.0 27.0 325.0 304.0\n2 1.0 1.0 9.0 9.0\n3 2.0 2.0 9.0 9.0\n4 3.0 3.0 9.0 9.0\n"
    ),
    f"{CUB}attributes/image_attribute_labels.txt": "1 1 0 3 27.7\n",
    f"{CUB}parts/part_locs.txt": "1 1 0.0 0.0 0\n",
    "attributes.txt": "1 has_bill_shape::curved_(up_or_down)\n",
}


def _annotations(*rows: tuple[Any, ...], names: str) -> Any:
    """Return a struct array as MATLAB stores it."""
    dtype = [(name, object) for name in names.split()]
    return np.array(list(rows), dtype)[None]


_NAMES = np.array([f"Car {number}" for number in range(1, 197)], object)[None]
_ALL = "relative_im_path bbox_x1 bbox_y1 bbox_x2 bbox_y2 class test"
_PART = "bbox_x1 bbox_y1 bbox_x2 bbox_y2 class fname"
_META = mat(class_names=_NAMES)

MINIATURES = {
    "cub-200-2011": Miniature(
        _CUB_FILES,
        "label split official_split",
        {
            f"{CUB}images/001.Black_footed_Albatross/A_1.jpg#1": [
                "001.Black_footed_Albatross", "train", "test",
            ],
            f"{CUB}images/100.Brown_Pelican/P_1.jpg#1": ["100.Brown_Pelican", "train", "train"],
            f"{CUB}images/101.White_Pelican/W_1.jpg#1": ["101.White_Pelican", "test", "train"],
            f"{CUB}images/200.Common_Yellowthroat/Y_1.jpg#1": [
                "200.Common_Yellowthroat", "test", "test",
            ],
        },
        {
            f"{CUB}images/001.Black_footed_Albatross/A_1.jpg#1": [60, 27, 60 + 325, 27 + 304],
            f"{CUB}images/100.Brown_Pelican/P_1.jpg#1": [1, 1, 1 + 9, 1 + 9],
            f"{CUB}images/101.White_Pelican/W_1.jpg#1": [2, 2, 2 + 9, 2 + 9],
            f"{CUB}images/200.Common_Yellowthroat/Y_1.jpg#1": [3, 3, 3 + 9, 3 + 9],
        },
        archives={"CUB_200_2011.tgz": ""},
        counts=frozenset({"incomplete: items", "incomplete: split train"}),
        queries={"metric-learning": 2 * 2},
    ),
    "cars-196": Miniature(
        {
            **images("car_ims/000001.jpg", "car_ims/000002.jpg", "car_ims/000003.jpg"),
            "cars_annos.mat": mat(
                annotations=_annotations(
                    ("car_ims/000001.jpg", 112, 7, 853, 717, 1, 0),
                    ("car_ims/000002.jpg", 48, 24, 441, 202, 99, 1),
                    ("car_ims/000004.jpg", 48, 24, 441, 202, 196, 1),
                    names=_ALL,
                ),
                class_names=_NAMES,
            ),
        },
        "label split official_split",
        {
            "car_ims/000001.jpg#1": ["Car 1", "train", "train"],
            "car_ims/000002.jpg#1": ["Car 99", "test", "test"],
        },
        {
            "car_ims/000001.jpg#1": [112 - 1, 7 - 1, 853, 717],
            "car_ims/000002.jpg#1": [48 - 1, 24 - 1, 441, 202],
        },
        frozenset({"dangling: cars_annos.mat: row 3", "unjoined: cars_annos.mat"}),
        queries={"metric-learning": 1 * 2},
    ),
    "cars-196/challenge": Miniature(
        {
            **images(*(f"cars_{s}/0000{n}.jpg" for s in ("train", "test") for n in (1, 2))),
            "devkit/cars_meta.mat": _META,
            "devkit/cars_train_annos.mat": mat(
                annotations=_annotations(
                    (39, 116, 569, 375, 14, "00001.jpg"),
                    (36, 116, 868, 587, 3, "00002.jpg"),
                    names=_PART,
                )
            ),
            "cars_test_annos_withlabels.mat": mat(
                annotations=_annotations(
                    (30, 52, 246, 147, 181, "00001.jpg"),
                    (100, 19, 576, 203, 98, "00002.jpg"),
                    names=_PART,
                )
            ),
        },
        "label split official_split",
        {
            "cars_test/00001.jpg#1": ["Car 181", "test", "test"],
            "cars_test/00002.jpg#1": ["Car 98", "train", "test"],
            "cars_train/00001.jpg#1": ["Car 14", "train", "train"],
            "cars_train/00002.jpg#1": ["Car 3", "train", "train"],
        },
        {
            "cars_test/00001.jpg#1": [29, 51, 246, 147],
            "cars_test/00002.jpg#1": [99, 18, 576, 203],
            "cars_train/00001.jpg#1": [38, 115, 569, 375],
            "cars_train/00002.jpg#1": [35, 115, 868, 587],
        },
        frozenset({"unjoined: devkit/cars_meta.mat"}),
        queries={"metric-learning": 1 * 2},
    ),
    "cars-196/training": Miniature(
        {
            **images("cars_train/00001.jpg", "cars_test/00001.jpg"),
            "devkit/cars_meta.mat": _META,
            "devkit/cars_train_annos.mat": mat(
                annotations=_annotations((39, 116, 569, 375, 114, "00001.jpg"), names=_PART)
            ),
        },
        "label split",
        {"cars_train/00001.jpg#1": ["Car 114", "test"]},
        {"cars_train/00001.jpg#1": [38, 115, 569, 375]},
        frozenset({"unjoined: devkit/cars_meta.mat"}),
        queries={"metric-learning": 1 * 2},
    ),
    "stanford-online-products": Miniature(
        {
            **images(
                "SOP/bicycle_final/111_0.JPG", "SOP/bicycle_final/111_1.JPG",
                "SOP/chair_final/112_0.JPG",
            ),
            "SOP/Ebay_info.txt": f"{LIST_HEAD}1 1 1 bicycle_final/111_0.JPG\n",
            "SOP/Ebay_train.txt": (
                f"{LIST_HEAD}1 1 1 bicycle_final/111_0.JPG\n2 1 1 bicycle_final/111_1.JPG\n"
            ),
            "SOP/Ebay_test.txt": (
                f"{LIST_HEAD}3 2 2 chair_final/112_0.JPG\n4 2 2 chair_final/112_1.JPG\n"
            ),
        },
        "label subset split",
        {
            "SOP/bicycle_final/111_0.JPG": ["1", "1", "train"],
            "SOP/bicycle_final/111_1.JPG": ["1", "1", "train"],
            "SOP/chair_final/112_0.JPG": ["2", "2", "test"],
        },
        findings=frozenset({"dangling: SOP/Ebay_test.txt: line 3"}),
        archives={"Stanford_Online_Products.zip": ""},
        counts=frozenset({"incomplete: labels", "incomplete: split test"}),
        queries={"sop": 1 * 2},
    ),
    "food-101": Miniature(
        {
            **images(
                "food-101/images/apple_pie/1005649.jpg", "food-101/images/apple_pie/7.jpg",
                "food-101/images/waffles/1.jpg", "food-101/images/waffles/in_no_list.jpg",
            ),
            "food-101/README.txt": "Food-101\n",
            "food-101/meta/classes.txt": "apple_pie\nwaffles\n",
            "food-101/meta/train.txt": "apple_pie/1005649\nwaffles/1\n",
            "food-101/meta/test.txt": "apple_pie/7\n",
            "food-101/meta/train.json": "{}",
        },
        "label split",
        {
            "food-101/images/apple_pie/1005649.jpg": ["apple_pie", "train"],
            "food-101/images/waffles/1.jpg": ["waffles", "train"],
            "food-101/images/apple_pie/7.jpg": ["apple_pie", "test"],
            "food-101/images/waffles/in_no_list.jpg": ["waffles", None],
        },
        findings=frozenset(
            {
                "unjoined: pattern with food-101/meta/train.txt and food-101/meta/test.txt",
            }
        ),
        archives={"food-101.tar.gz": ""},
        counts=frozenset({"incomplete: split train", "incomplete: split test"}),
        queries={"metric-learning": 1 * 2},
    ),
    "tiny-imagenet": Miniature(
        {
            **images(
                "tiny-imagenet-200/train/n01443537/images/n01443537_0.JPEG",
                "tiny-imagenet-200/train/n01629819/images/n01629819_0.JPEG",
                "tiny-imagenet-200/val/images/val_0.JPEG",
                "tiny-imagenet-200/val/images/val_1.JPEG",
                "tiny-imagenet-200/test/images/test_0.JPEG",
            ),
            "tiny-imagenet-200/wnids.txt": "n01443537\nn01629819\n",
            "tiny-imagenet-200/words.txt": (
                "n00001740\tentity\nn01443537\tgoldfish, Carassius auratus\n"
                "n01629819\tEuropean fire salamander, Salamandra salamandra\n"
            ),
            "tiny-imagenet-200/train/n01443537/n01443537_boxes.txt": (
                "n01443537_0.JPEG\t0\t10\t63\t58\n"
            ),
            "tiny-imagenet-200/val/val_annotations.txt": (
                "val_0.JPEG\tn01629819\t0\t32\t44\t62\n"
            ),
        },
        "label split text",
        {
            "tiny-imagenet-200/train/n01443537/images/n01443537_0.JPEG": [
                "n01443537", "train", "goldfish, Carassius auratus",
            ],
            "tiny-imagenet-200/train/n01629819/images/n01629819_0.JPEG": [
                "n01629819", "train", "European fire salamander, Salamandra salamandra",
            ],
            "tiny-imagenet-200/val/images/val_0.JPEG": [
                "n01629819", "val", "European fire salamander, Salamandra salamandra",
            ],
            "tiny-imagenet-200/val/images/val_1.JPEG": [None, "val", None],
            "tiny-imagenet-200/test/images/test_0.JPEG": [None, "test", None],
        },
        archives={"tiny-imagenet-200.zip": ""},
        counts=frozenset({"incomplete: split test"}),
        queries={"leave-one-out": (2 + 1) * 2},
    ),
}  # fmt: skip

WORM = "00000_Animalia_Annelida_Clitellata_Haplotaxida_Lumbricidae_Lumbricus_terrestris"
ODD = "00001_Animalia_x"


def _species(*splits: str) -> Miniature:
    """Return iNaturalist 2021 with the folders ``splits``, one name of a species is odd."""
    files = [f"{split}/{name}/{split}.jpg" for split in splits for name in (WORM, ODD)]
    values = {
        f"{split}/{name}/{split}.jpg": [
            name,
            "val" if split == "val" else "train",
            "Lumbricus" if name == WORM else None,
        ]
        for split in splits
        for name in (WORM, ODD)
    }
    archives = {f"{split}.tar.gz": f"{split}/" for split in splits}
    odd = frozenset({"bad-name: val/in_no_species.jpg"})
    stray = images("val/in_no_species.jpg")
    queries = {"metric-learning": 2 * 2}
    return Miniature({**images(*files), **stray}, "label split genus", values,
                     findings=odd, archives=archives, queries=queries)  # fmt: skip


MINIATURES |= {
    "inaturalist-2021": _species("train", "val"),
    "inaturalist-2021-mini": _species("train_mini", "val"),
    "inaturalist-2021-val": _species("val"),
}
