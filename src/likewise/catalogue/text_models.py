"""Find the models that have a text tower."""

import hashlib
import json

from likewise.errors import LikewiseError
from likewise.models.passport import Passport
from likewise.storage import tables, versions
from likewise.storage.digests.digest_file import DIGITS
from likewise.storage.workspace import Workspace


def text_models_of(table: tables.Table, name: str) -> list[str]:
    """Return the vector columns of a published table whose model has a text tower.

    Args:
        table: the published table.
        name: name of the data set, for errors.

    Raises:
        DataError: a passport is damaged.
    """
    return [
        model
        for model in table.vector_columns
        if Passport.from_json(table.passport(model), f"{name}: {model}").text is not None
    ]


def made_text_models(ws: Workspace) -> list[str]:
    """Return the models of params.yaml that are on this machine and have a text tower."""
    names = []
    for model in ws.params.recipes():
        try:
            passport = Passport.read(versions.locate(ws, ws.model(model)))
        except LikewiseError:  # not made yet, or damaged
            continue
        if passport.text is not None:
            names.append(model)
    return names


def text_tower_digest(passport: Passport) -> dict[str, str]:
    """Return ``{"text_tower": digest}`` of all that determines vectors of texts.

    The digest is part of digest files, so that runs which compare texts depend on the text
    tower. A model without one gives an empty dictionary.
    """
    if passport.text is None:
        return {}
    parts = {"identity": passport.identity(), "text": passport.text.model_dump(mode="json")}
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return {"text_tower": hashlib.sha256(text.encode()).hexdigest()[:DIGITS]}
