"""Rename a data set in dvc.lock and dvc.yaml, so that DVC has nothing to run because of it."""

import copy
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from likewise.catalogue.dataset_entries import Renaming
from likewise.storage.artefacts import Stage

_PARAMS = "params.yaml"


class NewContent(NamedTuple):
    """The MD5 of a file or folder before and after the change, and the new size in bytes."""

    before: str
    after: str
    size: int


@dataclass(frozen=True)
class PipelineRenames:
    """Everything that a data set's new name changes in a dvc.lock.

    Attributes:
        renaming: the names.
        stages: old name of a stage -> the stage before and after.
        paths: old path of a file -> new path.
        folder: the old and the new folder of the data set's tables.
        contents: new path -> its new content, of files that are rewritten.
        stale: new names of stages that depend on the name, and have to run again.
    """

    renaming: Renaming
    stages: Mapping[str, tuple[Stage, Stage]]
    paths: Mapping[str, str]
    folder: tuple[str, str]
    contents: Mapping[str, NewContent]
    stale: Collection[str]

    def lock(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the document of a dvc.lock with the new names."""
        return {**document, "stages": dict(self._stages(document.get("stages") or {}))}

    def text(self, text: str) -> str:
        """Return a text, such as dvc.yaml or a command in it, with the new paths and keys."""
        text = self._old_paths.sub(lambda match: self.path(match[0]), text)
        for section, keys in self.renaming.keys.items():
            for old, new in keys.items():
                pattern = rf"(?<![\w.-]){section}\.{re.escape(old)}(?![\w-])"
                text = re.sub(pattern, f"{section}.{new}", text)
        return text

    def path(self, path: str) -> str:
        """Return the new path of a file or folder."""
        old, new = self.folder
        if path == old or path.startswith(f"{old}/"):
            return new + path.removeprefix(old)
        return self.paths.get(path, path)

    @property
    def _old_paths(self) -> re.Pattern[str]:
        """The old paths in a text; a folder may be followed by more."""
        whole = sorted(map(re.escape, self.paths), key=len, reverse=True)
        names = "|".join([*whole, re.escape(self.folder[0])])
        return re.compile(rf"(?<![\w./-])(?:{names})(?![\w.-])")

    def _stages(self, stages: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, stage in stages.items():
            if name not in self.stages:
                yield name, self._strings(stage)
            elif isinstance(stage, dict):
                yield str(self.stages[name][1]), self._stage(stage, *self.stages[name])

    def _strings(self, value: Any) -> Any:
        """Rename in every text of a stage that likewise does not define."""
        if isinstance(value, dict):
            return {self._strings(key): self._strings(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._strings(inner) for inner in value]
        return self.text(value) if isinstance(value, str) else value

    def _stage(self, stage: Mapping[str, Any], old: Stage, new: Stage) -> dict[str, Any]:
        changed = dict(stage)
        words = str(stage.get("cmd", "")).split(" ")
        if len(words) > 2 and words[0] == "likewise":
            names = {self.renaming.old: self.renaming.new, old.key: new.key}
            words[2] = names.get(words[2], words[2])
            changed["cmd"] = " ".join(words)
        stale = str(new) in self.stale
        for part in ("deps", "outs"):
            if part in stage:
                kept = stale and part == "deps"
                changed[part] = [self._file(entry, kept=kept) for entry in stage[part]]
        if isinstance(stage.get("params"), dict):
            changed["params"] = {
                self.path(file): self._values(values) if file == _PARAMS else values
                for file, values in stage["params"].items()
            }
        return changed

    def _file(self, entry: Mapping[str, Any], *, kept: bool) -> dict[str, Any]:
        path = self.path(str(entry.get("path")))
        content = self.contents.get(path)
        if content is None or kept or entry.get("md5") != content.before:
            return {**entry, "path": path}
        return {**entry, "path": path, "md5": content.after, "size": content.size}

    def _values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Rename in the parameters of params.yaml that a stage recorded."""
        renamed = {}
        for parameter, value in values.items():
            section, _, rest = parameter.partition(".")
            key, dot, option = rest.partition(".")
            name = f"{section}.{self.renaming.key(section, key)}{dot}{option}"
            entry = copy.deepcopy(value)
            if not option:
                self.renaming.change(section, entry)
            renamed[name if rest else parameter] = entry
        return renamed
