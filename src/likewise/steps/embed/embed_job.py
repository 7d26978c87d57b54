"""The inputs of an embedding: model, contents, schema, and the identity of earlier vectors."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl
import pyarrow as pa

from likewise.catalogue.embedding_roles import roles_digest
from likewise.catalogue.name_clashes import check_model
from likewise.distributed import ShardPlan, make_plan, shard_sizes
from likewise.errors import DataError, MissingArtefactError
from likewise.models.passport import Passport
from likewise.registry import check
from likewise.retrieval.indexes.lance import Ann
from likewise.storage import artefacts, tables, versions
from likewise.storage.config import EmbeddingEntry
from likewise.storage.schema import EMBEDDINGS, Contract, vector
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class EmbedJob:
    """An embedding of params.yaml, and what its vectors depend on.

    Attributes:
        ws: the checkout.
        dataset: name of the data set.
        model: name of the model.
        recompute: True if no earlier vector is reused.
    """

    ws: Workspace
    dataset: str
    model: str
    recompute: bool = False

    @property
    def name(self) -> str:
        """The name of the job: of its lock, staging folder and plans."""
        return f"embed-{self.dataset}-{self.model}"

    @property
    def path(self) -> Path:
        """The table of the vectors."""
        return self.ws.embeddings(self.dataset, self.model)

    @cached_property
    def entry(self) -> EmbeddingEntry:
        """The entry of params.yaml."""
        return self.ws.params.embeddings[self.ws.params.embedding(self.dataset, self.model)]

    @cached_property
    def ann(self) -> Ann:
        """The options of the index of the vectors."""
        key = self.ws.params.embedding(self.dataset, self.model)
        return check(Ann, self.entry.ann, f"params.yaml: embeddings.{key}.ann")

    @cached_property
    def folder(self) -> Path:
        """The folder of the model.

        Raises:
            MissingArtefactError: the model is not made yet.
        """
        check_model(self.ws, self.model)
        folder = versions.locate(self.ws, self.ws.model(self.model))
        if not folder.is_dir():
            raise MissingArtefactError(
                f"model {self.model!r} is not made yet",
                artefacts.model(self.ws, self.model).command,
            )
        return folder

    @cached_property
    def passport(self) -> Passport:
        """The passport of the model."""
        return Passport.read(self.folder)

    @cached_property
    def contract(self) -> Contract:
        """The columns of the table."""
        return EMBEDDINGS.with_columns(vector("vector", self.passport.dim, self.entry.dtype))

    @cached_property
    def roles(self) -> str:
        """The digest of the roles of the contents; "" if the model embeds both roles alike."""
        return roles_digest(self.wanted) if self.passport.by_role else ""

    @cached_property
    def schema(self) -> pa.Schema:
        """The schema of the table, with the passport in the metadata of the vectors."""
        return self.stored_schema(self.roles)

    def stored_schema(self, roles: str) -> pa.Schema:
        """Return the schema of the table for a digest of roles."""
        metadata = {"passport": self.passport.to_json()}
        if roles:
            metadata["roles"] = roles
        return tables.lance_schema(self.contract, {"vector": metadata})

    @cached_property
    def wanted(self) -> pl.DataFrame:
        """Every content with its row in the images table, in the order of these rows.

        Pictures are then read in the order of their pack files. ``role`` is null unless the
        model embeds queries and gallery differently.

        Raises:
            DataError: the model embeds them differently, and a content has both roles.
        """
        ws, dataset = self.ws, self.dataset
        command = artefacts.table(ws, dataset, "items").command
        items = tables.open_table(versions.locate(ws, ws.table(dataset, "items")), command)
        images = tables.open_table(self.images, command)
        rows = images.read(["image_id", "nbytes"]).with_row_index("row")
        item_rows = items.read(["content", "image_id", "box", "role"])
        if not self.passport.by_role:
            item_rows = item_rows.with_columns(role=pl.lit(None, pl.String))
        if item_rows.select("content", "role").n_unique() > item_rows["content"].n_unique():
            raise DataError(
                f"some pictures of {dataset} are both query and gallery item, and this model "
                "embeds the two differently; use a model with shared_encoder: true and "
                "gallery: picture"
            )
        return (
            item_rows.join(rows, on="image_id", maintain_order="left")
            .unique("content", keep="first")
            .sort("row", "content")
        )

    @property
    def images(self) -> Path:
        """The images table."""
        return versions.locate(self.ws, self.ws.table(self.dataset, "images"))

    @property
    def earlier(self) -> Path:
        """The table of the vectors of the last version."""
        return versions.locate_earlier(self.ws, self.path)

    def is_current(self, table: Path) -> bool:
        """Return True if the vectors in ``table`` have the type and the model of this job.

        With ``recompute`` no vectors do.
        """
        if self.recompute or not tables.exists(table):
            return False
        opened = tables.open_table(table)
        made, asked = opened.schema.field("vector"), self.schema.field("vector")
        roles = {(field.metadata or {}).get(b"roles") for field in (made, asked)}
        identities = {
            Passport.from_json(field.metadata[b"passport"], table.name).identity()
            for field in (made, asked)
        }
        return made.type == asked.type and len(identities) == len(roles) == 1

    @property
    def facts(self) -> dict[str, str]:
        """The inputs of a vector other than the content: model, type of numbers, options."""
        return {
            "model": self.passport.identity(),
            "dtype": self.entry.dtype,
            "recompute": str(self.recompute),
        }

    def plan(self) -> ShardPlan:
        """Make the plan of the contents that the last version has no vectors of."""
        rows = self.wanted
        if self.is_current(self.earlier):
            keys = tables.open_table(self.earlier).read(["content"])["content"]
            rows = rows.filter(~pl.col("content").is_in(keys.implode()))
        return make_plan(
            self.ws,
            self.name,
            facts={**self.facts, "roles": self.roles},
            rows=rows.drop("nbytes"),
            sizes=shard_sizes(rows["nbytes"], len(rows)),
        )
