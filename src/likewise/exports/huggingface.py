"""Hugging Face data set: Parquet files that contain the images, and a dataset card.

Source: https://huggingface.co/docs/datasets, "Structure your repository".
"""

import json
import re
from pathlib import Path

from likewise.exports.base import ExportFault, Selection
from likewise.exports.export_files import put
from likewise.exports.image_export import Frame, has_turned_boxes, in_frame
from likewise.exports.parquet import ParquetExport


class HuggingFaceExport(ParquetExport):
    """Files of the parquet export, and ``README.md``; ``datasets.load_dataset`` opens them.

    Images have the feature Image, labels and categories ClassLabel, ``objects`` List. The split
    ``val`` becomes validation; if no image has a split, all are train. Boxes are those of
    upright pictures, which ``datasets`` shows; the source ``parquet`` reads them so.
    """

    orientation: Frame = "upright"
    """Frame of boxes and sizes: upright, as ``datasets`` shows pictures, or stored pixels."""

    def write_items(self, selection: Selection, folder: Path) -> list[ExportFault]:
        """See ``ImageExport.write_items``."""
        is_turned = self.orientation == "upright" and has_turned_boxes(selection)
        framed = in_frame(selection, self.orientation)
        sizes = self.tables(framed, folder, "upright" if is_turned else "stored")
        put(folder / "README.md", _dataset_card(selection, sizes).encode())
        return []

    def name(self, split: str | None, *, alone: bool) -> str:
        """See ``ParquetExport.name``."""
        if split is None:
            return "train" if alone else "unsplit"
        return "validation" if split == "val" else re.sub(r"\W", "_", split)


def _dataset_card(selection: Selection, sizes: dict[str, int]) -> str:
    """Return README.md: metadata for the hub and ``load_dataset``, then text."""
    card = selection.card
    files = [{"split": name, "path": f"data/{name}-*.parquet"} for name in sizes]
    metadata = {
        "pretty_name": card.title,
        "license": "other",
        "license_name": card.licence.spdx,
        "configs": [{"config_name": "default", "data_files": files}],
    }
    # JSON is valid YAML, and its output is reproducible.
    lines = [
        f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in metadata.items()
    ]
    counts = ", ".join(f"{name} {number:,}" for name, number in sizes.items())
    paragraphs = [
        f"# {card.title}",
        f"Images: {counts}.",
        f"Licence: {card.licence.spdx}. {card.licence.terms}".strip(),
        f"Citation: {card.citation}" if card.citation else "",
        f"Homepage: {card.homepage}" if card.homepage else "",
        "Known faults: " + "; ".join(card.faults) if card.faults else "",
    ]
    text = "\n\n".join(word for word in paragraphs if word)
    return "\n".join(["---", *lines, "---", "", text, ""])
