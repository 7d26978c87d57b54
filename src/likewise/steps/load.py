"""Load a frozen model: its weights and its passport."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.model_making import make_model
from likewise.formats.paths import StrPath
from likewise.models.passport import Passport


def load(model: str, *, workspace: StrPath | None = None) -> Passport:
    """Fetch the weights of ``model``, an entry of the section ``models`` of params.yaml.

    The weights and the passport are written to ``models/MODEL``. Nothing is trained. Of an
    entry of ``functions``, the source is copied, and the function runs: it is code of the
    author.

    Args:
        model: name of the model.
        workspace: a folder in the catalogue; by default the current one.

    Returns:
        The passport of the model.

    Raises:
        UnknownNameError: params.yaml has no such model, or its recipe has an unknown kind.
        ConfigError: the model is a trained one; see ``train``.
        DataError: the weights are not available, or do not fit; or the function fails.
        MissingExtraError: the library of the model is not installed.

    Example:
        >>> passport = likewise.load("tiny")
        >>> passport.backbone, passport.dim
        ('test_resnet.r160_in1k', 96)
    """
    return make_model(open_workspace(workspace), model, "load")
