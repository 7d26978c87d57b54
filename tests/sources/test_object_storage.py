"""Data sets in object storage: moto's S3 server, and a web server, on this machine."""

import http.server
import io
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

import buckets
import core_only
import forked
import likewise
from buckets import Bucket
from likewise.distributed import shard_cuts
from likewise.errors import ConfigError, DataError, LikewiseError
from likewise.storage.config import read_yaml
from likewise.storage.workspace import Workspace
from servers import DIE_AT_RENAME, Server

pytestmark = pytest.mark.torch

TABLES = ("images", "items", "findings")


@pytest.fixture
def lab(
    workspace: Path,
    s3_server: tuple[Server, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Bucket]:
    """Fill a bucket with the drawings of the catalogue, and let the SDK find it."""
    import boto3  # type: ignore[import-untyped]
    import fsspec

    server, key = s3_server
    found = {"AWS_ENDPOINT_URL": buckets.address(server), "AWS_DEFAULT_REGION": buckets.REGION}
    for name, value in {**key, **found, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    # Both libraries keep the keys and the server of an earlier module.
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    resource = boto3.session.Session().resource("s3")
    with closing(resource.meta.client):
        bucket = resource.Bucket("lab")
        bucket.objects.filter(Prefix="emoji/").delete()
        for path in sorted((workspace / "emoji").rglob("*.*")):
            bucket.put_object(Key=str(path.relative_to(workspace)), Body=path.read_bytes())
        yield bucket


def digests(root: Path, dataset: str, *tables: str) -> list[object]:
    folder = root / "catalog" / dataset / "columns"
    return [read_yaml(folder / f"{table}.yaml") for table in tables]


def add_emoji(path: str, annotations: str | None = None, name: str = "remote") -> None:
    likewise.add(name, source="gpr1200", path=path, annotations=annotations, protocols=[])


def test_a_prefix_gives_the_tables_of_the_folder(workspace: Path, lab: Bucket) -> None:
    given = ("--annotations", "s3://lab/emoji/categories.json", "--protocols", "none")
    command = ("likewise", "add", "remote", "--source", "gpr1200", "--path")
    done = forked.run(workspace, *command, "s3://lab/emoji/images", *given)
    assert done.returncode == 0, done.stderr
    entry = Workspace(workspace).dataset("remote")
    assert entry.path == "s3://lab/emoji/images"
    assert entry.annotations == "s3://lab/emoji/categories.json"
    assert likewise.ingest("remote").read == 6 * 4
    likewise.embed("remote", "tiny")
    assert digests(workspace, "remote", "tiny") == digests(workspace, "emoji", "tiny")
    add_emoji("emoji/images", "emoji/categories.json", "local")
    likewise.ingest("local")
    assert digests(workspace, "remote", *TABLES) == digests(workspace, "local", *TABLES)
    again = likewise.ingest("remote")
    assert (again.read, again.kept) == (0, 6 * 4)
    assert not [p for p in likewise.doctor() if "remote" in p.what and p.check == "source"]


def pack(pictures: list[Path], to: Path, form: str) -> Path:
    """Pack pictures as an archive, or as a folder of three."""
    if form == "zip":
        with zipfile.ZipFile(to, "w") as packed:
            for path in pictures:
                packed.write(path, path.name)
        return to
    if form == "tars":
        to.mkdir()
        for number in range(3):
            pack(pictures[number::3], to / f"{number}.tar", "tar")
        return to
    with tarfile.open(to, "w:gz" if form == "tar.gz" else "w") as tar:
        for path in pictures:
            tar.add(path, path.name)
    return to


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz", "tars"])
def test_an_archive_is_read_in_parts(workspace: Path, lab: Bucket, form: str) -> None:
    pictures = sorted((workspace / "emoji" / "images").iterdir())
    local = pack(pictures, workspace / f"packed.{form}", form)
    for file in sorted(local.iterdir()) if local.is_dir() else [local]:
        lab.put_object(Key=str(file.relative_to(workspace)), Body=file.read_bytes())
    kind = "webdataset" if form == "tars" else "folder"
    for name, place in (("here", str(local)), ("there", f"s3://lab/{local.name}")):
        likewise.add(name, source=kind, path=place, models=[], protocols=[])
        likewise.ingest(name)
    expected = digests(workspace, "here", *TABLES)
    assert digests(workspace, "there", *TABLES) == expected
    assert likewise.ingest("there").kept == len(pictures)
    forget_tables(workspace, "there")
    check_shards("there", len(pictures))
    assert digests(workspace, "there", *TABLES) == expected


def forget_tables(workspace: Path, name: str) -> None:
    """Remove what was ingested, so that all files are new."""
    shutil.rmtree(workspace / "catalog" / name)
    (workspace / ".likewise" / "stamps" / f"{name}.arrow").unlink()


def check_shards(name: str, images: int) -> None:
    """Check that one process reads all shards, and that nothing is left for the commit."""
    assert likewise.ingest(name, shard="0/1").read == images
    done = likewise.ingest(name)
    assert (done.read, done.images) == (0, images)


def test_objects_are_read_in_shards(
    workspace: Path, lab: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard_cuts, "FEWEST_FILES", 5)
    add_emoji("s3://lab/emoji/images")
    check_shards("remote", 6 * 4)
    assert digests(workspace, "remote", "images") == digests(workspace, "emoji", "images")


def test_a_layout_is_found_in_a_bucket(workspace: Path, lab: Bucket) -> None:
    drawing = (workspace / "emoji" / "images" / "0_noto.jpg").read_bytes()
    for name in ("cat/1.jpg", "cat/2.jpg", "dog/1.jpg"):
        lab.put_object(Key=f"pets/{name}", Body=drawing)
    added = likewise.add("pets", path="s3://lab/pets", models=[])
    assert (added.source, added.items, added.labels) == ("folder", 3, 2)
    assert likewise.validate("folder", "s3://lab/pets").items == 3


_KILLED = f"""{DIE_AT_RENAME}
import likewise
from likewise.imaging import image_table, probe_many
import likewise.steps.ingest
probe_many.CHUNK_FILES, image_table.SEGMENT_FILES = 4, 8
die_at_rename(int(sys.argv[1]))
likewise.ingest("remote")
"""


def test_a_killed_ingest_resumes_with_its_listing(workspace: Path, lab: Bucket) -> None:
    add_emoji("s3://lab/emoji/images", "s3://lab/emoji/categories.json")
    listings = workspace / ".likewise" / "listings" / "remote"
    (listing,) = listings.iterdir()
    seen = workspace / ".likewise" / "staging" / "ingest-remote" / "seen"
    # The first rename is that of the mark of the staging folder; the third never happens.
    died = subprocess.run([sys.executable, "-c", _KILLED, "3"], check=False)
    assert died.returncode == -9
    assert len(list(seen.glob("*.arrow"))) == 1
    new = (workspace / "emoji" / "images" / "0_noto.jpg").read_bytes() + b"\0"
    lab.put_object(Key="emoji/images/0_new.jpg", Body=new)
    resumed = likewise.ingest("remote")
    assert (resumed.kept, resumed.read) == (2 * 8, 6 * 4 - 2 * 8)
    assert digests(workspace, "remote", "images") == digests(workspace, "emoji", "images")
    assert not listing.exists()
    following = likewise.ingest("remote")
    assert (following.kept, following.read) == (6 * 4, 1)


def test_an_old_or_foreign_listing_is_not_used(workspace: Path, lab: Bucket) -> None:
    add_emoji("s3://lab/emoji/images")
    (listing,) = (workspace / ".likewise" / "listings" / "remote").iterdir()
    lab.Object("emoji/images/0_noto.jpg").delete()
    os.utime(listing, (0, 0))
    assert likewise.ingest("remote").images == 6 * 4 - 1
    add_emoji("s3://lab/emoji/images", name="other")
    (listing,) = (workspace / ".likewise" / "listings" / "other").iterdir()
    listing.write_bytes(b"0" * 64 + listing.read_bytes()[64:])
    lab.Object("emoji/images/0_openmoji.jpg").delete()
    assert likewise.ingest("other").images == 6 * 4 - 2


def test_an_object_that_is_gone_or_changed_is_a_finding(workspace: Path, lab: Bucket) -> None:
    add_emoji("s3://lab/emoji/images")
    lab.Object("emoji/images/0_noto.jpg").delete()
    lab.put_object(Key="emoji/images/0_openmoji.jpg", Body=b"short")
    assert likewise.ingest("remote").findings == {"unreadable": 2}
    details = [f.detail for f in likewise.findings("remote").first]
    assert details == [
        "it cannot be read: it is gone since it was listed",
        "it cannot be read: it has changed since it was listed",
    ]


def test_hostile_keys_are_findings(workspace: Path, lab: Bucket) -> None:
    drawing = (workspace / "emoji" / "images" / "0_noto.jpg").read_bytes()
    for name in ("0_good.jpg", "../0_up.jpg", "0_\x1b[2J.jpg", "a//0_empty.jpg", "a/./0.jpg"):
        lab.put_object(Key=f"odd/{name}", Body=drawing)
    for name in ("0_[*]?.jpg", "0?versionId=1.jpg"):
        lab.put_object(Key=f"odd/{name}", Body=drawing)
    likewise.add("odd", source="folder", path="s3://lab/odd", models=[])
    assert likewise.ingest("odd").images == 2
    found = {f.path: f.detail for f in likewise.findings("odd").first}
    assert found == {
        "../0_up.jpg": "its path leads upwards",
        "0?versionId=1.jpg": "its name holds '?versionId=', which the library of S3 cuts off",
        "0_\x1b[2J.jpg": "its name holds a control character",
        "a//0_empty.jpg": "a part of its path is empty or '.'",
        "a/./0.jpg": "a part of its path is empty or '.'",
    }
    assert not list(workspace.parent.rglob("*up.jpg"))


def test_a_refusal_is_one_line(
    workspace: Path,
    lab: Bucket,
    s3_server: tuple[Server, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def line(path: str) -> str:
        with pytest.raises(LikewiseError) as caught:
            likewise.validate("folder", path)
        text = str(caught.value)
        assert len(text.splitlines()) == 1
        return text

    assert "there is no such bucket" in line("s3://nobody/birds")
    assert "s3://lab/absent does not exist" in line("s3://lab/absent")
    add_emoji("s3://lab/emoji/images")
    with monkeypatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", "another")
        done = forked.run(workspace, "likewise", "ingest", "remote")
        assert done.returncode == DataError.exit_code
        assert len(done.stderr.splitlines()) == 1
        assert "s3://lab/emoji/images: access refused" in done.stderr
        assert "another" not in done.stderr
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        patch.setenv("AWS_MAX_ATTEMPTS", "1")
        done = forked.run(workspace, "likewise", "ingest", "remote")
        assert "the server cannot be reached" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    for credentials in ("https://me:secret@host/a.zip", "https://host/a.zip?sig=secret"):
        with pytest.raises(ConfigError, match=r"no user, password or signature") as caught:
            likewise.validate("folder", credentials)
        assert "secret" not in str(caught.value)


def test_a_missing_extra_is_one_line(workspace: Path, lab: Bucket) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(Path(core_only.__file__).parent)!r})\n"
        "import core_only; core_only.EXTRAS = frozenset({'s3fs'})\n"
        "sys.meta_path.insert(0, core_only.NoExtras())\n"
        "from likewise.__main__ import main; main()\n"
    )
    command = [sys.executable, "-c", program, "validate", "folder", "s3://lab/emoji"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 5, done.stderr
    assert done.stderr == (
        "likewise: s3://lab/emoji: the library that reads s3:// is not installed; run: "
        "pip install 'likewise[s3]'\n"
    )


class _Parts(http.server.SimpleHTTPRequestHandler):
    """A web server that sends parts of files, as most do."""

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        data = Path(self.translate_path(self.path)).read_bytes()
        asked = self.headers.get("Range", "").removeprefix("bytes=")
        first, _, last = asked.partition("-")
        part = data[int(first) : int(last) + 1] if asked else data
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("ETag", f'"{len(data)}"')
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.end_headers()
        self.wfile.write(part)


@contextmanager
def web_server(
    folder: Path, handler: type[http.server.SimpleHTTPRequestHandler]
) -> Iterator[str]:
    serve = partial(handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_archive_on_a_web_server(workspace: Path, tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "web" / "emoji"), "zip", workspace / "emoji" / "images")
    with web_server(tmp_path / "web", _Parts) as url:
        likewise.add("web", source="folder", path=f"{url}/emoji.zip", models=[])
        assert likewise.ingest("web").images == 6 * 4
        with pytest.raises(DataError, match=r"absent\.zip does not exist"):
            likewise.validate("folder", f"{url}/absent.zip")


@pytest.mark.dvc
def test_dvc_watches_the_objects(workspace: Path, lab: Bucket) -> None:
    likewise.init(workspace)
    add_emoji("s3://lab/emoji/images")
    forked.run_dvc(workspace, "repro", "ingest@remote")
    assert "didn't change, skipping" in forked.run_dvc(workspace, "repro", "ingest@remote")
    data = io.BytesIO((workspace / "emoji" / "images" / "0_noto.jpg").read_bytes() + b"\0")
    lab.put_object(Key="emoji/images/0_new.jpg", Body=data.getvalue())
    assert "Running stage 'ingest@remote'" in forked.run_dvc(
        workspace, "repro", "ingest@remote"
    )
    assert len(likewise.open("emoji").items) + 1 == likewise.ingest("remote").images
