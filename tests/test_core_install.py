"""The commands that read, search, score and compare need no extra."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import core_only
import likewise
from likewise import __main__


def core(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, core_only.__file__, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_published_data_set_is_read_searched_and_exported(
    workspace: Path, tmp_path: Path
) -> None:
    sql = "select count(*) as n from emoji"
    item = json.loads(core("query", "select item_id from emoji", "--json").stdout)[0]["item_id"]
    for arguments in (
        ["list"],
        ["show", "emoji"],
        ["query", sql],
        ["search", "emoji", "--id", item, "-k", "3"],
        ["export", "emoji", "csv", "--to", tmp_path / "csv"],
    ):
        done = core(*arguments)
        assert done.returncode == 0, done.stderr
        assert done.stdout


def test_a_run_is_evaluated_compared_and_reported(workspace: Path) -> None:
    for arguments in (["evaluate", "emoji-tiny"], ["compare", "emoji-tiny", "emoji-tiny"]):
        done = core(*arguments)
        assert done.returncode == 0, done.stderr
    done = core("report", "emoji-tiny")
    assert done.returncode == 0, done.stderr
    assert "no map of the items: sklearn is not installed" in done.stderr
    assert (workspace / "reports" / "emoji-tiny.html").is_file()


def test_vectors_are_scored(tmp_path: Path) -> None:
    np.save(tmp_path / "e.npy", np.eye(6, dtype=np.float32)[[0, 0, 1, 1, 2, 2]])
    (tmp_path / "items.csv").write_text(
        "item_id,label\n" + "".join(f"{i},{i // 2}\n" for i in range(6)), encoding="utf-8"
    )
    vectors, items = tmp_path / "e.npy", tmp_path / "items.csv"
    done = core("score", "leave-one-out", "--embeddings", vectors, "--items", items, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["metrics"]["mAP"] == 1


def test_a_missing_extra_is_one_line_that_names_it(workspace: Path) -> None:
    done = core("load", "tiny")
    assert done.returncode == 5
    assert "pip install 'likewise[models]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_system_without_posix_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "name", "nt")
    with pytest.raises(SystemExit):
        __main__.main()
    with pytest.raises(ImportError, match="WSL"):
        _ = likewise.search_by_mail  # type: ignore[attr-defined]
    monkeypatch.undo()
    assert capsys.readouterr().err.splitlines() == [f"likewise: {likewise.SYSTEMS}"]
