"""The paths of the files of a data set that people write, and git merges."""

from abc import abstractmethod
from pathlib import Path


class RecordPlaces:
    """The paths of corrections, take-downs, tags, verdicts and selections."""

    @abstractmethod
    def tables(self, dataset: str) -> Path:
        """The folder of the tables, corrections and releases of a data set."""

    def corrections(self, dataset: str) -> Path:
        """The corrections of a data set."""
        return self.tables(dataset) / "corrections.csv"

    def tags(self, dataset: str) -> Path:
        """The tags of the items of a data set."""
        return self.tables(dataset) / "tags.csv"

    def reviews(self, dataset: str) -> Path:
        """The verdicts on flags and findings of a data set."""
        return self.tables(dataset) / "reviews.csv"

    def selections(self, dataset: str) -> Path:
        """The folder of the selections of a data set."""
        return self.tables(dataset) / "selections"

    def selection(self, dataset: str, name: str) -> Path:
        """A selection: a list of items of a data set."""
        return self.selections(dataset) / f"{name}.csv"

    def forgotten(self, dataset: str) -> Path:
        """The list of removed items that must not be ingested again."""
        return self.tables(dataset) / "forgotten.csv"

    def records(self, dataset: str) -> list[Path]:
        """All of these files of a data set that exist."""
        single = (
            self.corrections(dataset),
            self.forgotten(dataset),
            self.tags(dataset),
            self.reviews(dataset),
        )
        listed = sorted(self.selections(dataset).glob("*.csv"))
        return [*(path for path in single if path.is_file()), *listed]
