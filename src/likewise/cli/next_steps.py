"""The next step after an evaluation, which depends on the other runs."""

import os
from contextlib import suppress

import likewise


def after_evaluation(run: str) -> str:
    """Return the command that follows the evaluation of ``run``; "" for none.

    The command compares the run with another run of the same protocol, or writes the report. In
    a stage of DVC it is "" while runs of the data set are not evaluated yet, because `dvc
    repro` evaluates them next.
    """
    report = f"likewise report {run}"
    with suppress(likewise.LikewiseError):
        dataset = next(s.dataset for s in likewise.datasets() if run in s.runs)
        runs = {facts.run: facts for facts in likewise.show(dataset).runs}
        if "DVC_STAGE" in os.environ and any(r.metrics is None for r in runs.values()):
            return ""
        for name, other in runs.items():
            if name != run and other.metrics and other.protocol == runs[run].protocol:
                return f"likewise compare {name} {run}"
    return report
