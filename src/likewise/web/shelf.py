"""Open data sets by name and version, so that every answer reads one immutable version."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

import likewise
from likewise.errors import LikewiseError, StaleArtefactError

KEPT = 3
"""Number of versions of one data set that are kept open."""

REVISION_SECONDS = 2.0
"""Time after which a revision is resolved again: a branch moves with each commit."""


@dataclass(frozen=True)
class Opened:
    """One version of a data set, with the tags and selections that it had.

    Attributes:
        dataset: the open data set, which never changes.
        version: 16 hexadecimal digits that identify the version.
        rev: the git revision by which it was opened; None for the checkout.
        curated: version of its tags and selections, which change without a new version.
        cache: results that depend on this version only.
    """

    dataset: "likewise.Dataset"
    version: str
    rev: str | None
    curated: str = ""
    cache: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """Name of the data set."""
        return self.dataset.name


class Shelf:
    """The data sets of a catalogue that are open, at most ``KEPT`` versions of each."""

    def __init__(self, workspace: str | None) -> None:
        """Open data sets of the catalogue around ``workspace`` when they are first needed."""
        self._workspace = workspace
        self._opened: dict[str, OrderedDict[str, Opened]] = {}
        self._newest: dict[str, str] = {}
        self._seen: dict[str, str | None] = {}
        self._revisions: dict[tuple[str, str], tuple[str, float]] = {}
        self._lock = threading.RLock()  # of the fields; never held while tables are opened
        self._opening: WeakValueDictionary[tuple[str, str | None], Any] = WeakValueDictionary()

    def get(self, name: str, version: str | None = None, rev: str | None = None) -> Opened:
        """Return a version of a data set, by default the one that is checked out.

        Args:
            name: name of the data set.
            version: mark of a version that is open, or that is checked out.
            rev: a git revision.

        Raises:
            UnknownNameError: no such data set or revision.
            MissingArtefactError: the data set is not published.
            StaleArtefactError: the version is neither open nor checked out.
        """
        if version is not None and (kept := self._kept(name, version)):
            return kept
        opened = self._revision(name, rev) if rev else self.newest(name)
        if version is not None and opened.version != version:
            what = f"version {version} of {name} is not open; open its newest version"
            raise StaleArtefactError(what, f"likewise log {name}")
        return opened

    def newest(self, name: str) -> Opened:
        """Return the version that is checked out, or the last one while it is replaced.

        Raises:
            UnknownNameError: no such data set.
            MissingArtefactError: the data set is not published.
        """
        with self._alone(name, None):
            catalogue = likewise.open(workspace=self._workspace)
            last = self._kept(name, self._newest.get(name))
            present, curated = catalogue.version(name), catalogue.curated_version(name)
            same = present is None or (last and present in (last.version, self._seen.get(name)))
            if last and same and curated == last.curated:
                return last
            try:
                opened = self._keep(catalogue[name], None, curated)
            except LikewiseError:
                if last is None:
                    raise
                return last
            self._seen[name] = present if present == opened.version else None
            return opened

    def versions(self, name: str) -> list[Opened]:
        """Return the open versions of a data set, the one that was used last first."""
        with self._lock:
            kept = [*reversed(self._opened.get(name, OrderedDict()).values())]
        return kept or [self.newest(name)]

    @property
    def names(self) -> list[str]:
        """Names of the data sets that were opened."""
        return list(self._newest)

    def _alone(self, name: str, rev: str | None) -> Any:
        """Return the lock under which one revision of one data set is opened."""
        with self._lock:
            return self._opening.setdefault((name, rev), threading.RLock())

    def _kept(self, name: str, version: str | None) -> Opened | None:
        with self._lock:
            kept = self._opened.get(name, OrderedDict())
            if version is None or version not in kept:
                return None
            kept.move_to_end(version)
            return kept[version]

    def _revision(self, name: str, rev: str) -> Opened:
        with self._alone(name, rev):
            version, end = self._revisions.get((name, rev), (None, 0.0))
            if time.monotonic() < end and (opened := self._kept(name, version)):
                return opened
            opened = self._keep(likewise.open(name, rev=rev, workspace=self._workspace), rev)
            end = time.monotonic() + REVISION_SECONDS
            self._revisions[name, rev] = opened.version, end
            return opened

    def _keep(self, dataset: "likewise.Dataset", rev: str | None, curated: str = "") -> Opened:
        version = likewise.open(workspace=self._workspace).version(dataset)
        with self._lock:
            if rev is None:
                self._newest[dataset.name] = version
            kept = self._opened.setdefault(dataset.name, OrderedDict())
            old = kept.get(version)
            if not old or (rev is None and (old.rev, old.curated) != (None, curated)):
                kept[version] = Opened(dataset, version, rev, curated)
            kept.move_to_end(version)
            while len(kept) > KEPT:
                needed = (version, self._newest.get(dataset.name))
                del kept[next(one for one in kept if one not in needed)]
            return kept[version]
