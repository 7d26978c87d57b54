"""The design sets of the samples, and the npm packages that hold them, pinned."""

from dataclasses import dataclass


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
