"""The static site: complete, without the network, only of the chosen items."""

import hashlib
import re
from pathlib import Path

import pytest

import likewise
from browsers import browser, measure
from html_tags import BAD
from learning import write
from likewise.catalogue import takedowns
from likewise.catalogue.takedowns import Entry, Record
from likewise.errors import DataError, UnknownNameError
from likewise.storage.workspace import Workspace

LINK = re.compile(r'\b(?:href|src)="([^"]+)"')


def site(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all files of a site."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.torch
def test_a_site_is_whole_and_needs_no_network(workspace: Path) -> None:
    likewise.correct("emoji", ["0_noto.jpg"], {"text": BAD})
    likewise.publish("emoji")
    likewise.evaluate("emoji-tiny")
    likewise.select("emoji", "few", where="label IN ('0', '200')")
    write(workspace, "maps", "plane", {"dataset": "emoji", "model": "tiny"})
    likewise.map("plane")
    options = {"selection": "few", "runs": ["emoji-tiny"], "compare": ["emoji-tiny"] * 2}
    options |= {"maps": ["plane"]}
    done = likewise.site("paper", "emoji", **options)  # type: ignore[arg-type]
    files = site(done.folder)
    assert (done.items, done.without_picture, done.files) == (8, 0, len(files))
    _check_links(files, done.nbytes)
    assert len([name for name in files if name.startswith("pictures/")]) == 8
    pages = {name: data.decode() for name, data in files.items() if name.endswith(".html")}
    assert not [n for n, d in files.items() if b"http://" in d and n != "map-plane.html"]
    assert str(workspace).encode() not in b"".join(files.values())
    assert b"400_noto.jpg" not in b"".join(
        data for name, data in files.items() if name != "comparison.html"
    )
    pictures = {name: data for name, data in files.items() if name.startswith("pictures/")}
    assert all(Path(n).stem == hashlib.sha256(d).hexdigest()[:32] for n, d in pictures.items())
    assert b"alert('x')" not in files["items-0001.html"]  # escaped
    assert b"8 of 8 items of this site on the map" in files["map-plane.html"]
    again = likewise.site("again", "emoji", **options)  # type: ignore[arg-type]
    assert site(again.folder) == files
    _check_layout(pages)


def _check_links(files: dict[str, bytes], nbytes: int) -> None:
    """Check that every link leads to a file of the site, and that only one page has scripts."""
    assert nbytes == sum(map(len, files.values()))
    pages = {name: data.decode() for name, data in files.items() if name.endswith(".html")}
    for name, text in pages.items():
        scripts = ["items.js", "find.js"] if name == "find.html" else []
        assert re.findall("<script(.*?)>", text) == [f' src="{one}"' for one in scripts], name
        for target in LINK.findall(text):
            if name == "map-plane.html" and target.startswith("data:image/png"):
                continue  # the points of the figure
            file, _, anchor = target.partition("#")
            assert file in files, (name, target)
            assert not anchor or f'id="{anchor}"' in files[file].decode()


def _check_layout(pages: dict[str, str]) -> None:
    """Open the pages at 1,400 and 390 pixels, if there is a browser."""
    command = browser()
    for found in measure(command, pages, Path("paper").resolve()) if command else ():
        assert found["width"] <= found["window"], found
        assert not found["outside"], found


def test_what_cannot_be_shared_is_refused(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = Workspace(workspace)
    card = ws.card_file("emoji")
    plain = card.read_text("utf-8")
    with pytest.raises(UnknownNameError, match="no selection named 'none'"):
        likewise.site("paper", "emoji", selection="none")
    with pytest.raises(UnknownNameError, match="no run named 'r'"):
        likewise.site("paper", "emoji", runs=["r"])
    with pytest.raises(UnknownNameError, match="no map named 'plane'"):
        likewise.site("paper", "emoji", maps=["plane"])
    with pytest.raises(DataError, match="1 run is compared; give two"):
        likewise.site("paper", "emoji", compare=["emoji-tiny"])
    with monkeypatch.context() as patch:
        patch.setattr("likewise.steps.site.MOST_ITEMS", 10)
        with pytest.raises(DataError, match="24 items; a site has at most 10"):
            likewise.site("paper", "emoji")
    closed = "licence: {spdx: X, forbids: [sharing]}"
    card.write_text(re.sub(r"(?m)^licence: .*$", closed, plain), "utf-8")
    with pytest.raises(DataError, match="forbids an export for the purpose sharing"):
        likewise.site("paper", "emoji", where="label = '0'")
    card.write_text(plain, "utf-8")
    row = likewise.open("emoji")["0_noto.jpg"]
    entry = Entry("0_noto.jpg", "0_noto.jpg", row["sha256"], "request")
    ws.forgotten("emoji").write_text(takedowns.text(Record((entry,))), "utf-8")
    with pytest.raises(DataError, match=r"1 item was taken down, .* likewise forget emoji"):
        likewise.site("paper", "emoji", where="label = '0'")
    assert not (workspace / "paper").exists()
