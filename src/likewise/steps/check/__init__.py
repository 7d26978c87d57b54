"""Flag doubtful images and items of a data set; views can exclude them."""

from dataclasses import dataclass, field, replace
from typing import overload

import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.counting import frequencies
from likewise.catalogue.doubts import FLAG, without_judged
from likewise.distributed import (
    Engine,
    ShardCounts,
    choose_engine,
    parse_shard,
    plans_of,
    remove_plans,
)
from likewise.distributed.engines.here import Here
from likewise.errors import LikewiseError
from likewise.formats import atomic
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.pages import notebook
from likewise.pages.written import write_page
from likewise.steps.check.check_inputs import CheckInputs
from likewise.steps.check.check_shards import CheckJob, check_job
from likewise.steps.check.collect_flags import Searches, collect_flags
from likewise.steps.check.file_flags import BOUNDS
from likewise.steps.check.flag_rows import table
from likewise.steps.check.flags_page import SHOWN, flagged_pictures
from likewise.storage import journal, tables, timings
from likewise.storage.config import read_yaml
from likewise.storage.digests import Digests
from likewise.storage.schema import FLAGS
from likewise.storage.takedown_lock import no_takedowns
from likewise.storage.workspace import Workspace

__all__ = ["Checked", "check"]


@dataclass(frozen=True)
class Checked:
    """Result of a check: number of images, and counts of every flag.

    Attributes:
        dataset: name of the data set.
        images: number of images.
        flagged: number of images with a flag of their own or on one of their items.
        flags: flag -> number of images or items with it, in descending order.
        leaks: other data set -> number of images that are also in it.
        unmeasured: other data sets that were not compared, because they have no measures yet.
        judged: number of flags that are not counted because they have a verdict.
        usual: flag of more than half of the images -> the option of ``checks`` with its bound,
            which probably does not suit the data set.
        shards: the shards of the searches; None if this process computed all.
    """

    dataset: str
    images: int
    flagged: int
    ws: Workspace = field(repr=False, compare=False)
    flags: dict[str, int] = field(default_factory=dict)
    leaks: dict[str, int] = field(default_factory=dict)
    unmeasured: list[str] = field(default_factory=list)
    judged: int = 0
    usual: dict[str, str] = field(default_factory=dict)
    all_flags: bool = field(default=False, repr=False, compare=False)
    shards: ShardCounts | None = field(default=None, repr=False, compare=False)

    def to_html(self, path: StrPath, *, most: int = SHOWN) -> None:
        """Write a page with the pictures of the flagged items, each next to its near copy.

        The page is self-contained: it needs no other file and no network.

        Args:
            path: the file to write.
            most: maximum number of items per flag.

        Raises:
            MissingArtefactError: the images are not on this machine.
            DataError: the file cannot be written.
        """
        write_page(path, flagged_pictures(self.ws, self.dataset, most, judged=self.all_flags))

    def _repr_html_(self) -> str:
        title = (
            f"{self.dataset}: {self.flagged:,} of "
            f"{counted(self.images, 'image', 'is', 'are')} flagged"
        )
        parts = [
            notebook.heading(title),
            notebook.table(("flag", "number"), self.flags.items()),
        ]
        if self.leaks:
            parts.append(notebook.table(("also in", "images"), self.leaks.items()))
        return "".join(parts)


@overload
def check(
    dataset: str,
    *,
    judged: bool = False,
    engine: str | None = None,
    shard: None = None,
    workspace: StrPath | None = None,
) -> Checked: ...
@overload
def check(
    dataset: str, *, engine: str | None = None, shard: str, workspace: StrPath | None = None
) -> ShardCounts: ...
def check(
    dataset: str,
    *,
    judged: bool = False,
    engine: str | None = None,
    shard: str | None = None,
    workspace: StrPath | None = None,
) -> Checked | ShardCounts:
    """Flag the doubtful images of ``dataset`` by the bounds in params.yaml (``checks``).

    Of two copies in a data set the later one is flagged. An image of a test split is flagged
    if the training split has a copy of it, and any image if another checked data set has one.
    Other data sets without measures are left out, unless ``against`` names them. No image is
    deleted. If the flags are those of the last check, its files stay unchanged. The table has
    all flags; the result counts those that ``review`` did not judge.

    Args:
        dataset: a data set with an entry in ``checks`` of params.yaml.
        judged: also count flags that have a verdict, and show them on the page.
        engine: who searches near copies and similar items in large data sets: an entry of
            ``engines`` in params.yaml, or a kind of ``likewise.kinds("engines")``. The default
            is the environment variable LIKEWISE_ENGINE, and without it this process.
        shard: "K/N", for process K (0 to N-1) of N: search in its shards and write no flags. A
            later call without ``shard`` takes all shards over.
        workspace: a folder in the catalogue; by default the current one.

    Returns:
        The counts of the flags, or with ``shard`` the numbers of shards.

    Raises:
        UnknownNameError: no such data set or engine.
        ConfigError: ``checks`` of params.yaml has no entry of the data set, or ``shard`` is not
            K/N.
        MissingArtefactError: the data set, or one that ``against`` names, was not measured.
        DataError: shards failed; all others are kept.

    Example:
        With ``checks: {emoji: {min_side: 100, min_bytes: 3000}}`` in params.yaml:

        >>> measured = likewise.measure("emoji")
        >>> checked = likewise.check("emoji")
        >>> checked.images, checked.flagged, checked.flags
        (23, 6, {'few_bytes': 6})
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    ws.need_entry("checks", dataset)
    chosen = choose_engine(ws.params.engines, engine)
    if shard is not None:
        part = parse_shard(shard)
        # The searches compare the images of all checked data sets.
        with no_takedowns(ws, {dataset, *ws.params.checks}, check_job(dataset)):
            return CheckJob(CheckInputs.of(ws, dataset)).search_own(part, chosen)
    with journal.exclusive_job(ws, check_job(dataset)):
        job = CheckJob(CheckInputs.of(ws, dataset))
        counts, flagged = _flagged(job, chosen)
        staging = journal.Staging(ws, job.name)
        digests = tables.write_frame(staging.path(ws.table(dataset, "flags")), FLAGS, flagged)
        if digests != _present_digests(ws, dataset):
            atomic.write_text(staging.path(ws.flag_digests(dataset)), digests.to_yaml())
            staging.commit()
        staging.discard()
        remove_plans(ws, job.name)
    return replace(_summary(job.inputs, flagged, judged=judged), shards=counts)


def _flagged(job: CheckJob, engine: Engine) -> tuple[ShardCounts | None, pl.DataFrame]:
    """Return all flags; by shards if there are any, or if the engine computes some."""
    ws, is_here = job.inputs.ws, isinstance(engine, Here)
    if not is_here or plans_of(ws, job.name):
        plan = job.plan()
        if plan is not None and (not is_here or plan.parts()):
            counts = job.search(plan, engine)
            return counts, table(list(collect_flags(job.inputs, job.searches(plan))))
    clock = timings.Clock(ws, job.name)
    flagged = table(list(collect_flags(job.inputs, Searches())))
    clock.record(len(job.inputs.images))
    return None, flagged


def _present_digests(ws: Workspace, dataset: str) -> Digests | None:
    """Return the digests of the flags in the checkout; None if they are missing or damaged.

    Another table of the same flags would have other files, which DVC takes for a change.
    """
    path, recorded = ws.table(dataset, "flags"), ws.flag_digests(dataset)
    try:
        digests = tables.open_table(path, "").digest(FLAGS)
        recorded_digests = Digests.from_yaml(read_yaml(recorded), recorded.name)
    except (LikewiseError, OSError, ValueError):
        return None
    return digests if digests == recorded_digests else None


def _summary(inputs: CheckInputs, flagged: pl.DataFrame, *, judged: bool) -> Checked:
    """Count the flags; those with a verdict only if ``judged``."""
    ws, dataset = inputs.ws, inputs.dataset
    number = 0
    if not judged:
        flagged, number = without_judged(ws, dataset, flagged, FLAG)
    counts, images = frequencies(flagged["flag"]), len(inputs.images)
    return Checked(
        dataset,
        images,
        flagged["image_id"].n_unique(),
        ws,
        counts,
        frequencies(flagged["other_dataset"].drop_nulls()),
        list(inputs.unmeasured),
        number,
        {flag: BOUNDS[flag] for flag in counts if flag in BOUNDS and 2 * counts[flag] > images},
        judged,
    )
