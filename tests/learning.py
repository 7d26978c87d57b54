"""Entries of params.yaml for trained models, and the output of their trainings."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

import forked
import likewise
from likewise.models.passport import Passport

SMALL: dict[str, Any] = {"init": "tiny", "data": "emoji", "split": None, "input_size": 32}

LEARNED: dict[str, Any] = {
    **SMALL,
    "kind": "metric",
    "batch": 8,
    "samples_per_class": 2,
    "epochs": 3,
    "lr": 1e-3,
    "ema": 0.9,
    "validation": 0.4,
    "augment": {"rotate": 20, "flip": 0.5, "colour": 0.2},
}


TRAIN = """\
import sys
from likewise.cli.app import main
sys.argv = ["likewise", "train", "learned"]
main()
"""
"""Run the command ``likewise train learned``."""


def write(root: Path, section: str, name: str, entry: dict[str, Any]) -> None:
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    params.setdefault(section, {})[name] = entry
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def learn(root: Path, entry: dict[str, Any], section: str = "trained") -> Passport:
    write(root, section, "learned", entry)
    return likewise.train("learned", workspace=root)


def curve(root: Path, name: str = "train/loss") -> list[float]:
    path = root / f"reports/training/learned/plots/metrics/{name}.tsv"
    return [float(line.split("\t")[1]) for line in path.read_text().splitlines()[1:]]


def command(root: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run python, of which the libraries are loaded already."""
    return forked.run(root, "python", *words, **environment)


TWO = """
import os, runpy, sys
import accelerate, timm, torch._dynamo, torch.distributed.fsdp
import pytorch_metric_learning.losses, pytorch_metric_learning.miners
import likewise.models.recipes.timm, likewise.models.training.trainer
import likewise.models.training.loop

def process(rank, told):
    for stream in (1, 2):
        os.dup2(os.open(f"{rank}.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=os.read(told, 9).decode())
    os.environ.update(dict.fromkeys(("RANK", "LOCAL_RANK"), str(rank)))
    os.environ.update(dict.fromkeys(("WORLD_SIZE", "LOCAL_WORLD_SIZE"), "2"))
    os.environ.update(TORCHELASTIC_USE_AGENT_STORE="True", TORCHELASTIC_RESTART_COUNT="0")
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
    sys.exit()

pipes, children = [os.pipe() for _ in range(2)], []
for rank in range(2):
    children.append(os.fork())
    if not children[-1]:
        process(rank, pipes[rank][0])
from torch.distributed import TCPStore
store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
for _, tell in pipes:
    os.write(tell, str(store.port).encode())
sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
"""
"""Works like torchrun, but loads the libraries once and keeps output lines whole."""


def two_processes(folder: Path, script: str, *words: str, ends_well: bool = True) -> list[str]:
    """Return the output of each of two processes of one training, without a GPU."""
    (folder / "script.py").write_text(script, encoding="utf-8")
    done = command(folder, "-c", TWO, "script.py", *words, CUDA_VISIBLE_DEVICES="")
    texts = [(folder / f"{rank}.txt").read_text("utf-8") for rank in range(2)]
    assert (done.returncode == 0) is ends_well, "\n".join([done.stderr, *texts])[-3000:]
    return texts


def signalled(name: str, step: int, rank: int = 0) -> str:
    """A script for ``likewise train learned``; process ``rank`` signals itself at ``step``."""
    return f"""
import os, signal, sys
from likewise.models.training.loop import TrainingLoop
step = TrainingLoop._step
def signalled(self, fed):
    step(self, fed)
    if self.position.step == {step} and os.environ.get("RANK", "0") == "{rank}":
        os.kill(os.getpid(), signal.{name})
TrainingLoop._step = signalled
{TRAIN}"""
