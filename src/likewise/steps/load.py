"""Load a frozen model: its weights and its passport."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.model_making import make_model
from likewise.formats.paths import StrPath
from likewise.models.passport import Passport


def load(model: str, *, workspace: StrPath | None = None) -> Passport:
    """Fetch the weights of ``model``, a model of the section ``models`` of params.yaml.

    The weights and the passport are written to ``models/MODEL``; nothing is trained.

    Raises:
        UnknownNameError: params.yaml has no such model, or its recipe no such kind.
        ConfigError: the model is a trained one; see ``train``.
        DataError: the weights are not available, or do not fit the backbone.
    """
    return make_model(open_workspace(workspace), model, "load")
