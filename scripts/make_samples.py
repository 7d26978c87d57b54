"""Make the shipped samples, ``samples/emoji`` and ``samples/food``, from npm packages.

A maintainer's tool: nothing in likewise imports it. It needs, next to Python 3.11,

* npm (any version with ``npm pack --pack-destination``; last run with 11.19.1),
* ``pip install resvg-py==0.5.0 pillow==13.0.0`` (exactly these, or the bytes may differ).

Usage::

    python scripts/make_samples.py [--packages DIR]

Packages are pinned by version and SHA-256. They are fetched into DIR, where they stay for
the next run, or into a temporary folder. They are read as archives and never unpacked to
disk. Both data sets and ``samples/sources.csv`` are written anew; ``samples/README.md`` and
``samples/LICENSES`` are kept by hand. A second run writes the same bytes.
"""

import argparse
import csv
import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import resvg_py
from design_sets import COLOUR_FOOD_SET, GREY_FOOD_SET, SETS, DesignSet
from drawings import fetch, load_drawings
from emoji import FOOD, SPLITS, Emoji, category_texts
from PIL import Image

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
TOOLS = {"resvg-py": "0.5.0", "pillow": "13.0.0"}
EMOJI_SIZE = 160
FOOD_SIZE = 96
JPEG_QUALITY = 85


@dataclass(frozen=True)
class Picture:
    """A picture to be made: where it goes, and what it shows."""

    file: str
    emoji: Emoji
    design: DesignSet


def emoji_pictures(design: DesignSet) -> Iterator[Picture]:
    """List a set's pictures for ``samples/emoji``, in GPR1200's flat layout."""
    for category, emoji in category_texts().items():
        yield Picture(f"emoji/images/{category}_{design.name}.jpg", emoji, design)


def food_pictures(design: DesignSet) -> Iterator[Picture]:
    """List a set's pictures for ``samples/food``, a tree of splits and labels."""
    for label, members in FOOD.items():
        for place, (code, text) in enumerate(members.items()):
            emoji = Emoji(code, text)
            split = SPLITS.get(place, "train")
            yield Picture(f"food/{split}/{label}/{emoji.slug}_{design.name}.png", emoji, design)


def set_pictures(design: DesignSet) -> list[Picture]:
    """List every picture that a design set gives."""
    pictures = list(emoji_pictures(design))
    if design.name in {COLOUR_FOOD_SET, GREY_FOOD_SET}:
        pictures.extend(food_pictures(design))
    return pictures


def check_tools() -> None:
    """Stop unless the renderer and the encoder are the pinned ones.

    Raises:
        SystemExit: another version is installed.
    """
    for tool, wanted in TOOLS.items():
        if version(tool) != wanted:
            raise SystemExit(f"{tool} {wanted} is needed, {version(tool)} is installed")


def render(svg: str, size: int, margin: float) -> Image.Image:
    """Draw an SVG in the middle of a transparent square."""
    edge = round(size * margin)
    side = size - 2 * edge
    png = resvg_py.svg_to_bytes(svg_string=svg, width=side, height=side, skip_system_fonts=True)
    picture = Image.new("RGBA", (size, size))
    picture.paste(Image.open(io.BytesIO(bytes(png))), (edge, edge))
    return picture


def on_white(picture: Image.Image) -> Image.Image:
    """Lay a picture with transparency on white."""
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")


def save(picture: Picture, svg: str) -> None:
    """Render a picture and write its file.

    ``emoji`` holds JPEG on white; ``food`` holds PNG, the colour set with its transparency,
    the black set as greyscale on white.
    """
    path = SAMPLES / picture.file
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jpg":
        image = on_white(render(svg, EMOJI_SIZE, picture.design.margin))
        image.save(path, quality=JPEG_QUALITY, optimize=True)
        return
    image = render(svg, FOOD_SIZE, picture.design.margin)
    if picture.design.name == GREY_FOOD_SET:
        image = on_white(image).convert("L")
    image.save(path, optimize=True)


def write_categories() -> None:
    """Write the text of every category id."""
    texts = {str(category): emoji.text for category, emoji in category_texts().items()}
    content = json.dumps(texts, indent=2) + "\n"
    (SAMPLES / "emoji/categories.json").write_text(content, encoding="utf-8", newline="\n")


def write_sources(pictures: list[Picture]) -> None:
    """Write where every picture comes from, one row each, by file name."""
    with (SAMPLES / "sources.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["file", "code_point", "name", "set", "package", "version", "licence"])
        for picture in sorted(pictures, key=lambda picture: picture.file):
            emoji, package = picture.emoji, picture.design.package
            code = f"U+{emoji.code:04X}"
            origin = [package.name, package.version, package.licence]
            rows.writerow([picture.file, code, emoji.text, picture.design.name, *origin])


def make_samples(packages: Path) -> list[Picture]:
    """Write both data sets anew and tell what was written."""
    for folder in ("emoji", "food"):
        shutil.rmtree(SAMPLES / folder, ignore_errors=True)
    made = []
    for design in SETS:
        pictures = set_pictures(design)
        archive = fetch(design.package, packages)
        drawings = load_drawings(design, archive, {picture.emoji for picture in pictures})
        for picture in pictures:
            save(picture, drawings[picture.emoji])
        made.extend(pictures)
    write_categories()
    write_sources(made)
    return made


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--packages", type=Path, help="where npm archives are kept")
    packages: Path | None = parser.parse_args().packages
    check_tools()
    with tempfile.TemporaryDirectory() as scratch:
        folder = packages or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        made = make_samples(folder)
    print(f"{len(made)} pictures in {SAMPLES}")


if __name__ == "__main__":
    main()
