"""Drawings of emoji as SVG, out of npm packages that are read as archives."""

import hashlib
import json
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from design_sets import DesignSet, Package
from emoji import Emoji


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
