"""Aircraft, flowers, pets, dogs, birds and faces, with lists of the images of each split."""

import numpy as np

from compcars_tree import column, mat
from known_miniatures import Miniature
from memory_files import images

AIR = "fgvc-aircraft-2013b/data/"
_PLANES = {"1025794": "train", "1340192": "val", "0034309": "test"}
_BIRDS = "nabirds/"
DOG = "n02085620-Chihuahua/n02085620_7.jpg"
_PUG = "n02110958-pug/n02110958_1.jpg"

_ATTRIBUTES = (
    "5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose "
    "Black_Hair Blond_Hair Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses "
    "Goatee Gray_Hair Heavy_Makeup High_Cheekbones Male Mouth_Slightly_Open Mustache "
    "Narrow_Eyes No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks "
    "Sideburns Smiling Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick "
    "Wearing_Necklace Wearing_Necktie Young "
)
_FACES = images(*(f"Img/img_align_celeba/{n:06}.jpg" for n in range(1, 5)))
_SMILE = " ".join(["-1"] * 31 + [" 1"] + ["-1"] * 8)


def _aircraft() -> dict[str, bytes | str]:
    files = images(*(f"{AIR}images/{name}.jpg" for name in (*_PLANES, "9999999")))
    for name, split in _PLANES.items():
        files[f"{AIR}images_variant_{split}.txt"] = f"{name} 707-320\n"
        files[f"{AIR}images_family_{split}.txt"] = f"{name} Boeing 707\n"
        files[f"{AIR}images_manufacturer_{split}.txt"] = f"{name} Boeing\n"
    files[f"{AIR}images_family_val.txt"] = "1340192 Boeing 707\n8888888 Tu-134\n"
    files[f"{AIR}images_manufacturer_val.txt"] = "1340192 Boeing\n8888888 Tupolev\n"
    files[f"{AIR}images_variant_trainval.txt"] = "1025794 707-320\n1340192 707-320\n"
    files[f"{AIR}images_variant_val.txt"] = "1340192 DH-82 Tiger\n8888888 Tu-134\n"
    files[f"{AIR}images_box.txt"] = (
        "1025794 3 144 998 431\n1340192 1 1 9 9\n0034309 2 2 9 9\n8888888 1 1 2 2\n"
    )
    files[f"{AIR}variants.txt"] = "707-320\nDH-82 Tiger\nTu-134\n"
    return files


def _annotation(*boxes: tuple[int, int, int, int]) -> str:
    """Return an annotation of VOC with boxes of dogs."""
    names = ("xmin", "ymin", "xmax", "ymax")
    objects = (
        "".join(f"<{name}>{number}</{name}>" for name, number in zip(names, box, strict=True))
        for box in boxes
    )
    rows = "".join(
        f"<object><name>dog</name><bndbox>{box}</bndbox></object>" for box in objects
    )
    return f"<annotation><folder>02085620</folder>{rows}</annotation>"


MINIATURES = {
    "fgvc-aircraft": Miniature(
        _aircraft(),
        "label split family manufacturer",
        {
            f"{AIR}images/1025794.jpg#1": ["707-320", "train", "Boeing 707", "Boeing"],
            f"{AIR}images/1340192.jpg#1": ["DH-82 Tiger", "val", "Boeing 707", "Boeing"],
            f"{AIR}images/0034309.jpg#1": ["707-320", "test", "Boeing 707", "Boeing"],
        },
        {
            f"{AIR}images/1025794.jpg#1": [3 - 1, 144 - 1, 998, 431],
            f"{AIR}images/1340192.jpg#1": [0, 0, 9, 9],
            f"{AIR}images/0034309.jpg#1": [1, 1, 9, 9],
        },
        frozenset({f"dangling: {AIR}images_variant_val.txt: line 2"}),
        {"fgvc-aircraft-2013b.tar.gz": ""},
        queries={"metric-learning": 1 * 2},
    ),
    "fgvc-aircraft/training": Miniature(
        {
            **images("data/images/1025794.jpg", "data/images/7.jpg"),
            "data/images_variant_train.txt": "1025794 707-320\n",
            "data/images_box.txt": "1025794 3 144 998 431\n7 1 1 2 2\n",
        },
        "label split",
        {"data/images/1025794.jpg#1": ["707-320", "train"]},
        {"data/images/1025794.jpg#1": [3 - 1, 144 - 1, 998, 431]},
        counts=frozenset({"incomplete: split train"}),
        queries={"leave-one-out": 1 * 2},
    ),
    "oxford-flowers-102": Miniature(
        {
            **images(*(f"jpg/image_{number:05}.jpg" for number in (1, 2, 3, 4))),
            "imagelabels.mat": mat(labels=np.array([[77, 3, 77]], np.uint8)),
            "setid.mat": mat(
                trnid=np.array([[2]]), valid=np.array([[3]]), tstid=np.array([[1]])
            ),
        },
        "label split",
        {
            "jpg/image_00002.jpg": ["3", "train"],
            "jpg/image_00003.jpg": ["77", "val"],
            "jpg/image_00001.jpg": ["77", "test"],
            "jpg/image_00004.jpg": [None, None],
        },
        findings=frozenset(
            {
                "unjoined: pattern with imagelabels.mat",
                "unjoined: pattern with setid.mat and setid.mat and setid.mat",
            }
        ),
        archives={"102flowers.tgz": "jpg/"},
        queries={"metric-learning": 1 * 2},
    ),
    "oxford-pets": Miniature(
        {
            **images(
                "images/Abyssinian_1.jpg", "images/american_bulldog_2.jpg",
                "images/Abyssinian_7.jpg",
                "images/american_bulldog_9.jpg", "images/in_no_list_1.jpg",
                "annotations/trimaps/Abyssinian_1.png", "annotations/trimaps/Abyssinian_7.png",
            ),
            "images/Abyssinian_101.mat": b"",
            "annotations/list.txt": "#Image CLASS-ID SPECIES BREED ID\nAbyssinian_1 1 1 1\n",
            "annotations/trainval.txt": "Abyssinian_1 1 1 1\namerican_bulldog_2 2 2 1\n",
            "annotations/test.txt": "Abyssinian_7 1 1 1\namerican_bulldog_9 2 2 1\n",
            "annotations/xmls/Abyssinian_1.xml": "<annotation/>",
        },
        "label split species",
        {
            "images/Abyssinian_1.jpg": ["Abyssinian", "train", "cat"],
            "images/american_bulldog_2.jpg": ["american_bulldog", "train", "dog"],
            "images/Abyssinian_7.jpg": ["Abyssinian", "test", "cat"],
            "images/american_bulldog_9.jpg": ["american_bulldog", "test", "dog"],
        },
        findings=frozenset({"not-an-image: images/Abyssinian_101.mat"}),
        archives={"images.tar.gz": "images/", "annotations.tar.gz": "annotations/"},
        queries={"metric-learning": 2 * 2},
    ),
    "stanford-dogs/without-boxes": Miniature(
        {
            **images(f"Images/{DOG}", f"Images/{_PUG}"),
            "train_list.mat": mat(file_list=column(DOG, "n02085620-Chihuahua/n_0.jpg")),
            "test_list.mat": mat(file_list=column(_PUG), labels=column(120)),
        },
        "label split wnid breed",
        {
            f"Images/{DOG}": ["n02085620-Chihuahua", "train", "n02085620", "Chihuahua"],
            f"Images/{_PUG}": ["n02110958-pug", "test", "n02110958", "pug"],
        },
        findings=frozenset({"dangling: train_list.mat: row 2"}),
        archives={"images.tar": "Images/", "lists.tar": ("train_list", "test_list")},
        queries={"metric-learning": 1 * 2},
    ),
    "stanford-dogs": Miniature(
        {
            **images(f"Images/{DOG}", f"Images/{_PUG}"),
            "train_list.mat": mat(file_list=column(DOG)),
            "test_list.mat": mat(file_list=column(_PUG), labels=column(120)),
            f"Annotation/{DOG[:-4]}": _annotation((25, 10, 276, 498), (1, 1, 20, 30)),
            f"Annotation/{_PUG[:-4]}": _annotation((100, 17, 456, 442)),
            "Annotation/n02110958-pug/n02110958_9": _annotation((1, 2, 3, 4)),
        },
        "label split wnid breed",
        {
            f"Images/{DOG}#1": ["n02085620-Chihuahua", "train", "n02085620", "Chihuahua"],
            f"Images/{DOG}#2": ["n02085620-Chihuahua", "train", "n02085620", "Chihuahua"],
            f"Images/{_PUG}#1": ["n02110958-pug", "test", "n02110958", "pug"],
        },
        {
            f"Images/{DOG}#1": [25, 10, 276, 498],
            f"Images/{DOG}#2": [1, 1, 20, 30],
            f"Images/{_PUG}#1": [100, 17, 456, 442],
        },
        archives={
            "images.tar": "Images/",
            "lists.tar": ("train_list", "test_list"),
            "annotation.tar": "Annotation/",
        },
        queries={"metric-learning": 1 * 2},
        counts=frozenset({"incomplete: images"}),
    ),
    "nabirds": Miniature(
        {
            **images(f"{_BIRDS}images/0817/0000139e.jpg", f"{_BIRDS}images/0860/0000d9fc.jpg"),
            f"{_BIRDS}images.txt": (
                "0000-139e 0817/0000139e.jpg\n0000-d9fc 0860/0000d9fc.jpg\n"
            ),
            f"{_BIRDS}image_class_labels.txt": "0000-139e 817\n0000-d9fc 860\n",
            f"{_BIRDS}classes.txt": "0 Birds\n817 Oak Titmouse\n",
            f"{_BIRDS}train_test_split.txt": "0000-139e 0\n0000-d9fc 1\n",
            f"{_BIRDS}bounding_boxes.txt": "0000-139e 83 59 128 228\n0000-d9fc 328 88 16 29\n",
            f"{_BIRDS}hierarchy.txt": "817 0\n",
            f"{_BIRDS}README": "NABirds\n",
        },
        "label text split",
        {
            f"{_BIRDS}images/0817/0000139e.jpg#1": ["817", "Oak Titmouse", "test"],
            f"{_BIRDS}images/0860/0000d9fc.jpg#1": ["860", None, "train"],
        },
        {
            f"{_BIRDS}images/0817/0000139e.jpg#1": [83, 59, 83 + 128, 59 + 228],
            f"{_BIRDS}images/0860/0000d9fc.jpg#1": [328, 88, 328 + 16, 88 + 29],
        },
        archives={"nabirds.tar.gz": ""},
        queries={"metric-learning": 1 * 2},
    ),
    "celeba": Miniature(
        {
            **_FACES,
            "Eval/list_eval_partition.txt": "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n",
            "Anno/identity_CelebA.txt": "000001.jpg 2880\n000002.jpg 2937\n000003.jpg 2880\n",
            "Anno/list_attr_celeba.txt": (
                f"3\n{_ATTRIBUTES}\n000001.jpg {_SMILE}\n000002.jpg {_SMILE}\n"
                f"000003.jpg {_SMILE}\n"
            ),
            "Anno/list_bbox_celeba.txt": "1\nimage_id x_1 y_1 width height\n",
        },
        "label split smiling male",
        {
            "Img/img_align_celeba/000001.jpg": ["2880", "train", 1, -1],
            "Img/img_align_celeba/000002.jpg": ["2937", "val", 1, -1],
            "Img/img_align_celeba/000003.jpg": ["2880", "test", 1, -1],
        },
        archives={"Img/img_align_celeba.zip": "Img/"},
        queries={"metric-learning": 1 * 2},
    ),
    "celeba/kaggle": Miniature(
        {
            **images("img_align_celeba/img_align_celeba/000001.jpg"),
            "list_eval_partition.csv": "image_id,partition\n000001.jpg,0\n000002.jpg,2\n",
            "list_attr_celeba.csv": "image_id,Male,Smiling\n000001.jpg,-1,1\n000002.jpg,1,1\n",
            "list_bbox_celeba.csv": "image_id,x_1,y_1,width,height\n000001.jpg,95,71,226,313\n",
        },
        "label split smiling",
        {"img_align_celeba/img_align_celeba/000001.jpg": [None, "train", 1]},
        findings=frozenset(
            {
                "dangling: list_eval_partition.csv: line 3",
                "unread-labels: list_eval_partition.csv",
            }
        ),
        counts=frozenset({"incomplete: split val"}),
    ),
}  # fmt: skip
