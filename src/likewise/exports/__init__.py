"""Export formats, one module each."""

from likewise.exports.base import Export
from likewise.registry import Registry

EXPORTS: Registry[Export] = Registry(
    "export",
    {
        "coco": "likewise.exports.coco:CocoExport",
        "croissant": "likewise.exports.croissant:CroissantExport",
        "csv": "likewise.exports.csv:CsvExport",
        "embeddings": "likewise.exports.embeddings:EmbeddingsExport",
        "folder": "likewise.exports.folder:FolderExport",
        "huggingface": "likewise.exports.huggingface:HuggingFaceExport",
        "image-matrix": "likewise.exports.image_matrix:ImageMatrixExport",
        "imagenet-npz": "likewise.exports.imagenet_npz:ImageNetNpzExport",
        "parquet": "likewise.exports.parquet:ParquetExport",
        "voc": "likewise.exports.voc:VocExport",
        "webdataset": "likewise.exports.webdataset:WebDatasetExport",
        "yolo": "likewise.exports.yolo:YoloExport",
    },
    base="likewise.exports.base:Export",
)
