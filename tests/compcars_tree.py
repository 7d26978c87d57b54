"""Make a small CompCars (images, labels, tables, lists) and read it."""

import io
from pathlib import Path

import numpy as np
from scipy.io import savemat

from archives import Tree
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult

WEB = ["2/3/2014/bb.jpg", "2/3/unknown/aa.jpg", "10/11/2009/cc.JPG"]
SV = ["1/s1.jpg", "2/s2.jpg"]
LABEL = "1\n1\n12 23 245 234\n"
MISC = "data/misc/"
SPLITS = "data/train_test_split/"


def mat(**variables: object) -> bytes:
    stream = io.BytesIO()
    savemat(stream, variables)
    return stream.getvalue()


def column(*values: object) -> np.ndarray[tuple[int, ...], np.dtype[np.object_]]:
    return np.array([[value] for value in values], dtype=object)


def table(*rows: tuple[object, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.object_]]:
    cells = np.empty((len(rows), len(rows[0])), dtype=object)
    for number, row in enumerate(rows):
        cells[number] = row
    return cells


MAKES = column("Audi", "Citro\u00ebn", *[""] * 7, "BMW")
MODELS = column("A4L", "", "C4", *[""] * 7, "X5")
NAMES = {"make_names": MAKES, "model_names": MODELS}


def tree() -> Tree:
    labels = {f"data/label/{key[:-4]}.txt": LABEL.encode() for key in WEB}
    return {
        **{f"data/image/{key}": key.encode() for key in WEB},
        **labels,
        **{f"sv_data/image/{key}": key.encode() for key in SV},
        f"{MISC}attributes.txt": (
            b"model_id maximum_speed displacement door_number seat_number type\n"
            b"3 0 1.8 0 5 2\n11 235 0.0 5 0 0\n"
        ),
        f"{MISC}car_type.mat": mat(types=column("MPV", "SUV")),
        f"{MISC}make_model_name.mat": mat(**NAMES),
        f"{SPLITS}classification/train.txt": b"2/3/2014/bb.jpg\n",
        f"{SPLITS}classification/test.txt": b"10/11/2009/cc.JPG\r\n",
        f"{SPLITS}verification/verification_train.txt": b"2/3/2014/bb.jpg\n",
        f"{SPLITS}verification/verification_pairs_easy.txt": (
            b"2/3/2014/bb.jpg 2/3/unknown/aa.jpg 1\n"
        ),
        "sv_data/train_surveillance.txt": b"1/s1.jpg\n",
        "sv_data/test_surveillance.txt": b"2/s2.jpg\n",
        "sv_data/sv_make_model_name.mat": mat(
            sv_make_model_name=table(("BMW", "X5", 11), ("Citro\u00ebn", "C4", 3))
        ),
        "sv_data/color_list.mat": mat(color_list=table(("1/s1.jpg", 9), ("2/s2.jpg", -1))),
    }


def read(path: Path, annotations: Path | None = None, **options: object) -> SourceResult:
    source = SOURCES.build({"kind": "compcars", **options}, "card")
    return source.read(source.open(path), annotations or path)


def found(reading: SourceResult) -> list[str]:
    return reading.findings["finding_id"].to_list()
