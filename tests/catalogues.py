"""Catalogues of one data set that is read from where it lies, for tests that only read them."""

from pathlib import Path

import likewise


def published(root: Path, name: str, kind: str, source: Path, licence: str) -> Path:
    """A catalogue in ``root`` of the data set at ``source``, ingested and published."""
    (root / "catalog").mkdir(parents=True)
    (root / "params.yaml").write_text(
        f"datasets:\n  {name}: {{path: {source}, annotations: {source}}}\n", "utf-8"
    )
    (root / "catalog" / f"{name}.yaml").write_text(
        f"title: {name.title()}\nsource: {{kind: {kind}}}\nlicence: {{spdx: {licence}}}\n",
        "utf-8",
    )
    likewise.ingest(name, workspace=root)
    likewise.publish(name, workspace=root)
    return root
