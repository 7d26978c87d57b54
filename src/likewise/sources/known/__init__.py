"""Public data sets that are known by name: one declaration each, a YAML file of this folder.

A declaration states the facts of a data set with their sources, and how its files are read.
Everything that it can state is an option of an ordinary kind of source, so that the card that
``likewise add`` writes does not depend on the declaration.
"""

from functools import cache
from importlib import resources
from typing import Any

from pydantic import Field, model_validator

from likewise.formats.yaml_documents import parse_yaml
from likewise.registry import Part, check
from likewise.storage.config import Check, ExpectedCounts, Licence
from likewise.storage.fetch import RemoteFile


class DatasetFile(Part):
    """One file to download: local name, address, and published checksum and size."""

    name: str
    url: str = Field(pattern=r"^https?://")
    digest: str | None = None
    nbytes: int | None = None

    @property
    def wanted(self) -> RemoteFile:
        """The file as the downloader needs it."""
        return RemoteFile(self.url, self.nbytes, self.digest)


class StatedFact(Part):
    """The origin of facts: what is known, and from where (an address or a paper)."""

    what: str
    source: str = Field(min_length=8)


class KnownLayout(Part):
    """One form in which people have the files of a data set.

    Attributes:
        files: paths that must exist, below one folder at any depth; with "/" at the end, a
            folder with files. ``*`` matches any part of a name.
        packed: archives and files, as they are downloaded, that the layout is also read from
            without unpacking, with the option ``nested``.
        annotations: file next to the archive that has the annotations, if it exists.
        source: kind of source and its options.
        note: a sentence about the form.
        counts: counts of this form, if they differ from those of the data set.
        protocols: protocols of this form, if they differ from those of the data set.
    """

    files: tuple[str, ...] = Field(min_length=1)
    packed: tuple[str, ...] = ()
    annotations: str = ""
    source: dict[str, Any]
    note: str = ""
    counts: ExpectedCounts | None = None
    protocols: dict[str, dict[str, Any]] | None = None


class KnownDataset(Part):
    """The declaration of a public data set.

    Attributes:
        title: its title.
        summary: one sentence about its contents.
        homepage: address of its official page.
        licence: its terms of use.
        citation: how its authors want to be cited.
        counts: published counts.
        layouts: the forms of its files; the first one that fits is used.
        protocols: protocol -> options of its run; None for those of the kind of source.
        checks: bounds of ``likewise check`` that suit its images, such as ``{min_side: null}``
            for small ones.
        download: files to download; empty if its authors do not publish them freely.
        by_hand: how to obtain it, in place of ``download``: an instruction that ends before
            "into FOLDER".
        layout: the official files, as a short listing.
        facts: origins of all facts.
        faults: known faults of the published data.
        aliases: former names.
    """

    title: str
    summary: str = Field(min_length=20)
    homepage: str = Field(pattern=r"^https?://")
    licence: Licence
    citation: str = Field(min_length=20)
    counts: ExpectedCounts = ExpectedCounts()
    layouts: tuple[KnownLayout, ...] = Field(min_length=1)
    protocols: dict[str, dict[str, Any]] | None = None
    checks: dict[str, Any] = Field(default_factory=dict)
    download: tuple[DatasetFile, ...] = ()
    by_hand: str = ""
    layout: str
    facts: tuple[StatedFact, ...] = Field(min_length=1)
    faults: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> "KnownDataset":
        if bool(self.download) == bool(self.by_hand):
            raise ValueError("give either download or by_hand")
        Check.model_validate(self.checks)
        return self

    @property
    def terms(self) -> str:
        """The terms of use in one line."""
        spdx = self.licence.spdx.replace("NOASSERTION", "")
        return ": ".join(filter(None, (spdx, self.licence.terms)))

    @property
    def kinds(self) -> list[str]:
        """The kinds of source that read its layouts."""
        return list(dict.fromkeys(layout.source["kind"] for layout in self.layouts))


@cache
def known_datasets() -> dict[str, KnownDataset]:
    """Return the declarations by name, sorted."""
    folder = resources.files(__name__)
    files = [file for file in folder.iterdir() if file.name.endswith(".yaml")]
    return {
        file.name.removesuffix(".yaml"): check(
            KnownDataset, parse_yaml(file.read_bytes(), file.name), file.name
        )
        for file in sorted(files, key=lambda file: file.name)
    }


def find_known(name: str) -> str | None:
    """Return the name of the known data set that ``name`` means; None if there is none.

    Former names, and ``_`` in place of ``-``, are accepted.

    Example:
        >>> find_known("food101"), find_known("cub_200_2011"), find_known("mine")
        ('food-101', 'cub-200-2011', None)
    """
    known = known_datasets()
    plain = name.lower().replace("_", "-")
    if plain in known:
        return plain
    return next((key for key, one in known.items() if name.lower() in one.aliases), None)
