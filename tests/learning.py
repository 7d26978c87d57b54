"""Entries of params.yaml for models that learn, and what a training of them wrote."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

import likewise
from likewise.passport import Passport

SMALL: dict[str, Any] = {"start": "tiny", "data": "emoji", "split": None, "input_size": 32}

LEARNED: dict[str, Any] = {
    **SMALL,
    "kind": "metric",
    "batch": 8,
    "each": 2,
    "epochs": 3,
    "lr": 1e-3,
    "ema": 0.9,
    "validation": 0.4,
    "augment": {"rotate": 20, "flip": 0.5, "colour": 0.2},
}


def write(root: Path, section: str, name: str, entry: dict[str, Any]) -> None:
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    params[section][name] = entry
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def learn(root: Path, entry: dict[str, Any], section: str = "trained") -> Passport:
    write(root, section, "learned", entry)
    return likewise.train("learned", workspace=root)


def curve(root: Path, name: str = "train/loss") -> list[float]:
    path = root / f"reports/training/learned/plots/metrics/{name}.tsv"
    return [float(line.split("\t")[1]) for line in path.read_text().splitlines()[1:]]


def command(root: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words],
        cwd=root,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def two_processes(folder: Path, *words: str, **environment: str) -> list[str]:
    """What each of two processes of torchrun printed and wrote to stderr, on no GPU.

    Each writes to a file of its own: the lines of two on one pipe run into each other.
    """
    logs = folder / "processes"
    launch = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    separate = ("--redirects", "3", "--log-dir", str(logs))
    done = command(folder, *launch, *separate, *words, CUDA_VISIBLE_DEVICES="", **environment)
    ranks = [sorted(logs.glob(f"*/attempt_0/{rank}/std*.log")) for rank in (0, 1)]
    texts = ["".join(path.read_text("utf-8") for path in files) for files in ranks]
    assert done.returncode == 0, "\n".join([done.stderr, *texts])[-3000:]
    return texts


def signalled(name: str, step: int, rank: int = 0) -> str:
    """A script: ``likewise train learned``; its process ``rank`` signals itself at ``step``."""
    return f"""
import os, signal, sys
from likewise.training.loop import Loop
step = Loop._step
def signalled(self, fed):
    step(self, fed)
    if self.position.step == {step} and os.environ.get("RANK", "0") == "{rank}":
        os.kill(os.getpid(), signal.{name})
Loop._step = signalled
from likewise.cli.app import main
sys.argv = ["likewise", "train", "learned"]
main()
"""
