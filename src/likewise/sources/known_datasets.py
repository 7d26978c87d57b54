"""Data sets that are known by name: where they are, what they are, how to add them.

Addresses and checksums change hands: each says where it was read. Data behind a registration
are named too, with what to get and where to put it.
"""

from dataclasses import dataclass

from likewise.storage.fetch import Wanted


@dataclass(frozen=True)
class Part:
    """One file of a data set and what it is called here."""

    name: str
    wanted: Wanted


@dataclass(frozen=True)
class Download:
    """A data set that can be fetched, or what to do where it cannot.

    Attributes:
        title: what people call it.
        licence: its terms, in a line.
        parts: its files; none where it is not public.
        add: what follows ``likewise add NAME``, with ``{}`` for the folder.
        by_hand: where it is not public: what to get, and from where.
    """

    title: str
    licence: str
    add: str
    parts: tuple[Part, ...] = ()
    by_hand: str = ""


_INAT = "https://ml-inat-competition-datasets.s3.amazonaws.com/2021"
_INAT_LICENCE = "each photograph under its author's licence; non-commercial research"
_VOC = "https://thor.robots.ox.ac.uk/pascal/VOC"
_VOC_LICENCE = "Flickr's terms; see the VOC pages"

# Checksums: those that torchvision 0.30 keeps in ``torchvision.datasets``. GPR1200's authors
# publish none.
DOWNLOADS: dict[str, Download] = {
    "gpr1200": Download(
        "GPR1200: 12,000 images, 1,200 categories",
        "non-commercial research and education",
        "--source gpr1200 --path {}/GPR1200.zip --text {}/GPR1200_categoryNumber_to_text.json",
        (
            Part(
                "GPR1200.zip",
                Wanted("https://visual-computing.com/files/GPR1200/GPR1200.zip"),
            ),
            Part(
                "GPR1200_categoryNumber_to_text.json",
                Wanted(
                    "https://raw.githubusercontent.com/Visual-Computing/GPR1200/main/"
                    "GPR1200_categoryNumber_to_text.json"
                ),
            ),
        ),
    ),
    "food101": Download(
        "Food-101: 101,000 photographs of 101 dishes",
        "photographs of foodspotting.com; scientific fair use",
        "--source folder --path {}/food-101.tar.gz",
        (
            Part(
                "food-101.tar.gz",
                Wanted(
                    "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
                    digest="md5:85eeb15f3717b99a5da872d97d918f87",
                ),
            ),
        ),
    ),
    "inat2021_val": Download(
        "iNaturalist 2021, validation: 100,000 photographs of 10,000 species",
        _INAT_LICENCE,
        "--source folder --path {}/val.tar.gz",
        (
            Part(
                "val.tar.gz",
                Wanted(f"{_INAT}/val.tar.gz", digest="md5:f6f6e0e242e3d4c9569ba56400938afc"),
            ),
        ),
    ),
    "inat2021_mini": Download(
        "iNaturalist 2021, training, mini: 500,000 photographs of 10,000 species",
        _INAT_LICENCE,
        "--source folder --path {}/train_mini.tar.gz",
        (
            Part(
                "train_mini.tar.gz",
                Wanted(
                    f"{_INAT}/train_mini.tar.gz",
                    digest="md5:db6ed8330e634445efc8fec83ae81442",
                ),
            ),
        ),
    ),
    "inat2021": Download(
        "iNaturalist 2021, training: 2.7 million photographs of 10,000 species",
        _INAT_LICENCE,
        "--source folder --path {}/train.tar.gz",
        (
            Part(
                "train.tar.gz",
                Wanted(f"{_INAT}/train.tar.gz", digest="md5:e0526d53c7f7b2e3167b2b43bb2690ed"),
            ),
        ),
    ),
    "voc2007": Download(
        "PASCAL VOC 2007, training and validation",
        _VOC_LICENCE,
        "--source voc --path {}/VOCtrainval_06-Nov-2007.tar",
        (
            Part(
                "VOCtrainval_06-Nov-2007.tar",
                Wanted(
                    f"{_VOC}/voc2007/VOCtrainval_06-Nov-2007.tar",
                    digest="md5:c52e279531787c972589f7e41ab4ae64",
                ),
            ),
        ),
    ),
    "voc2012": Download(
        "PASCAL VOC 2012, training and validation",
        _VOC_LICENCE,
        "--source voc --path {}/VOCtrainval_11-May-2012.tar",
        (
            Part(
                "VOCtrainval_11-May-2012.tar",
                Wanted(
                    f"{_VOC}/voc2012/VOCtrainval_11-May-2012.tar",
                    digest="md5:6cd6e144f989b92b3379bac3b3de84fd",
                ),
            ),
        ),
    ),
    "imagenet": Download(
        "ImageNet, ILSVRC 2012 classification",
        "non-commercial research and education; ImageNet's terms of access",
        "--source imagenet --path {}",
        by_hand="register at https://image-net.org/download-images, get "
        "ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar and the devkit of task 1 and 2 "
        "(or the tree Data/CLS-LOC of the Kaggle competition "
        "imagenet-object-localization-challenge)",
    ),
    "compcars": Download(
        "CompCars",
        "non-commercial research; the authors' agreement",
        "--source compcars --path {}",
        by_hand="ask by the form at "
        "http://mmlab.ie.cuhk.edu.hk/datasets/comp_cars/index.html for the password, unpack "
        "data.zip (and sv_data.zip) with it, so that data/image, data/label and data/misc lie",
    ),
    "shoev2": Download(
        "QMUL-Shoe-V2",
        "non-commercial research; ask the authors",
        "--source sketch --path {}",
        by_hand="ask at https://sketchx.eecs.qmul.ac.uk/downloads/ for QMUL-Shoe-V2, put its "
        "folders of photos and sketches with their lists",
    ),
    "chairv2": Download(
        "QMUL-Chair-V2",
        "non-commercial research; ask the authors",
        "--source sketch --path {}",
        by_hand="ask at https://sketchx.eecs.qmul.ac.uk/downloads/ for QMUL-Chair-V2, put its "
        "folders of photos and sketches with their lists",
    ),
    "fissp": Download(
        "FISSP",
        "never published",
        "--source fissp --path {}",
        by_hand="its repository holds no data and no address of any; ask its authors, put "
        "train, val and test with their annotations",
    ),
}
"""Name -> what is known; the name is also what ``likewise add`` is told."""
