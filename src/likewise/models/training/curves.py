"""Write learning curves with dvclive, into one folder only."""

from typing import Any

from dvclive.live import Live


class Curves(Live):
    """Write metrics and curves into a folder, and ignore every repository.

    By default dvclive looks for a DVC repository around the current folder, creates one if it
    finds only git, and sets the level of DVC's logger. Here a training is a stage of its
    catalogue, not an experiment of dvclive, so none of this must happen.
    """

    def __init__(self, folder: str, *, resume: bool) -> None:
        super().__init__(folder, resume=resume, save_dvc_exp=False, dvcyaml=None)

    def _init_dvc(self) -> None:
        self._dvc_file: Any = "dvc.yaml"  # which is not written
