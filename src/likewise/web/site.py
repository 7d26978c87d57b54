"""The state that the routes of one server share."""

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from likewise.web.jobs import Jobs
from likewise.web.lanes import Lanes
from likewise.web.settings import Settings
from likewise.web.shelf import Shelf
from likewise.web.uploads import Uploads


@dataclass
class Site:
    """The state of a server.

    Attributes:
        settings: its settings.
        shelf: the open data sets.
        lanes: the threads that answer.
        jobs: jobs in the background, and events.
        uploads: pictures that browsers sent.
        suspects: data set, model and version -> its likely wrong labels, which a job found.
        stops: returns True when the server ends, so that streams end too.
    """

    settings: Settings
    shelf: Shelf
    lanes: Lanes = field(default_factory=Lanes)
    jobs: Jobs = field(default_factory=Jobs)
    uploads: Uploads = field(default_factory=Uploads)
    suspects: dict[tuple[str, str, str], pl.DataFrame] = field(default_factory=dict)
    stops: Callable[[], bool] = bool

    @classmethod
    def build(cls, settings: Settings) -> "Site":
        """Return the state of a server that begins."""
        return cls(settings, Shelf(settings.workspace))

    @property
    def workspace(self) -> str | None:
        """A folder in the catalogue; None for the current one."""
        return self.settings.workspace

    def url(self, path: str) -> str:
        """Return a path of the server as a URL."""
        return f"{self.settings.root_path}{path}"

    def close(self) -> None:
        """Start no further work."""
        self.lanes.close()
        self.jobs.close()
