"""Train a model by its recipe: its weights, its passport and its curves."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.model_making import make_model
from likewise.formats.paths import StrPath
from likewise.models.passport import Passport


def train(model: str, *, workspace: StrPath | None = None) -> Passport:
    """Train ``model`` by its recipe in params.yaml and write it to ``models/MODEL``.

    A training that was killed or stopped by SIGTERM resumes where it was. To train on several
    GPUs, start it by ``torchrun --nproc-per-node N -m likewise train MODEL``.

    Raises:
        UnknownNameError: params.yaml has no such model, or its recipe no such kind.
        ConfigError: the model is a frozen one (see ``load``), or its recipe belongs under
            another section of params.yaml.
        MissingArtefactError: the model that it starts from, or the data set, is not made yet.
        DataError: the weights do not fit or are not available, or the data are not usable.
        Stopped: the process was asked to end; the training is saved.
    """
    return make_model(open_workspace(workspace), model, "train")
