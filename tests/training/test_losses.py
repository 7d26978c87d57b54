"""The losses, against independently computed values."""

import math

import pytest
import torch
from torch.nn import functional

from likewise.models.training.losses import CompCarsLoss, LossOptions, build_loss, nt_xent

pytestmark = pytest.mark.torch


def test_nt_xent_is_that_of_the_original_program() -> None:
    torch.manual_seed(0)
    one, other = torch.randn(4, 8), torch.randn(4, 8)
    assert float(nt_xent(one, other, 0.07)) == pytest.approx(8.708552, abs=1e-6)


def test_nt_xent_leaves_false_negatives_out() -> None:
    one, other = torch.eye(3), torch.eye(3)
    one[1], other[1] = one[0], other[0]
    # Rows 0 and 1 are equal. As separate items, each has two equal negatives.
    loss = float(nt_xent(one, other, 1.0))
    same = float(nt_xent(one, other, 1.0, torch.tensor([7, 7, 8])))
    twice = math.log(1 + 2 + 2 / math.e) * 4 / 6
    once = math.log(1 + 4 / math.e) * 2 / 6
    assert loss == pytest.approx(twice + once, abs=1e-6)
    # Without false negatives, each row of the pair has its partner and two negatives.
    assert same == pytest.approx(math.log(1 + 2 / math.e) * 4 / 6 + once, abs=1e-6)


def test_compcars_is_a_softmax_over_one_positive_and_four_negatives() -> None:
    angles = torch.tensor([0.0, 0.3, 1.0, 1.2, 2.0, 2.4])
    vectors = torch.stack([angles.cos(), angles.sin()], dim=1)
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    scores = (vectors @ vectors.T).tolist()
    partner = [1, 0, 3, 2, 5, 4]
    losses = []
    for row in range(6):
        others = [n for n in range(6) if labels[n] != labels[row]]
        total = sum(math.exp(scores[row][n]) for n in (partner[row], *others))
        losses.append(math.log(total) - scores[row][partner[row]])
    found = float(CompCarsLoss(4)(vectors, labels))
    assert found == pytest.approx(sum(losses) / 6, abs=1e-5)


@pytest.mark.parametrize(
    "name", ["compcars", "arcface", "proxy-anchor", "multi-similarity", "supcon", "triplet"]
)
@pytest.mark.parametrize("miner", ["none", "semihard"])
def test_a_loss_by_name_is_lower_where_classes_are_apart(name: str, miner: str) -> None:
    torch.manual_seed(0)
    loss = build_loss(LossOptions(name, None, None, 4, miner), 3, 8)
    labels = torch.arange(3).repeat_interleave(4)
    apart = torch.eye(8)[labels]
    parameter = next(iter(loss.parameters()), None)
    if parameter is not None:  # proxies of their own
        with torch.no_grad():
            across = parameter.shape[0] == 8
            parameter.copy_(torch.eye(8)[:3].T if across else torch.eye(8)[:3])
    mixed = functional.normalize(torch.randn(12, 8), dim=1).requires_grad_()
    value = loss(mixed, labels)
    value.backward()
    assert mixed.grad is not None
    assert loss(apart, labels).item() < value.item()
