"""dvclive, kept to the folder that it is given."""

from typing import Any

from dvclive.live import Live


class Curves(Live):
    """Writes metrics and curves into a folder, and takes no notice of any repository.

    dvclive looks for a DVC repository around the current folder, makes one where there is only
    git, and sets the level of DVC's logger. A training belongs to its catalogue's stage,
    wherever it is started, and is no experiment of its own.
    """

    def __init__(self, folder: str, *, resume: bool) -> None:
        super().__init__(folder, resume=resume, save_dvc_exp=False, dvcyaml=None)

    def _init_dvc(self) -> None:
        self._dvc_file: Any = "dvc.yaml"  # which is not written
