"""Layouts of data sets on disk, a module each."""

from likewise.registry import Registry
from likewise.sources.base import Source

SOURCES: Registry[Source] = Registry(
    "source",
    {
        "coco": "likewise.sources.coco:Coco",
        "compcars": "likewise.sources.compcars:CompCars",
        "csv": "likewise.sources.csv:Csv",
        "fissp": "likewise.sources.fissp:Fissp",
        "folder": "likewise.sources.folder:FolderTree",
        "gpr1200": "likewise.sources.gpr1200:Gpr1200",
        "imagenet": "likewise.sources.imagenet:ImageNet",
        "parquet": "likewise.sources.parquet:Parquet",
        "roxford5k": "likewise.sources.revisited:Roxford",
        "rparis6k": "likewise.sources.revisited:Rparis",
        "sketch": "likewise.sources.sketch:Sketch",
        "voc": "likewise.sources.voc:Voc",
        "webdataset": "likewise.sources.webdataset:WebDataset",
        "yolo": "likewise.sources.yolo:Yolo",
    },
    base="likewise.sources.base:Source",
)
