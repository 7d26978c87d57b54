"""Refused trainings give one line: options, data, memory, pictures."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import forked
import likewise
from learning import LEARNED, SMALL, TRAIN, command, learn, write
from likewise.errors import (
    ConfigError,
    DataError,
    MissingArtefactError,
    UnknownNameError,
    VersionError,
)
from likewise.imaging.image_reader import ImageReader
from likewise.models.training.options import TrainingOptions
from likewise.models.training.out_of_memory import explain_memory_errors

pytestmark = pytest.mark.torch


def test_options_that_no_data_serve(workspace: Path) -> None:
    with pytest.raises(DataError, match=r"emoji has no item in split 'train'; there is none"):
        learn(workspace, {**LEARNED, "split": "train"})
    with pytest.raises(DataError, match=r"lower min_images_per_class$"):
        learn(workspace, {**LEARNED, "min_images_per_class": 5})
    with pytest.raises(DataError, match=r"0\.99 holds out all 6 values of label of emoji"):
        learn(workspace, {**LEARNED, "validation": 0.99})
    with pytest.raises(
        DataError, match=r"0.2 holds out only 1 of 6 values of label.* validation: 0.34 or more"
    ):
        learn(workspace, {**LEARNED, "validation": 0.2})
    assert list((workspace / ".likewise" / "staging").iterdir()) == []  # nothing was stopped
    with pytest.raises(
        DataError, match=r"emoji has only one class with training items, '\d+'; at"
    ):
        learn(workspace, {**LEARNED, "validation": 0.8})
    with pytest.raises(ConfigError, match="original is an option of arnet and arnet-mstr"):
        learn(workspace, {**LEARNED, "original": True})
    with pytest.raises(DataError, match="has no training pairs: 0 items of the role query"):
        learn(workspace, {**SMALL, "kind": "arnet"})
    write(workspace, "pretrained", "by_labels", LEARNED)
    with pytest.raises(ConfigError, match="'metric' belongs in the section 'trained'; move"):
        likewise.train("by_labels", workspace=workspace)


@pytest.mark.usefixtures("unmeasured")
def test_a_machine_without_a_compiler(workspace: Path, tmp_path: Path) -> None:
    entry = {**SMALL, "kind": "classify", "validation": 0.25, "batch": 8, "compile": True}
    write(workspace, "trained", "learned", entry)
    script = f"""
from torch._inductor import config
config.cpp.cxx, config.compile_threads = (None, "no-such-compiler"), 1
{TRAIN}"""
    empty = {"TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "empty")}
    done = command(workspace, "-c", script, **empty)
    assert done.returncode == 2
    said = done.stderr.splitlines()[-1]
    assert said.startswith("likewise: torch.compile failed (")
    assert said.endswith("; set compile: false")


def test_a_class_with_one_image(workspace: Path) -> None:
    images = workspace / "emoji/images"
    for name in ("noto", "openmoji", "twemoji"):
        (images / f"0_{name}.jpg").unlink()
    likewise.ingest("emoji", workspace=workspace)
    with pytest.raises(
        DataError, match=r"1 class of emoji has fewer than 2 training items: 0;"
    ):
        learn(workspace, {**LEARNED, "validation": 0})
    assert (
        learn(
            workspace, {**LEARNED, "validation": 0, "min_images_per_class": 2, "epochs": 1}
        ).dim
        > 0
    )


@pytest.mark.filterwarnings("ignore::likewise.errors.BrokenEntryWarning")
def test_a_start_that_is_not_there(workspace: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"trained.learned.init: no such name 'tine'; did you"
    ):
        learn(workspace, {**LEARNED, "init": "tine"})
    shutil.rmtree(workspace / "models/tiny")
    with pytest.raises(MissingArtefactError, match="run: dvc repro load@tiny"):
        learn(workspace, LEARNED)
    with pytest.raises(UnknownNameError, match="no model named 'learnt'"):
        likewise.train("learnt", workspace=workspace)


@pytest.mark.filterwarnings("ignore::likewise.errors.BrokenEntryWarning")
def test_circles_and_namesakes(workspace: Path) -> None:
    write(workspace, "trained", "b", {**LEARNED, "init": "learned"})
    with pytest.raises(ConfigError) as caught:
        learn(workspace, {**LEARNED, "init": "b"})
    assert "learned.init: it is initialised from itself: learned <- b <- learned" in str(
        caught.value
    )
    write(workspace, "trained", "learned", LEARNED)
    write(workspace, "pretrained", "tiny", LEARNED)
    with pytest.raises(ConfigError, match=r"refers to pretrained\.tiny, which is broken"):
        likewise.train("learned", workspace=workspace)


def test_the_loss_that_is_not_a_number_names_its_pictures(workspace: Path) -> None:
    entry = {**LEARNED, "lr": 1e30, "optimiser": "sgd", "validation": 0, "ema": 0}
    with pytest.raises(DataError, match=r"NaN at step \d, with \d+_\w+.jpg, .*lr"):
        learn(workspace, entry)


def test_a_repository_without_a_commit(workspace: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(workspace)], check=True)
    forked.run_dvc(workspace, "init", "--quiet")
    write(workspace, "trained", "learned", LEARNED)
    done = command(workspace, "-m", "likewise", "train", "learned")
    assert done.returncode == VersionError.exit_code, done.stderr
    assert "make the first one: git add --all && git commit" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_too_little_memory_says_which_batch_to_try(workspace: Path) -> None:
    # The real allocator, in a process that may use 64 MB more than now.
    write(workspace, "trained", "learned", {**LEARNED, "input_size": 256, "batch": 48})
    script = """
import resource, sys, likewise.models.training.run_loop, likewise.models.training.loop
from likewise.cli.app import main
class TrainingLoop(likewise.models.training.loop.TrainingLoop):
    def run(self):
        held = next(int(l.split()[1]) for l in open("/proc/self/status") if "VmSize" in l)
        most = held * 1024 + 64_000_000
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        return super().run()
likewise.models.training.run_loop.TrainingLoop = TrainingLoop
sys.argv = ["likewise", "train", "learned"]
main()
"""
    done = command(workspace, "-c", script)
    assert done.returncode == DataError.exit_code, done.stderr
    assert "too little memory for a batch of 48; set accumulate: 2 (" in done.stderr
    assert "or batch: 24" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batch": 32}, "a batch of 32; set accumulate: 2 .*, or batch: 16"),
        ({"batch": 32, "accumulate": 4}, "a batch of 32 in 4 parts; set accumulate: 8 .*"),
        ({"batch": 4, "accumulate": 4}, "a batch of 4 in 4 parts; set batch: 2"),
        ({"batch": 1}, "a batch of 1; set a smaller input_size or train_size"),
    ],
)
@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        MemoryError(),
        RuntimeError("could not create a primitive"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"),
    ],
)
def test_what_to_try_where_memory_is_short(
    options: dict[str, Any], said: str, error: Exception
) -> None:
    plan = TrainingOptions(init="s", data="d", **options)
    with (
        pytest.raises(DataError, match=f"too little memory for {said}$"),
        explain_memory_errors(plan),
    ):
        raise error


def test_other_errors_are_left_alone() -> None:
    with (
        pytest.raises(RuntimeError, match="shapes"),
        explain_memory_errors(TrainingOptions(init="s", data="d")),
    ):
        raise RuntimeError("shapes cannot be multiplied")


def test_a_broken_picture_is_named(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageReader, "encoded", lambda _, numbers: [b"" for _ in numbers])
    with pytest.raises(DataError, match=r"cannot be decoded: \d+_\w+.jpg \(empty"):
        learn(workspace, LEARNED)


@pytest.mark.parametrize(
    ("section", "options", "said"),
    [
        ("trained", {"kind": "classify", "batch": 1}, "from a single image .batch: 1"),
        (
            "pretrained",
            {"kind": "ssl", "method": "dino", "init": "vit", "local_size": 17},
            "does not support local views of 17",
        ),
        ("pretrained", {"kind": "whiten", "scales": [0]}, "scales.0: Input should be greater"),
    ],
)
def test_options_that_no_backbone_takes(
    workspace: Path, section: str, options: dict[str, Any], said: str
) -> None:
    vit = {"kind": "timm", "backbone": "test_vit", "weights": "random", "input_size": 64}
    write(workspace, "models", "vit", vit)
    likewise.load("vit", workspace=workspace)
    size = {"input_size": 64 if "init" in options else 32}
    with pytest.raises((ConfigError, DataError), match=said):
        learn(workspace, {**SMALL, **size, **options}, section)
