"""Known public data sets: URLs, checksums, licences, and how to add them to a catalogue.

Data sets that require registration are listed with instructions instead of URLs.
"""

from dataclasses import dataclass

from likewise.storage.fetch import RemoteFile


@dataclass(frozen=True)
class DatasetFile:
    """One file of a data set: local name, URL and checksum."""

    name: str
    wanted: RemoteFile


@dataclass(frozen=True)
class KnownDataset:
    """A data set that can be downloaded, or instructions for obtaining it.

    Attributes:
        title: name of the data set.
        licence: terms in one line.
        add: arguments after ``likewise add NAME``, with ``{}`` for the folder.
        parts: files to download; empty if the data set is not public.
        by_hand: instructions if it is not public: files to obtain, and from where.
    """

    title: str
    licence: str
    add: str
    parts: tuple[DatasetFile, ...] = ()
    by_hand: str = ""


_INAT = "https://ml-inat-competition-datasets.s3.amazonaws.com/2021"
_INAT_LICENCE = "each photograph under its author's licence; non-commercial research"
_VOC = "https://thor.robots.ox.ac.uk/pascal/VOC"
_VOC_LICENCE = "Flickr's terms; see the VOC pages"

# Checksums are from torchvision 0.30 (``torchvision.datasets``); GPR1200's authors publish
# none.
KNOWN_DATASETS: dict[str, KnownDataset] = {
    "gpr1200": KnownDataset(
        "GPR1200: 12,000 images, 1,200 categories",
        "non-commercial research and education",
        "--source gpr1200 --path {}/GPR1200.zip "
        "--annotations {}/GPR1200_categoryNumber_to_text.json",
        (
            DatasetFile(
                "GPR1200.zip",
                RemoteFile("https://visual-computing.com/files/GPR1200/GPR1200.zip"),
            ),
            DatasetFile(
                "GPR1200_categoryNumber_to_text.json",
                RemoteFile(
                    "https://raw.githubusercontent.com/Visual-Computing/GPR1200/main/"
                    "GPR1200_categoryNumber_to_text.json"
                ),
            ),
        ),
    ),
    "food101": KnownDataset(
        "Food-101: 101,000 photographs of 101 dishes",
        "photographs of foodspotting.com; scientific fair use",
        "--source folder --path {}/food-101.tar.gz",
        (
            DatasetFile(
                "food-101.tar.gz",
                RemoteFile(
                    "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
                    digest="md5:85eeb15f3717b99a5da872d97d918f87",
                ),
            ),
        ),
    ),
    "inat2021_val": KnownDataset(
        "iNaturalist 2021, validation: 100,000 photographs of 10,000 species",
        _INAT_LICENCE,
        "--source folder --path {}/val.tar.gz",
        (
            DatasetFile(
                "val.tar.gz",
                RemoteFile(
                    f"{_INAT}/val.tar.gz", digest="md5:f6f6e0e242e3d4c9569ba56400938afc"
                ),
            ),
        ),
    ),
    "inat2021_mini": KnownDataset(
        "iNaturalist 2021, training, mini: 500,000 photographs of 10,000 species",
        _INAT_LICENCE,
        "--source folder --path {}/train_mini.tar.gz",
        (
            DatasetFile(
                "train_mini.tar.gz",
                RemoteFile(
                    f"{_INAT}/train_mini.tar.gz",
                    digest="md5:db6ed8330e634445efc8fec83ae81442",
                ),
            ),
        ),
    ),
    "inat2021": KnownDataset(
        "iNaturalist 2021, training: 2.7 million photographs of 10,000 species",
        _INAT_LICENCE,
        "--source folder --path {}/train.tar.gz",
        (
            DatasetFile(
                "train.tar.gz",
                RemoteFile(
                    f"{_INAT}/train.tar.gz", digest="md5:e0526d53c7f7b2e3167b2b43bb2690ed"
                ),
            ),
        ),
    ),
    "voc2007": KnownDataset(
        "PASCAL VOC 2007, training and validation",
        _VOC_LICENCE,
        "--source voc --path {}/VOCtrainval_06-Nov-2007.tar",
        (
            DatasetFile(
                "VOCtrainval_06-Nov-2007.tar",
                RemoteFile(
                    f"{_VOC}/voc2007/VOCtrainval_06-Nov-2007.tar",
                    digest="md5:c52e279531787c972589f7e41ab4ae64",
                ),
            ),
        ),
    ),
    "voc2012": KnownDataset(
        "PASCAL VOC 2012, training and validation",
        _VOC_LICENCE,
        "--source voc --path {}/VOCtrainval_11-May-2012.tar",
        (
            DatasetFile(
                "VOCtrainval_11-May-2012.tar",
                RemoteFile(
                    f"{_VOC}/voc2012/VOCtrainval_11-May-2012.tar",
                    digest="md5:6cd6e144f989b92b3379bac3b3de84fd",
                ),
            ),
        ),
    ),
    "imagenet": KnownDataset(
        "ImageNet, ILSVRC 2012 classification",
        "non-commercial research and education; ImageNet's terms of access",
        "--source imagenet --path {}",
        by_hand="register at https://image-net.org/download-images, get "
        "ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar and the devkit of task 1 and 2 "
        "(or the tree Data/CLS-LOC of the Kaggle competition "
        "imagenet-object-localization-challenge)",
    ),
    "compcars": KnownDataset(
        "CompCars",
        "non-commercial research; the authors' agreement",
        "--source compcars --path {}",
        by_hand="ask by the form at "
        "http://mmlab.ie.cuhk.edu.hk/datasets/comp_cars/index.html for the password, unpack "
        "data.zip (and sv_data.zip) with it, so that data/image, data/label and data/misc lie",
    ),
    "shoev2": KnownDataset(
        "QMUL-Shoe-V2",
        "non-commercial research; ask the authors",
        "--source sketch --path {}",
        by_hand="ask at https://sketchx.eecs.qmul.ac.uk/downloads/ for QMUL-Shoe-V2, put its "
        "folders of photos and sketches with their lists",
    ),
    "chairv2": KnownDataset(
        "QMUL-Chair-V2",
        "non-commercial research; ask the authors",
        "--source sketch --path {}",
        by_hand="ask at https://sketchx.eecs.qmul.ac.uk/downloads/ for QMUL-Chair-V2, put its "
        "folders of photos and sketches with their lists",
    ),
    "fissp": KnownDataset(
        "FISSP",
        "never published",
        "--source fissp --path {}",
        by_hand="its repository holds no data and no address of any; ask its authors, put "
        "train, val and test with their annotations",
    ),
}
"""Name of a data set, as used by ``likewise add``, -> description."""
