"""The smallest p-values that paired tests of few classes can have."""

from likewise.evaluation.significance import FLIPS, LEVEL
from likewise.formats.counted_nouns import counted


def smallest_p(classes: int) -> float:
    """Return the smallest p-value of ``randomisation_test`` for a number of classes.

    Two assignments of signs reach the observed total at least: the observed one, and the
    opposite one. Of few classes all assignments are tried, otherwise ``FLIPS`` are drawn.
    """
    assignments = 2.0 ** min(classes, 64)
    return min(1.0, 2 / assignments) if assignments <= FLIPS else 1 / (1 + FLIPS)


def undetectable(classes: int, tests: int = 1) -> str:
    """Explain why no test can find a difference; "" if one can.

    Args:
        classes: number of classes of the queries.
        tests: number of tests that are corrected together.
    """
    least = smallest_p(classes)
    corrected = min(1.0, tests * least)
    if corrected <= 1 - LEVEL:
        return ""
    more = f", {corrected:.4f} when corrected for {counted(tests, 'test')}" if tests > 1 else ""
    return (
        f"no difference can be found: p of {counted(classes, 'class')} is at least "
        f"{least:.4f}{more}"
    )
