"""Messages of doctor about the cache of DVC."""

import shutil
from pathlib import Path

import likewise


def test_a_list_of_the_cache_that_dvc_cannot_read_is_named(recorded: Path) -> None:
    listing = next(recorded.glob(".dvc/cache/files/md5/*/*.dir"))
    changed = listing.read_bytes().replace(b"relpath", b"relqath")
    listing.unlink()
    listing.write_bytes(changed)
    shutil.rmtree(recorded / ".dvc" / "tmp")  # DVC's memory of the list
    problems = likewise.doctor(workspace=recorded)
    assert [p.command for p in problems if p.check == "cache"] == ["likewise pull --verify"]
    assert not [p for p in problems if p.check == "dvc"]
