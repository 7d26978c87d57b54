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
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import resvg_py
from PIL import Image

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
TOOLS = {"resvg-py": "0.5.0", "pillow": "13.0.0"}

EMOJI_SIZE = 160
FOOD_SIZE = 96
JPEG_QUALITY = 85


@dataclass(frozen=True)
class Package:
    """An npm package, pinned."""

    name: str
    version: str
    licence: str
    sha256: str

    @property
    def tarball(self) -> str:
        """The file name that ``npm pack`` gives the package."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


@dataclass(frozen=True)
class DesignSet:
    """One way of drawing every emoji: an icon set, or a folder of SVG files."""

    name: str
    package: Package
    folder: str | None = None
    margin: float = 0.05
    """White edge, as a share of the picture's side; 0 where the drawings bring their own."""


@dataclass(frozen=True)
class Emoji:
    """A code point and its CLDR short name."""

    code: int
    text: str

    @property
    def slug(self) -> str:
        """The name as icon sets and file names write it."""
        return self.text.lower().replace(" ", "-")


@dataclass(frozen=True)
class Picture:
    """A picture to be made: where it goes, and what it shows."""

    file: str
    emoji: Emoji
    design: DesignSet


OPENMOJI = Package(
    "openmoji",
    "17.0.0",
    "CC-BY-SA-4.0",
    "55ee7d13485dec86e9f38c1f3a645a13382d33ff97c0cd845ee824b0aef45e68",
)

SETS = (
    DesignSet("openmoji", OPENMOJI, folder="color/svg", margin=0),
    DesignSet("openmoji_black", OPENMOJI, folder="black/svg", margin=0),
    DesignSet(
        "twemoji",
        Package(
            "@iconify-json/twemoji",
            "1.2.5",
            "CC-BY-4.0",
            "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7",
        ),
    ),
    DesignSet(
        "noto",
        Package(
            "@iconify-json/noto",
            "1.2.9",
            "Apache-2.0",
            "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad",
        ),
    ),
    DesignSet(
        "noto-v1",
        Package(
            "@iconify-json/noto-v1",
            "1.2.5",
            "Apache-2.0",
            "2bf62c26c2c2884aa99e90aec942cdaee17a5921f05690694f4978ad4b017c37",
        ),
    ),
    DesignSet(
        "fluent",
        Package(
            "@iconify-json/fluent-emoji",
            "1.2.7",
            "MIT",
            "8044210dbf11e016d4de85f15d01a243423bd832457e7e2491df1b751c0e272b",
        ),
    ),
    DesignSet(
        "fluent-flat",
        Package(
            "@iconify-json/fluent-emoji-flat",
            "1.2.6",
            "MIT",
            "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175",
        ),
    ),
    DesignSet(
        "fluent-contrast",
        Package(
            "@iconify-json/fluent-emoji-high-contrast",
            "1.2.6",
            "MIT",
            "0b92d48c90d2200bd499e3cdd09a127ca6a8c8ddefd34c35eb5a1e4994012ae0",
        ),
    ),
    DesignSet(
        "emojione",
        Package(
            "@iconify-json/emojione",
            "1.2.3",
            "CC-BY-4.0",
            "26a14f44284407e8bcde91799388dca2bfd91dbcd55a97f425524a1c5b73610e",
        ),
    ),
    DesignSet(
        "emojione-v1",
        Package(
            "@iconify-json/emojione-v1",
            "1.2.3",
            "CC-BY-SA-4.0",
            "6641d59d48a42823fdc2b84e7427e9f302944eb98d2c7d94d6e67c139e7b37b3",
        ),
    ),
)

COLOUR_FOOD_SET = "noto"
GREY_FOOD_SET = "openmoji_black"

# The first category id of each of GPR1200's six subsets -> what fills it.
CATEGORIES = {
    0: {  # Landmarks: buildings and places
        0x1F3E0: "house",
        0x1F3E2: "office building",
        0x1F3E5: "hospital",
        0x1F3ED: "factory",
        0x1F3F0: "castle",
        0x1F3EF: "Japanese castle",
        0x26EA: "church",
        0x1F3DF: "stadium",
        0x1F3DB: "classical building",
        0x1F5FC: "Tokyo tower",
        0x1F5FD: "Statue of Liberty",
        0x1F3A1: "ferris wheel",
    },
    200: {  # iNat: animals and plants
        0x1F418: "elephant",
        0x1F42A: "camel",
        0x1F413: "rooster",
        0x1F427: "penguin",
        0x1F438: "frog",
        0x1F422: "turtle",
        0x1F419: "octopus",
        0x1F41E: "lady beetle",
        0x1F40C: "snail",
        0x1F335: "cactus",
        0x1F33B: "sunflower",
        0x1F344: "mushroom",
    },
    400: {  # ImageNet-Sketch: everyday objects
        0x2702: "scissors",
        0x1F528: "hammer",
        0x1F511: "key",
        0x1F4A1: "light bulb",
        0x1F56F: "candle",
        0x23F0: "alarm clock",
        0x260E: "telephone",
        0x1F4FA: "television",
        0x1F4F7: "camera",
        0x1F52C: "microscope",
        0x1F514: "bell",
        0x2693: "anchor",
    },
    600: {  # INSTRE: instruments and vehicles
        0x1F3B8: "guitar",
        0x1F3BB: "violin",
        0x1F3BA: "trumpet",
        0x1F3B7: "saxophone",
        0x1F3B9: "musical keyboard",
        0x1F68C: "bus",
        0x1F692: "fire engine",
        0x1F6B2: "bicycle",
        0x26F5: "sailboat",
        0x1F681: "helicopter",
        0x1F680: "rocket",
        0x1F69C: "tractor",
    },
    800: {  # SOP: clothing and household products
        0x1F576: "sunglasses",
        0x1F455: "T-shirt",
        0x1F456: "jeans",
        0x1F457: "dress",
        0x1F45C: "handbag",
        0x1F392: "backpack",
        0x1F45F: "running shoe",
        0x1F460: "high-heeled shoe",
        0x1F3A9: "top hat",
        0x1F6CF: "bed",
        0x1F6CB: "couch and lamp",
        0x1F6C1: "bathtub",
    },
    1000: {  # Faces: people and smileys
        0x1F476: "baby",
        0x1F468: "man",
        0x1F475: "old woman",
        0x1F46E: "police officer",
        0x1F477: "construction worker",
        0x1F482: "guard",
        0x1F478: "princess",
        0x1F385: "Santa Claus",
        0x1F602: "face with tears of joy",
        0x1F60E: "smiling face with sunglasses",
        0x1F62D: "loudly crying face",
        0x1F634: "sleeping face",
    },
}

FOOD = {
    "fruit": {
        0x1F347: "grapes",
        0x1F349: "watermelon",
        0x1F34A: "tangerine",
        0x1F34B: "lemon",
        0x1F34C: "banana",
        0x1F34D: "pineapple",
        0x1F34E: "red apple",
        0x1F350: "pear",
        0x1F351: "peach",
        0x1F352: "cherries",
        0x1F353: "strawberry",
        0x1F95D: "kiwi fruit",
        0x1F965: "coconut",
    },
    "vegetable": {
        0x1F330: "chestnut",
        0x1F336: "hot pepper",
        0x1F33D: "ear of corn",
        0x1F346: "eggplant",
        0x1F951: "avocado",
        0x1F952: "cucumber",
        0x1F954: "potato",
        0x1F955: "carrot",
        0x1F966: "broccoli",
        0x1F9C4: "garlic",
        0x1F9C5: "onion",
        0x1FAD1: "bell pepper",
        0x1FADB: "pea pod",
    },
    "prepared": {
        0x1F32D: "hot dog",
        0x1F32E: "taco",
        0x1F354: "hamburger",
        0x1F355: "pizza",
        0x1F357: "poultry leg",
        0x1F35E: "bread",
        0x1F35F: "french fries",
        0x1F373: "cooking",
        0x1F37F: "popcorn",
        0x1F950: "croissant",
        0x1F957: "green salad",
        0x1F968: "pretzel",
        0x1F96A: "sandwich",
    },
    "sweet": {
        0x1F366: "soft ice cream",
        0x1F367: "shaved ice",
        0x1F368: "ice cream",
        0x1F369: "doughnut",
        0x1F36A: "cookie",
        0x1F36B: "chocolate bar",
        0x1F36C: "candy",
        0x1F36D: "lollipop",
        0x1F36E: "custard",
        0x1F370: "shortcake",
        0x1F382: "birthday cake",
        0x1F967: "pie",
        0x1F9C1: "cupcake",
    },
    "drink": {
        0x2615: "hot beverage",
        0x1F375: "teacup without handle",
        0x1F376: "sake",
        0x1F377: "wine glass",
        0x1F378: "cocktail glass",
        0x1F379: "tropical drink",
        0x1F37A: "beer mug",
        0x1F37E: "bottle with popping cork",
        0x1F943: "tumbler glass",
        0x1F95B: "glass of milk",
        0x1F964: "cup with straw",
        0x1F9C3: "beverage box",
        0x1F9CB: "bubble tea",
    },
}

# The place of a code point in its kind -> its split; every other place is for training.
SPLITS = {2: "val", 5: "test", 8: "val", 11: "test"}


def category_texts() -> dict[int, Emoji]:
    """Number the categories: each subset's emoji count up from its first id."""
    return {
        first + place: Emoji(code, text)
        for first, members in CATEGORIES.items()
        for place, (code, text) in enumerate(members.items())
    }


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


def fetch(package: Package, folder: Path) -> Path:
    """Give a package's archive, fetching it into the folder if it is not there yet.

    Raises:
        SystemExit: the archive is not the pinned one.
    """
    path = folder / package.tarball
    if not path.exists():
        command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination"]
        wanted = f"{package.name}@{package.version}"
        subprocess.run([*command, str(folder), wanted], check=True, stdout=subprocess.DEVNULL)
    if hashlib.sha256(path.read_bytes()).hexdigest() != package.sha256:
        raise SystemExit(f"{path} is not the pinned {package.name} {package.version}")
    return path


def read_members(path: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Read the named files of an npm archive that are there, in one pass and in memory."""
    wanted = {f"package/{name}": name for name in names}
    found = {}
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            if member.name in wanted and (stream := archive.extractfile(member)):
                found[wanted[member.name]] = stream.read()
    return found


def check_licence(package: Package, manifest: bytes) -> None:
    """Stop unless the package itself states the licence that is written down here.

    Raises:
        SystemExit: it states another.
    """
    stated = json.loads(manifest)["license"]
    if stated != package.licence:
        raise SystemExit(f"{package.name} is under {stated}, not {package.licence}")


def icon_svg(icons: dict[str, Any], name: str) -> str:
    """Make a whole SVG, black where it leaves the colour open, of an Iconify icon.

    Raises:
        ValueError: the name stands for a turned or mirrored icon.
    """
    if alias := icons.get("aliases", {}).get(name):
        if set(alias) != {"parent"}:
            raise ValueError(f"{icons['prefix']}:{name} is a changed {alias['parent']}")
        name = alias["parent"]
    icon = icons["icons"][name]
    box = {**icons, **icon}
    view = f"{box.get('left', 0)} {box.get('top', 0)} {box['width']} {box['height']}"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="1" height="1" color="#000" viewBox={quoteattr(view)}>{icon["body"]}</svg>'
    )


def check_names(characters: dict[str, str], emoji: Iterable[Emoji]) -> None:
    """Stop if an icon set that lists its code points names one of the emoji differently.

    Raises:
        SystemExit: it does.
    """
    for one in emoji:
        named = characters.get(f"{one.code:x}", one.slug)
        if named != one.slug:
            raise SystemExit(f"U+{one.code:04X} is {named}, not {one.slug}")


def load_drawings(design: DesignSet, archive: Path, emoji: set[Emoji]) -> dict[Emoji, str]:
    """Read a design set's drawings of some emoji, as SVG."""
    if design.folder:
        files = {one: f"{design.folder}/{one.code:04X}.svg" for one in emoji}
        members = read_members(archive, ["package.json", *files.values()])
        drawings = {one: members[file].decode() for one, file in files.items()}
    else:
        members = read_members(archive, ["package.json", "icons.json", "chars.json"])
        icons = json.loads(members["icons.json"])
        check_names(json.loads(members["chars.json"]), emoji)
        drawings = {one: icon_svg(icons, one.slug) for one in emoji}
    check_licence(design.package, members["package.json"])
    return drawings


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
