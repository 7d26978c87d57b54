"""GPR1200 of ready-made ranked lists: the script's second mode, with its input checked."""

from typing import ClassVar

from likewise.evaluation.protocols.gpr1200 import Gpr1200
from likewise.evaluation.protocols.spec import Switches


class Gpr1200Indices(Gpr1200):
    """GPR1200's script given ranked lists, one an image.

    The script checks nothing. Here lists with -1, with an image twice or with numbers out of
    range are refused; where lists are cut short, the value divided by the class size stands
    beside the script's, which is divided by the hits in the list and so rises as lists shorten;
    a note says in how many lists the query itself is. Vectors are ranked in full, and so give
    what ``gpr1200`` gives.

    Source: as of ``gpr1200``; its ``compute_mean_average_precision(indices=...)``.
    """

    name: ClassVar[str] = "gpr1200-indices"
    switches: ClassVar[Switches] = Gpr1200.switches
