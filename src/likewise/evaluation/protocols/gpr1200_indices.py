"""GPR1200 for existing ranked lists: the script's second mode, with validated input."""

from typing import ClassVar

from likewise.evaluation.protocols.gpr1200 import Gpr1200Script
from likewise.evaluation.protocols.spec import ProtocolSpec


class Gpr1200Indices(Gpr1200Script):
    """GPR1200's script for ranked lists, one per image.

    The script does not validate lists. Here, lists that contain -1, an image twice or a number
    out of range are an error. For shortened lists, a second value is divided by the class size;
    the script's value is divided by the hits in the list and so rises as lists get shorter. A
    note counts the lists that contain the query itself. Vectors are ranked in full, which gives
    the values of ``gpr1200``.

    Source: Schall et al., MMM 2022 (arXiv:2111.13122), and
    ``compute_mean_average_precision(indices=...)`` in the repository Visual-Computing/GPR1200.
    """

    name: ClassVar[str] = "gpr1200-indices"
    spec: ClassVar[ProtocolSpec] = Gpr1200Script.spec
