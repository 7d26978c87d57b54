"""Layouts of data sets on disk, one module each."""

from typing import TYPE_CHECKING

from likewise.registry import Registry

if TYPE_CHECKING:  # a scorer needs the subsets of GPR1200, and no reader of archives
    from likewise.sources.base import Source

SOURCES: "Registry[Source]" = Registry(
    "source",
    {
        "coco": "likewise.sources.coco:CocoSource",
        "compcars": "likewise.sources.compcars:CompCarsSource",
        "csv": "likewise.sources.csv:CsvSource",
        "cvat": "likewise.sources.cvat:CvatSource",
        "fissp": "likewise.sources.fissp:FisspSource",
        "folder": "likewise.sources.folder:FolderSource",
        "good-ok-junk": "likewise.sources.good_ok_junk:GoodOkJunkSource",
        "gpr1200": "likewise.sources.gpr1200:Gpr1200Source",
        "imagefolder": "likewise.sources.imagefolder:ImageFolderSource",
        "imagenet": "likewise.sources.imagenet:ImageNetSource",
        "labelme": "likewise.sources.labelme:LabelMeSource",
        "labelstudio": "likewise.sources.labelstudio:LabelStudioSource",
        "parquet": "likewise.sources.parquet:ParquetSource",
        "pattern": "likewise.sources.pattern:PatternSource",
        "qrels": "likewise.sources.qrels:QrelsSource",
        "roxford5k": "likewise.sources.revisited:RoxfordSource",
        "rparis6k": "likewise.sources.revisited:RparisSource",
        "sketch": "likewise.sources.sketch:SketchSource",
        "table": "likewise.sources.delimited:DelimitedSource",
        "via": "likewise.sources.via:ViaSource",
        "voc": "likewise.sources.voc:VocSource",
        "webdataset": "likewise.sources.webdataset:WebDatasetSource",
        "yolo": "likewise.sources.yolo:YoloSource",
    },
    base="likewise.sources.base:Source",
)
