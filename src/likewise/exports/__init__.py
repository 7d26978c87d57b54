"""Formats that leave the catalogue, a module each."""

from likewise.exports.base import Export
from likewise.registry import Registry

EXPORTS: Registry[Export] = Registry(
    "export",
    {
        "coco": "likewise.exports.coco:CocoExport",
        "croissant": "likewise.exports.croissant:Croissant",
        "csv": "likewise.exports.csv:CsvExport",
        "embeddings": "likewise.exports.embeddings:Embeddings",
        "folder": "likewise.exports.folder:FolderExport",
        "huggingface": "likewise.exports.huggingface:HuggingFace",
        "image-matrix": "likewise.exports.image_matrix:ImageMatrix",
        "imagenet-npz": "likewise.exports.imagenet_npz:ImagenetNpz",
        "parquet": "likewise.exports.parquet:ParquetExport",
        "voc": "likewise.exports.voc:VocExport",
        "webdataset": "likewise.exports.webdataset:WebDataset",
        "yolo": "likewise.exports.yolo:YoloExport",
    },
    base="likewise.exports.base:Export",
)
