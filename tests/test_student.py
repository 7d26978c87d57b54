"""Quantiles of our own are those of SciPy."""

import numpy as np
import pytest

from likewise.evaluation.student import normal_share, student_quantile


@pytest.mark.parametrize("share", [0.001, 0.025, 0.3, 0.975])
def test_quantiles_of_student_are_those_of_scipy(share: float) -> None:
    special = pytest.importorskip("scipy.special")
    degrees = [*range(1, 60), 399, 400, 401, 402, 1_199, 11_999, 1_000_000]
    ours = [student_quantile(share, number) for number in degrees]
    np.testing.assert_allclose(ours, special.stdtrit(degrees, share), rtol=1e-11)


def test_the_quantile_of_one_degree_of_freedom_is_that_of_tables() -> None:
    assert round(student_quantile(0.975, 1), 3) == 12.706
    assert round(student_quantile(0.025, 10), 3) == -2.228


def test_shares_of_the_normal_distribution_are_those_of_scipy() -> None:
    special = pytest.importorskip("scipy.special")
    values = np.linspace(-9, 4, 100)
    shares = [normal_share(float(value)) for value in values]
    np.testing.assert_allclose(shares, special.ndtr(values), rtol=1e-12)
