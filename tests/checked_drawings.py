"""Small data sets of drawings and their copies, with a check."""

from io import BytesIO
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

import likewise

REPOSITORY = Path(__file__).parents[1]
DRAWINGS = sorted((REPOSITORY / "samples" / "emoji" / "images").glob("*_fluent.jpg"))
PLAIN: dict[str, Any] = {"min_bytes": None, "min_side": None, "min_brightness": None}
PLAIN |= {"max_brightness": None, "min_sharpness": None}
"""Bounds that flag no single image."""


def add(
    root: Path, name: str, files: dict[str, bytes], *, kind: str = "folder", **bounds: object
) -> None:
    """Add a data set of files in folders, with a check, and ingest and measure it."""
    for path, data in files.items():
        place = root / "sources" / name / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    params = root / "params.yaml"
    content = yaml.safe_load(params.read_text("utf-8")) if params.exists() else {}
    entry = {"path": f"sources/{name}", "annotations": f"sources/{name}"}
    content.setdefault("datasets", {})[name] = entry
    content.setdefault("checks", {})[name] = bounds
    params.write_text(yaml.safe_dump(content), "utf-8")
    card = f"title: {name}\nsource: {{kind: {kind}}}\n"
    (root / "catalog" / f"{name}.yaml").write_text(card, "utf-8")
    likewise.ingest(name, workspace=root)
    likewise.measure(name, workspace=root)


def flags(root: Path, name: str) -> list[tuple[str, str, str | None]]:
    """Return (flag, image, other image) of every flag."""
    rows = likewise.query(
        f"select flag, image_id, other from {name}_flags order by flag_id",  # noqa: S608
        workspace=root,
    )
    return list(rows.frame.iter_rows())


def drawing(number: int) -> bytes:
    return DRAWINGS[number].read_bytes()


def smaller(number: int) -> bytes:
    out = BytesIO()
    with Image.open(DRAWINGS[number]) as picture:
        picture.resize((90, 90), Image.Resampling.LANCZOS).save(out, "JPEG", quality=80)
    return out.getvalue()


def plain(colour: str, size: tuple[int, int] = (300, 300)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()
