"""Files are fetched from a server with the faults of real servers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faulty_server import DATA, SHA256, Behaviour, served
from likewise.errors import DataError
from likewise.storage.fetch import RemoteFile, fetch


@pytest.fixture
def how(monkeypatch: pytest.MonkeyPatch) -> Behaviour:
    monkeypatch.setattr("likewise.storage.fetch.PAUSE_S", 0.0)
    return Behaviour()


@pytest.fixture
def url(how: Behaviour) -> Iterator[str]:
    with served(how) as address:
        yield address


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
