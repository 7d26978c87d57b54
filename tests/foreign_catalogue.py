"""A catalogue that somebody else wrote, next to a home with files of the user."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from likewise.storage.versions import run_git

OUTPUT = "catalog/birds.lance"
PARAMS = "datasets:\n  birds: {path: data, annotations: data}\n"
CARD = "title: Birds\nsource: {kind: folder}\n"


@dataclass
class Foreign:
    """A victim's folder with a home, a remote, and a clone of somebody else's repository."""

    top: Path

    @property
    def clone(self) -> Path:
        return self.top / "clone"

    def publish(self, files: dict[str, str], links: dict[str, str] | None = None) -> Path:
        """Commit ``files`` and ``links``, whatever git ignores, and clone the repository."""
        theirs = self.top / "theirs"
        every = {"params.yaml": PARAMS, "catalog/birds.yaml": CARD, **files}
        for name, text in every.items():
            (theirs / name).parent.mkdir(parents=True, exist_ok=True)
            (theirs / name).write_text(text, "utf-8")
        for name, target in (links or {}).items():
            (theirs / name).parent.mkdir(parents=True, exist_ok=True)
            (theirs / name).symlink_to(target)
        run_git(theirs, "init", "--quiet", "--initial-branch=main")
        run_git(theirs, "add", "--all", "--force")
        run_git(theirs, "commit", "--quiet", "--message", "birds")
        run_git(self.top, "clone", "--quiet", "theirs", "clone")
        return self.clone

    def store(self, data: bytes, suffix: str = "") -> str:
        """Put ``data`` on the remote, and return its md5."""
        md5 = hashlib.md5(data).hexdigest()  # noqa: S324 (DVC's)
        place = self.top / "remote" / "files" / "md5" / md5[:2] / (md5[2:] + suffix)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return md5 + suffix

    def locked(self, entries: list[dict[str, str]]) -> dict[str, str]:
        """The files of a repository whose published table has these files."""
        listed = self.store(json.dumps(entries).encode(), ".dir")
        return {".dvc/config": self.settings(), "dvc.lock": lock(OUTPUT, listed)}

    def settings(self, further: str = "") -> str:
        head = f"['remote \"a\"']\n    url = {self.top / 'remote'}\n"
        return f"{head}{further.format(top=self.top)}[core]\n    remote = a\n"

    def outside(self) -> dict[str, object]:
        """Everything but the repositories and DVC's own cache: names, modes and contents."""
        found: dict[str, object] = {}
        for path in sorted(self.top.rglob("*")):
            name = path.relative_to(self.top).as_posix()
            part = name.split("/")
            if part[0] in ("theirs", "remote", "site") or (
                part[0] == "clone" and part[1:2] != [".git"]
            ):
                continue
            if part[:3] == ["clone", ".git", "likewise"] or path.is_dir():
                continue
            found[name] = (path.lstat().st_mode, path.is_symlink() or path.read_bytes())
        return found


def lock(path: str, md5: str) -> str:
    out = {"path": path, "hash": "md5", "md5": md5, "size": 1, "nfiles": 1}
    stage = {"cmd": "likewise publish birds", "outs": [out]}
    return json.dumps({"schema": "2.0", "stages": {"publish": stage}})


def foreign_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Foreign:
    """Make ``tmp_path`` the folder of a victim, and its home the home of commands."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".bashrc").write_text("# mine\n", "utf-8")
    (home / "thesis.txt").write_text("precious\n", "utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "a@example.org")
    return Foreign(tmp_path)
