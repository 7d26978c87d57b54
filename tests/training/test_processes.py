"""Two processes compute the same loss, gradients and state on a batch as one process.

Batch norms see the batch of all processes only on GPUs, so here they stay unchanged.
"""

from pathlib import Path

import pytest

from learning import two_processes

pytestmark = pytest.mark.torch

HERE = Path(__file__).parent

SCRIPT = """
import copy, importlib.util, os, sys
from pathlib import Path
import torch
from torch import distributed, nn
from accelerate import Accelerator
from likewise.models.recipes import RECIPES
from likewise.models.training import devices
from likewise.models.training.options import TrainingOptions
from likewise.models.training.objective import unwrap

spec = importlib.util.spec_from_file_location("cases", sys.argv[1])
cases = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cases)
cases.ENTRIES["convnext"] = ("test_convnext", {"kind": "classify", "head": "gem", "dim": 8})
cases.ENTRIES["distill"] = ("test_vit", {"kind": "classify"})
folders = {}
for backbone in ("test_resnet", "test_vit", "test_convnext"):
    folders[backbone] = Path(sys.argv[2]) / f"{backbone}-{os.environ['RANK']}"
    folders[backbone].mkdir()
    entry = {"kind": "timm", "backbone": backbone, "weights": "random"}
    RECIPES.build(entry, "p").make(folders[backbone], 0)


def step(module, objective, parts):
    objective.train()
    for part in objective.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.eval()
    torch.manual_seed(0)  # no dropout, which would be drawn differently in two processes
    for part in objective.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
        if isinstance(part, nn.MultiheadAttention):
            part.dropout = 0.0
    loss = module(*parts)
    loss.backward()
    objective.after_step(0.5)
    found = {n: p.grad.clone() for n, p in objective.named_parameters() if p.grad is not None}
    return loss.detach(), found, {n: v.clone() for n, v in objective.state_dict().items()}


objectives, expected = {}, {}
for name in sorted(cases.ENTRIES)[int(sys.argv[3]) :: 3]:
    builder, objective, sampler = cases.training_setup(folders, name)
    if name == "distill":
        wanted = nn.functional.normalize(torch.randn(16, 64), dim=1)
        augmenter = objective._augmenter
        model = builder.descriptor(builder.base)
        objective = cases.DistillationObjective(model, augmenter, wanted, 1.0)
    if name == "classify":
        objective._mixup = 0.0  # each process draws its own mixing ratio
    parts = cases.batch(objective, sampler)
    objectives[name] = copy.deepcopy(objective), parts
    expected[name] = step(objective, objective, parts)

for name, (objective, (pixels, targets, random)) in objectives.items():
    processes = devices.accelerator(TrainingOptions(init="s", data="d"))
    rank, world = processes.process_index, processes.num_processes
    assert world == 2
    share = lambda t, dim=0: t.chunk(world, dim)[rank]
    module = processes.prepare(objective)
    own = share(pixels), share(targets), share(random, 1)
    loss, grads, state = step(module, unwrap(module), own)
    loss = processes.reduce(loss, "mean")
    whole, wanted, kept = expected[name]
    torch.testing.assert_close(loss, whole, atol=1e-5, rtol=1e-5)
    assert {n for n in grads if grads[n].any()} == {n for n in wanted if wanted[n].any()}, name
    for n in wanted:
        torch.testing.assert_close(
            grads[n], wanted[n], atol=2e-5, rtol=1e-3, msg=lambda m: f"{name} {n}: {m}"
        )
    for n in kept:
        torch.testing.assert_close(state[n], kept[n], msg=lambda m: f"{name} {n}: {m}")
    # A second step fails unless the gradients of all processes have arrived.
    module(*own).backward()
    print(f"{name}: as one")

found = devices.broadcast_scores(processes, {"map": 0.25 + rank})
assert found == {"map": 0.25}
try:
    devices.check_step(processes, 100 * rank)
except Exception as error:
    print(type(error).__name__, error)
processes.end_training()
"""


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(("part", "count"), [(0, 6), (1, 6), (2, 5)])
def test_every_loss_is_that_of_one_process(tmp_path: Path, part: int, count: int) -> None:
    words = (str(HERE / "test_devices.py"), str(tmp_path), str(part))
    for text in two_processes(tmp_path, SCRIPT, *words):
        assert text.count(": as one") == count
        assert "DataError the processes would resume at different steps (0 and 100)" in text
