"""Copies of public data sets that users had, which must be read by their names."""

from pathlib import Path

import pytest

from known_miniatures import miniatures
from likewise.errors import DamagedError
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult
from likewise.sources.known import known_datasets
from likewise.sources.known.layout_choice import choose_layout
from memory_files import boxes, rows

CASES = Path(__file__).parents[3] / "shared" / "cases" / "data"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="needs ../shared/cases/data")


def read(name: str, place: str) -> SourceResult:
    choice = choose_layout(name, known_datasets()[name], CASES / place)
    source = SOURCES.build(choice.source, "source")
    return source.read(source.open(choice.path), choice.annotations)


ALBATROSS = "images/001.Black_footed_Albatross/Black_Footed_Albatross_00"
PLANE = "tx_000000000000/airplane/n02691156_10151"


@pytest.mark.parametrize(
    ("name", "place", "columns", "expected"),
    [
        (
            "cub-200-2011",
            "cub/src",
            "label split official_split",
            {
                f"{ALBATROSS}09_34.jpg#1": ["001.Black_footed_Albatross", "train", "train"],
                f"{ALBATROSS}46_18.jpg#1": ["001.Black_footed_Albatross", "train", "test"],
            },
        ),
        (
            "in-shop",
            "inshop/src",
            "label split role",
            {
                "Img/img/WOMEN/Dresses/id_00000002/02_1_front.jpg#1": [
                    "id_00000002",
                    "train",
                    None,
                ],
                "Img/img/MEN/Denim/id_00000080/01_1_front.jpg": [
                    "id_00000080",
                    "test",
                    "gallery",
                ],
            },
        ),
        (
            "market-1501",
            "market1501/src",
            "label split role",
            {
                "bounding_box_test/-1_c1s1_000401_03.jpg": ["-1", "test", "gallery"],
                "query/0001_c2s1_000301_00.jpg": ["0001", "test", "query"],
            },
        ),
        (
            "stanford-online-products",
            "sop/src",
            "label subset split",
            {"chair_final/112_0.JPG": ["2", "2", "test"]},
        ),
        (
            "sketchy",
            "sketchy/src",
            "label role drawing",
            {
                f"256x256/photo/{PLANE}.jpg": ["airplane", "gallery", None],
                f"256x256/sketch/{PLANE}-2.png": ["airplane", "query", 2],
            },
        ),
        (
            "tiny-imagenet",
            "tinyimagenet/src",
            "label split",
            {
                "train/n01443537/images/n01443537_0.JPEG": ["n01443537", "train"],
                "val/images/val_0.JPEG": ["n01629819", "val"],
            },
        ),
        (
            "inaturalist-2021-mini",
            "inat_train_mini/src",
            "label split",
            {
                "train_mini/00000_Animalia_x/train_mini00000_Animalia_x.jpg": [
                    "00000_Animalia_x",
                    "train",
                ],
                "val/00001_Animalia_y/val00001_Animalia_y.jpg": ["00001_Animalia_y", "val"],
            },
        ),
        (
            "shoe-v2",
            "shoev2_train_test_dirs/src",
            "label split role",
            {
                "photo/test/1006003602.png": ["1006003602", "test", "gallery"],
                "sketch/train/1006003601_1.png": ["1006003601", "train", "query"],
            },
        ),
        (
            "fgvc-aircraft",
            "aircraft/src",
            "label split",
            {"data/images/1025794.jpg#1": ["707-320", "train"]},
        ),
        (
            "oxford-pets",
            "food_pets/src",
            "label split species",
            {
                "images/Abyssinian_1.jpg": ["Abyssinian", "train", "cat"],
                "images/beagle_1.jpg": ["beagle", "test", "dog"],
            },
        ),
        (
            "celeba",
            "csv_celeba/src",
            "split smiling",
            {
                "img_align_celeba/000001.jpg": ["train", 1],
                "img_align_celeba/000002.jpg": ["test", -1],
            },
        ),
        (
            "veri-776",
            "veri776/src",
            "label camera role",
            {
                "image_train/0001_c001_00016450_0.jpg": ["0001", 1, None],
                "image_test/0002_c003_00030600_1.jpg": ["0002", 3, "gallery"],
                "image_query/0002_c002_00030600_0.jpg": ["0002", 2, "query"],
            },
        ),
        (
            "google-landmarks-v2",
            "csv_gldv2/src",
            "label role relevant",
            {
                "index/0/0/0/000080a4a7eb08b0.jpg": ["142820", "gallery", None],
                "test/a/b/c/abc080a4a7eb08b0.jpg": [
                    None,
                    "query",
                    ["index/0/0/0/000080a4a7eb08b0.jpg"],
                ],
            },
        ),
        (
            "google-landmarks-v2-train",
            "csv_gldv2/src",
            "label split",
            {
                "train/6/e/1/6e158a47eb2ca3f6.jpg": ["142820", "train"],
                "train/2/0/2/202cd79556f30760.jpg": ["104169", "train"],
            },
        ),
        (
            "open-images",
            "csv_openimages_text/src",
            "label text split",
            {
                f"train/000002b66c9c498e.jpg#{number}": ["/m/01g317", "Person", "train"]
                for number in (1, 2)
            },
        ),
        (
            "fashion-iq",
            "fashioniq/src",
            "role text relevant",
            {
                "images/B001.png#1": ["gallery", None, None],
                "images/B002.png": ["gallery", None, None],
                "images/B001.png#2": ["query", "is red and longer", ["images/B002.png"]],
            },
        ),
        (
            "flickr30k",
            "flickr30k/src",
            "captions",
            {
                "flickr30k_images/1000092795.jpg": ["Two young guys .", "Two men ."],
                "flickr30k_images/10002456.jpg": ["Several men in hats ."],
            },
        ),
        (
            "coco-captions",
            "coco_captions_only/src",
            "captions split",
            {
                "val2017/000000000139.jpg": [["A room.", "A second."], "val"],
                "val2017/000000000285.jpg": [["A bear."], "val"],
            },
        ),
        (
            "tu-berlin",
            "tuberlin/src",
            "label",
            {
                "png/airplane/1.png": "airplane",
                "png/airplane/2.png": "airplane",
                "png/alarm clock/81.png": "alarm clock",
            },
        ),
        (
            "ukbench",
            "ukbench_holidays/src",
            "label",
            {f"full/ukbench{number:05}.jpg": str(number // 4) for number in range(8)},
        ),
        (
            "food-101",
            "offered_archives/src/food-101.tar.gz",
            "label split",
            {
                "food-101/images/apple_pie/1.jpg": ["apple_pie", "train"],
                "food-101/images/waffles/2.jpg": ["waffles", "test"],
            },
        ),
    ],
)
def test_a_copy_is_read(
    name: str, place: str, columns: str, expected: dict[str, list[object]]
) -> None:
    assert rows(read(name, place), *columns.split()).items() >= expected.items()


def test_boxes_of_copies() -> None:
    assert boxes(read("cub-200-2011", "cub/src"))[f"{ALBATROSS}46_18.jpg#1"] == [6, 2, 31, 13]
    air = boxes(read("fgvc-aircraft", "aircraft/src"))
    assert air == {"data/images/1025794.jpg#1": [3 - 1, 144 - 1, 998, 431]}


def test_labels_of_two_archives_are_equal() -> None:
    labels = [
        read(name, f"offered_archives/src/{file}").items["label"].unique().sort().to_list()
        for name, file in (
            ("inaturalist-2021-mini", "train_mini.tar.gz"),
            ("inaturalist-2021-val", "val.tar.gz"),
        )
    ]
    assert labels[0] == labels[1] == ["00000_Animalia_Annelida_x", "00001_Animalia_y"]


@pytest.mark.parametrize(
    ("name", "place"), [("cars-196", "cars196/src"), ("oxford-flowers-102", "flowers102/src")]
)
def test_a_damaged_table_of_matlab_is_named(name: str, place: str) -> None:
    assert name in miniatures()
    with pytest.raises(DamagedError, match=r"(cars_annos|imagelabels)\.mat is damaged"):
        read(name, place)
