"""Public data sets are downloaded by their names."""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

import likewise
from faulty_server import SHA256, Behaviour, served
from likewise.cli.app import app
from likewise.errors import DataError, UnknownNameError
from likewise.sources import SOURCES
from likewise.sources.known import DatasetFile, KnownDataset, known_datasets
from likewise.steps.download import catalogue_name


@pytest.fixture
def how(monkeypatch: pytest.MonkeyPatch) -> Behaviour:
    monkeypatch.setattr("likewise.storage.fetch.PAUSE_S", 0.0)
    return Behaviour()


@pytest.fixture
def url(how: Behaviour) -> Iterator[str]:
    with served(how) as address:
        yield address


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
