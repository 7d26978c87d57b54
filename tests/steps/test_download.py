"""Downloads from a real local server with the faults of real servers."""

import hashlib
import re
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import likewise
from likewise.cli.app import app
from likewise.errors import DataError, UnknownNameError
from likewise.sources import SOURCES
from likewise.sources.known import DatasetFile, KnownDataset, known_datasets
from likewise.steps.download import catalogue_name
from likewise.storage.fetch import RemoteFile, fetch

DATA = bytes(range(256)) * 4096  # one MiB
SHA256 = f"sha256:{hashlib.sha256(DATA).hexdigest()}"


@dataclass
class Behaviour:
    """Behaviour of the server; ``requests`` are the requested ranges."""

    data: bytes = DATA
    etag: str = '"one"'
    breaks_after: list[int] = field(default_factory=list)
    announces: int | None = None
    ranges: bool = True
    statuses: list[int] = field(default_factory=list)
    location: str = ""
    shift: int = 0
    requests: list[str | None] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def do_GET(self) -> None:
        how = self.behaviour
        asked = self.headers.get("Range")
        how.requests.append(asked)
        status = how.statuses.pop(0) if how.statuses else 200
        if status != 200:
            self.send_response(status)
            if how.location:
                self.send_header("Location", how.location)
            self.send_header("Content-Length", "0")
            self.end_headers()
            how.location = ""
            return
        start = 0
        if asked and how.ranges and self.headers.get("If-Range") == how.etag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        self._send(how, start)

    def _send(self, how: Behaviour, start: int) -> None:
        if start > len(how.data) - 1:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(how.data)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = how.data[start:]
        self.send_response(206 if start else 200)
        if start:
            span = f"bytes {start + how.shift}-{len(how.data) - 1}/{len(how.data)}"
            self.send_header("Content-Range", span)
        if how.etag:
            self.send_header("ETag", how.etag)
        length = how.announces if how.announces is not None else len(body)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        sent = how.breaks_after.pop(0) if how.breaks_after else len(body)
        self.wfile.write(body[:sent])
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def how(monkeypatch: pytest.MonkeyPatch) -> Behaviour:
    monkeypatch.setattr("likewise.storage.fetch.PAUSE_S", 0.0)
    return Behaviour()


@pytest.fixture
def url(how: Behaviour) -> Iterator[str]:
    handler = type("Bound", (Handler,), {"behaviour": how})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/file.bin"
        server.shutdown()
        thread.join()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "new" / "file.bin"


def test_a_file_is_fetched_whole(url: str, target: Path) -> None:
    assert fetch(RemoteFile(url, len(DATA), SHA256), target) == len(DATA)
    assert target.read_bytes() == DATA
    assert [path.name for path in target.parent.iterdir()] == ["file.bin"]


def test_what_breaks_off_is_gone_on_with(url: str, target: Path, how: Behaviour) -> None:
    how.breaks_after = [100_000, 200_000]
    fetch(RemoteFile(url, digest=SHA256), target)
    assert target.read_bytes() == DATA
    assert how.requests == [None, "bytes=100000-", "bytes=300000-"]


def test_another_process_resumes(url: str, target: Path, how: Behaviour) -> None:
    how.breaks_after = [100_000] + [0] * 5
    with pytest.raises(DataError, match=r"100,000 bytes are kept, run the same command again"):
        fetch(RemoteFile(url, digest=SHA256), target)
    assert not target.exists()
    how.requests.clear()
    fetch(RemoteFile(url, digest=SHA256), target)
    assert how.requests == ["bytes=100000-"]
    assert target.read_bytes() == DATA


def test_another_file_meanwhile_is_fetched_from_its_beginning(
    url: str, target: Path, how: Behaviour
) -> None:
    how.breaks_after = [100_000] + [0] * 5
    with pytest.raises(DataError, match="again to resume"):
        fetch(RemoteFile(url), target)
    how.data, how.etag = DATA[::-1], '"two"'
    fetch(RemoteFile(url), target)
    assert target.read_bytes() == DATA[::-1]


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_a_strong_validator_it_begins_again(
    url: str, target: Path, how: Behaviour, etag: str
) -> None:
    how.etag, how.breaks_after = etag, [100_000]
    fetch(RemoteFile(url, digest=SHA256), target)
    assert how.requests == [None, None]
    assert target.read_bytes() == DATA


def test_a_server_that_ignores_ranges(url: str, target: Path, how: Behaviour) -> None:
    how.ranges, how.breaks_after = False, [100_000]
    fetch(RemoteFile(url, digest=SHA256), target)
    assert target.read_bytes() == DATA


def test_a_server_that_sends_another_range(url: str, target: Path, how: Behaviour) -> None:
    how.shift, how.breaks_after = 7, [100_000]
    fetch(RemoteFile(url, digest=SHA256), target)
    assert target.read_bytes() == DATA


@pytest.mark.parametrize("known", [{"digest": SHA256}, {"nbytes": len(DATA)}])
def test_all_but_the_name_had_come(
    url: str, target: Path, how: Behaviour, known: dict[str, Any]
) -> None:
    how.breaks_after = [100_000] + [0] * 5
    with pytest.raises(DataError, match="again to resume"):
        fetch(RemoteFile(url, **known), target)
    (target.parent / "file.bin.part").write_bytes(DATA)
    how.requests.clear()
    fetch(RemoteFile(url, **known), target)
    # Requested for more, the server answers 416: the file has ended.
    assert how.requests == [f"bytes={len(DATA)}-"]
    assert target.read_bytes() == DATA


def test_a_file_without_checksum_that_cannot_be_resumed_begins_again_once(
    url: str, target: Path, how: Behaviour
) -> None:
    how.announces = len(DATA) + 1  # it announces one byte more than it sends
    with pytest.raises(DataError, match=r"no bytes after the first 1,048,576, although") as one:
        fetch(RemoteFile(url), target)
    assert len(str(one.value).splitlines()) == 1
    # Requested for that byte, the server answers 416.
    assert how.requests == [None, f"bytes={len(DATA)}-"] * 2
    assert not target.exists()
    assert (target.parent / "file.bin.part").stat().st_size == 0
    how.announces = None
    fetch(RemoteFile(url), target)
    assert target.read_bytes() == DATA


def test_a_file_that_became_shorter_is_fetched_from_its_beginning(
    url: str, target: Path, how: Behaviour
) -> None:
    how.breaks_after = [100_000] + [0] * 5
    with pytest.raises(DataError, match="again to resume"):
        fetch(RemoteFile(url), target)
    how.data = b"short"
    fetch(RemoteFile(url), target)
    assert target.read_bytes() == b"short"


def test_a_server_that_says_too_much(url: str, target: Path, how: Behaviour) -> None:
    how.announces, how.etag = len(DATA) + 1, ""
    with pytest.raises(DataError, match=rf"ended after {len(DATA):,} of {len(DATA) + 1:,}"):
        fetch(RemoteFile(url), target)
    assert len(how.requests) == 1 + 5


def test_a_server_that_says_too_little(url: str, target: Path, how: Behaviour) -> None:
    how.announces = 1000
    with pytest.raises(DataError, match=r"has 1,000 bytes, not the expected 1,048,576"):
        fetch(RemoteFile(url, nbytes=len(DATA)), target)
    with pytest.raises(DataError, match="not the expected file"):
        fetch(RemoteFile(url, digest=SHA256), target)
    assert list(target.parent.glob("*.bin*")) == []


def test_a_wrong_file_is_refused_and_removed(url: str, target: Path, how: Behaviour) -> None:
    how.data = DATA[:-1] + b"x"
    with pytest.raises(DataError, match=r"sha256:[0-9a-f]{64}, expected sha256:"):
        fetch(RemoteFile(url, len(DATA), SHA256), target)
    assert list(target.parent.glob("file.bin*")) == []


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_final(url: str, target: Path, how: Behaviour, status: int) -> None:
    how.statuses = [status]
    with pytest.raises(DataError, match=f"the server answers {status}"):
        fetch(RemoteFile(url), target)
    assert len(how.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_in_trouble_is_asked_again(
    url: str, target: Path, how: Behaviour, status: int
) -> None:
    how.statuses = [status] * 2
    fetch(RemoteFile(url, digest=SHA256), target)
    target.unlink()
    how.statuses = [status] * 5
    with pytest.raises(DataError, match=rf"answers {status} .*, 5 times in a row"):
        fetch(RemoteFile(url), target)


def test_a_redirect_is_followed(url: str, target: Path, how: Behaviour) -> None:
    how.statuses, how.location = [302], f"{url}?elsewhere"
    fetch(RemoteFile(url, digest=SHA256), target)
    assert target.read_bytes() == DATA


@pytest.mark.parametrize("location", ["file:///etc/hostname", "ftp://127.0.0.1/x"])
def test_a_redirect_out_of_the_web_is_not(
    url: str, target: Path, how: Behaviour, location: str
) -> None:
    how.statuses, how.location = [302], location
    with pytest.raises(DataError, match=r"is not (followed|allowed)"):
        fetch(RemoteFile(url), target)


@pytest.mark.parametrize(
    "url",
    ["file:///etc/hostname", "ftp://127.0.0.1/x", "http://[::1", "http://a\nb/", "http://a:x/"],
)
def test_an_address_that_is_not_on_the_web_is_refused(url: str, target: Path) -> None:
    with pytest.raises(DataError, match="is not an address on the web") as one:
        fetch(RemoteFile(url), target)
    assert len(str(one.value).splitlines()) == 1
    assert not target.parent.exists()


def test_a_redirect_in_circles_ends(url: str, target: Path, how: Behaviour) -> None:
    class Same(list[int]):
        def pop(self, _: int = -1) -> int:  # type: ignore[override]
            how.location = url
            return 302

    how.statuses = Same([302])
    with pytest.raises(DataError, match="302"):
        fetch(RemoteFile(url), target)


def test_nothing_answers(how: Behaviour, target: Path) -> None:
    with pytest.raises(DataError, match=r"no answer \(.*refused\), 5 times in a row"):
        fetch(RemoteFile("http://127.0.0.1:9/file.bin"), target)


def test_nothing_is_overwritten(url: str, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"mine")
    with pytest.raises(DataError, match="exists and is not overwritten"):
        fetch(RemoteFile(url), target)
    assert target.read_bytes() == b"mine"


def test_a_folder_that_cannot_be_written(url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="file"):
        fetch(RemoteFile(url), tmp_path / "file" / "x.bin")


@pytest.fixture
def zipped() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("images/0_a.jpg", b"not looked at")
    return out.getvalue()


def known_toys(url: str, digest: str | None = None) -> KnownDataset:
    """Return the declaration of a data set of one archive."""
    return KnownDataset.model_validate(
        {
            "title": "Toys",
            "summary": "An archive of one image, for tests.",
            "homepage": "https://example.org/toys",
            "licence": {"terms": "free"},
            "citation": "A. Author: Toys, for tests only",
            "layouts": [{"files": ["images/"], "source": {"kind": "gpr1200"}}],
            "download": [DatasetFile(name="toys.zip", url=url, digest=digest)],
            "layout": "images/0_a.jpg",
            "facts": [{"what": "all of them", "source": "this test"}],
        }
    )


@pytest.fixture
def toys(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(known_datasets(), "toys", known_toys(url))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("toys")
def test_a_data_set_is_fetched_by_its_name(how: Behaviour, zipped: bytes) -> None:
    how.data = zipped
    done = likewise.download("toys")
    assert (done.fetched, done.kept, done.folder) == (["toys.zip"], [], "data/toys")
    assert done.next == "likewise add toys --source toys --path data/toys"
    assert Path("data/toys/toys.zip").read_bytes() == zipped
    again = likewise.download("toys")
    assert (again.fetched, again.kept) == ([], ["toys.zip"])
    assert len(how.requests) == 1


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("killed_before", ["unlink", "end"])
def test_nothing_stays_of_a_download_killed_at_its_end(
    how: Behaviour, zipped: bytes, killed_before: str
) -> None:
    how.data = zipped
    likewise.download("toys")
    (target,) = Path("data/toys").iterdir()
    target.with_name("toys.zip.part.json").write_text('{"url": "", "validator": ""}', "utf-8")
    if killed_before == "unlink":
        target.with_name("toys.zip.part").hardlink_to(target)
    assert likewise.download("toys").kept == ["toys.zip"]
    assert [path.name for path in Path("data/toys").iterdir()] == ["toys.zip"]


@pytest.mark.usefixtures("toys")
def test_files_without_a_checksum_are_named(how: Behaviour, zipped: bytes) -> None:
    how.data = zipped
    assert likewise.download("toys").unverified == ["toys.zip"]
    verified = {offer.name: offer.verified for offer in likewise.downloads()}
    assert (verified["food-101"], verified["toys"]) == (True, False)
    for name, words in (("toys", "no +Toys"), ("food-101", "yes +Food-101")):
        listed = CliRunner().invoke(app, ["download"]).stdout
        assert re.search(rf"^{name} +yes +{words}", listed, re.MULTILINE)
    fetched = CliRunner().invoke(app, ["download", "toys"]).stdout
    assert "not verified, because no checksum is published: data/toys/toys.zip" in fetched


@pytest.mark.usefixtures("toys")
def test_a_page_is_not_an_archive(how: Behaviour) -> None:
    how.data = b"<html><title>Moved</title></html>"
    with pytest.raises(
        DataError,
        match="sent a file that is not an archive and begins with '<html><title>Moved",
    ):
        likewise.download("toys", Path("here"))
    assert list(Path("here").iterdir()) == []


def test_a_file_that_is_another_stays(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(known_datasets(), "toys", known_toys(url, SHA256))
    (tmp_path / "toys.zip").write_bytes(b"mine")
    with pytest.raises(DataError, match="exists and differs from"):
        likewise.download("toys", tmp_path)
    assert (tmp_path / "toys.zip").read_bytes() == b"mine"


def test_what_is_not_public_is_explained(tmp_path: Path) -> None:
    for name, known in known_datasets().items():
        if not known.download:
            command = f"likewise add {catalogue_name(name)} --source {name}"
            with pytest.raises(DataError, match=command) as error:
                likewise.download(name, tmp_path)
            assert str(tmp_path) in str(error.value)
            assert len(str(error.value).splitlines()) == 1
    with pytest.raises(UnknownNameError, match="did you mean 'gpr1200'"):
        likewise.download("gpr120")


@pytest.mark.usefixtures("toys")
def test_a_former_name_is_accepted(
    how: Behaviour, zipped: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    how.data = zipped
    known = known_datasets()["toys"].model_copy(update={"aliases": ("toys1",)})
    monkeypatch.setitem(known_datasets(), "toys", known)
    done = likewise.download("toys1")
    assert (done.name, done.folder) == ("toys", "data/toys1")
    assert done.renamed == "'toys1' is called 'toys' now"
    assert done.next == "likewise add toys --source toys --path data/toys1"


def test_every_download_is_of_a_kind_that_is_read() -> None:
    for known in known_datasets().values():
        assert {*known.kinds} <= {*SOURCES.kinds()}
    public = [offer.public for offer in likewise.downloads()]
    assert public == sorted(public, reverse=True)
