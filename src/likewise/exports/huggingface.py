"""A data set of the Hugging Face kind: Parquet with the images in it, and a page about it.

Source: https://huggingface.co/docs/datasets, "Structure your repository".
"""

import json
import re
from pathlib import Path

from likewise.exports.base import Fault, Selection
from likewise.exports.export_files import put
from likewise.exports.parquet import ParquetExport


class HuggingFace(ParquetExport):
    """What the parquet export writes, and ``README.md``; ``datasets.load_dataset`` opens it.

    Images are of the feature Image, labels and categories ClassLabel, ``objects`` a List. The
    split ``val`` is called validation; images without one are train where none has one.
    """

    def write(self, chosen: Selection, folder: Path) -> list[Fault]:
        """See ``Export.write``."""
        sizes = self.tables(chosen, folder)
        put(folder / "README.md", _page(chosen, sizes).encode())
        return []

    def name(self, split: str | None, *, alone: bool) -> str:
        """See ``ParquetExport.name``."""
        if split is None:
            return "train" if alone else "unsplit"
        return "validation" if split == "val" else re.sub(r"\W", "_", split)


def _page(chosen: Selection, sizes: dict[str, int]) -> str:
    """README.md: what the hub and ``load_dataset`` read at its head, and words for people."""
    card = chosen.card
    files = [{"split": name, "path": f"data/{name}-*.parquet"} for name in sizes]
    head = {
        "pretty_name": card.title,
        "license": "other",
        "license_name": card.licence.spdx,
        "configs": [{"config_name": "default", "data_files": files}],
    }
    # JSON is YAML, and json writes it the same every time.
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    counts = ", ".join(f"{name} {number:,}" for name, number in sizes.items())
    words = [
        f"# {card.title}",
        f"Images: {counts}.",
        f"Licence: {card.licence.spdx}. {card.licence.terms}".strip(),
        f"Citation: {card.citation}" if card.citation else "",
        "Known faults: " + "; ".join(card.faults) if card.faults else "",
    ]
    text = "\n\n".join(word for word in words if word)
    return "\n".join(["---", *lines, "---", "", text, ""])
