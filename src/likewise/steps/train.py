"""Train a model by its recipe, and write weights, passport and curves."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.model_making import make_model
from likewise.formats.paths import StrPath
from likewise.models.passport import Passport


def train(model: str, *, workspace: StrPath | None = None) -> Passport:
    """Train ``model`` by its recipe in params.yaml, and write it to ``models/MODEL``.

    Run the same command again to resume after SIGTERM or a crash. For several GPUs, start it by
    ``torchrun --nproc-per-node N -m likewise train MODEL``.

    Args:
        model: name of the model.
        workspace: a folder in the catalogue; by default the current one.

    Returns:
        The passport of the trained model.

    Raises:
        UnknownNameError: params.yaml has no such model, or its recipe has an unknown kind.
        ConfigError: the model is a frozen one (see ``load``), or its recipe belongs in another
            section of params.yaml.
        MissingArtefactError: the initial model or the data set is not made yet.
        DataError: the weights do not fit or are not available, or the data are not usable.
        Stopped: the process was asked to stop; the state of the training is saved.

    Example:
        >>> from pathlib import Path
        >>> params = Path("params.yaml")
        >>> recipe = "{kind: whiten, init: tiny, data: emoji, split: null, dim: 8}"
        >>> section = f"pretrained: {{whitened: {recipe}}}"
        >>> _ = params.write_text(params.read_text().replace("pretrained: {}", section))
        >>> likewise.train("whitened").dim
        8
    """
    return make_model(open_workspace(workspace), model, "train")
