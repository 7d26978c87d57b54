"""Data sets that are opened at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import likewise
from likewise.errors import LikewiseError
from likewise.web.shelf import Shelf


def test_a_revision_that_opens_slowly_delays_no_other_version(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, end = threading.Event(), threading.Event()
    open_now = likewise.open

    def open_slowly(*names: Any, **options: Any) -> Any:
        if options.get("rev") == "slow":
            begun.set()
            assert end.wait(60)
        return open_now(*names, **options)

    monkeypatch.setattr(likewise, "open", open_slowly)
    shelf = Shelf(None)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(shelf.get, "emoji", None, "slow")
        assert begun.wait(60)
        newest = shelf.get("emoji")
        assert shelf.get("emoji", newest.version) is newest
        assert shelf.versions("emoji") == [newest]
        assert not slow.done()
        end.set()
        with pytest.raises(LikewiseError):
            slow.result(60)


def test_a_version_is_opened_once(workspace: Path) -> None:
    shelf = Shelf(None)
    with ThreadPoolExecutor(4) as threads:
        opened = list(threads.map(shelf.get, ["emoji"] * 8))
    assert len({id(one) for one in opened}) == 1
