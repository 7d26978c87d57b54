"""The types of the values in the files of a run, which are checked when they are read."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

_Name = Annotated[str, Field(max_length=4_000)]


class _Shape(BaseModel):
    """The types of the fields of a document; it may have further fields."""

    model_config = ConfigDict(strict=True, extra="ignore")


class _ProtocolShape(_Shape):
    """The options of a protocol that readers of reports compute with."""

    name: _Name
    version: int
    scale: float = 1
    percent: bool = False
    decimals: int = Field(4, ge=0, le=15)
    average: str = ""


class _LineageShape(_Shape):
    protocol: _ProtocolShape
    counts: dict[str, int]
    columns: dict[str, str]
    notes: list[str]
    model: dict[str, Any]
    items: int


class _DifferenceShape(_Shape):
    value: float
    low: float | None
    high: float | None
    p: float


class _ComparedShape(_Shape):
    metric: _Name
    first: float
    second: float
    difference: _DifferenceShape
    p_holm: float | None


class _RerankingShape(_Shape):
    reranker: dict[str, Any]
    metrics: list[_ComparedShape]


class _StatisticsShape(_Shape):
    intervals: dict[_Name, dict[str, float | None]]
    reranking: _RerankingShape | None = None


METRICS = TypeAdapter(dict[_Name, float], config=ConfigDict(strict=True))
"""Metric -> value."""

STATISTICS, LINEAGE = TypeAdapter(_StatisticsShape), TypeAdapter(_LineageShape)
"""Intervals with the comparison of a re-ranker; protocol, counts, digests and model."""

ANY = TypeAdapter(dict[str, Any])
"""An object of any values."""
