"""Files of an older release get the current names and keep everything else."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from likewise.catalogue.migration import rename_lock, rename_params, rename_pipeline
from likewise.errors import ConfigError
from likewise.formats.yaml_documents import parse_yaml
from likewise.storage.config import read_params
from likewise.storage.renamed_stages import entries_of

PARAMS = """\
seed: 0  # of everything
datasets: {birds: {path: birds, annotations: birds}}
models:
  lite0: {kind: timm, backbone: tf_efficientnet_lite0, weights: random}
trained:
  # the one that we use
  tuned: &tuned
    kind: metric
    start: lite0        # start from ImageNet
    'data': birds
    "clip": 5
    each: 4
    augment: {shift: 0.1}
  flow: {kind: metric, start: lite0, data: birds, least: 3, clip: 1.5}
  again:
    <<: *tuned
    lr: 0.1
pretrained:
  masked: {kind: ssl, start: lite0, data: birds, method: masked, hidden: 0.75}
distilled: {}
"""

PIPELINE = """\
vars:
  - checks: {}
stages:
  # own work
  count:
    cmd: wc -l birds.txt # start
    params:
      - trained.tuned.clip
      - seed
  train:
    foreach: ${models}
    do:
      cmd: likewise train ${key}
      params:
        - seed
        - models.${key}
      outs:
        - models/${key}
  fit:
    foreach: ${trained}
    do:
      cmd: "likewise train ${key}"
      deps:
        - models/${item.start}  # the start
        - catalog/${ item.data }/corrections.csv
      outs: &learned
        - models/${key}
  distill:
    foreach: ${distilled}
    do:
      cmd: likewise train ${key}
      deps: ["models/${ item.start }"]
      outs: *learned
  theirs:
    foreach: ${parts}
    do:
      cmd: split ${item.start}
"""

LOCK = """\
schema: '2.0'
stages:
  count:
    cmd: wc -l birds.txt
    params:
      params.yaml:
        seed: 0
        trained.tuned.clip: 5
  train@lite0:
    cmd: likewise train lite0
    params:
      params.yaml:
        models.lite0:
          kind: timm
        seed: 0
    outs:
    - path: models/lite0
      hash: md5
      md5: 0e7b2ec1e5e6e2e1a3b2c1d0f9e8d7c6.dir
      size: 12
      nfiles: 2
  fit@tuned:
    cmd: likewise train tuned
    deps:
    - path: models/lite0
      hash: md5
      md5: 0e7b2ec1e5e6e2e1a3b2c1d0f9e8d7c6.dir
    params:
      params.yaml:
        seed: 0
        trained.tuned:
          kind: metric
          start: lite0
          clip: 5
          each: 4
          augment:
            shift: 0.1
"""


ENTRIES = entries_of(parse_yaml(PARAMS.encode(), "params.yaml"))


def test_options_of_models_that_learn_are_renamed_and_nothing_else() -> None:
    new, names = rename_params(PARAMS)
    assert new == (
        PARAMS.replace("    start: lite0 ", "    init: lite0 ")
        .replace('"clip": 5', '"clip_grad_norm": 5')
        .replace("    each: 4", "    samples_per_class: 4")
        .replace("metric, start: lite0", "metric, init: lite0")
        .replace("least: 3, clip: 1.5", "min_images_per_class: 3, clip_grad_norm: 1.5")
        .replace("ssl, start: lite0", "ssl, init: lite0")
        .replace("hidden: 0.75", "mask_ratio: 0.75")
    )
    assert set(names) == {
        "start -> init",
        "clip -> clip_grad_norm",
        "each -> samples_per_class",
        "least -> min_images_per_class",
        "hidden -> mask_ratio",
    }
    assert rename_params(new) == (new, [])


def test_both_stages_are_renamed_at_once_and_owners_work_stays() -> None:
    new, names = rename_pipeline(PIPELINE, ENTRIES)
    assert new == (
        PIPELINE.replace("  train:\n", "  load:\n")
        .replace(
            "      cmd: likewise train ${key}\n      params",
            "      cmd: likewise load ${key}\n      params",
        )
        .replace("  fit:\n", "  train:\n")
        .replace("models/${item.start}", "models/${item.init}")
        .replace("models/${ item.start }", "models/${ item.init }")
        .replace("trained.tuned.clip", "trained.tuned.clip_grad_norm")
    )
    assert {"train -> load", "fit -> train"} <= set(names)
    assert rename_pipeline(new, ENTRIES) == (new, [])


def test_dvc_lock_keeps_all_values() -> None:
    new, names = rename_lock(LOCK, ENTRIES)
    was: Any = parse_yaml(LOCK.encode(), "old")
    now: Any = parse_yaml(new.encode(), "new")
    stages = now["stages"]
    assert list(stages) == ["count", "load@lite0", "train@tuned"]
    assert stages["count"]["params"]["params.yaml"] == {
        "seed": 0,
        "trained.tuned.clip_grad_norm": 5,
    }
    loaded = was["stages"]["train@lite0"] | {"cmd": "likewise load lite0"}
    assert stages["load@lite0"] == loaded
    learned = was["stages"]["fit@tuned"]
    options = {"kind": "metric", "init": "lite0", "clip_grad_norm": 5, "samples_per_class": 4}
    learned["params"]["params.yaml"]["trained.tuned"] = options | {"augment": {"shift": 0.1}}
    assert stages["train@tuned"] == learned
    assert names == ["train@lite0 -> load@lite0", "fit@tuned -> train@tuned"]
    assert rename_lock(new, ENTRIES) == (new, [])


def test_two_names_of_one_option_are_an_error() -> None:
    with pytest.raises(ConfigError, match=r"trained\.x has both 'clip' and 'clip_grad_norm'"):
        rename_params("trained: {x: {kind: metric, clip: 1, clip_grad_norm: 2}}\n")


def test_an_own_stage_of_the_new_name_is_not_overwritten() -> None:
    fit = "  fit:\n    foreach: ${trained}\n    do:\n      cmd: likewise train ${key}\n"
    with pytest.raises(ConfigError, match=r"already has another stage `train`"):
        rename_pipeline(f"stages:\n  train:\n    cmd: ./mine\n{fit}", {})


@pytest.mark.parametrize(
    "rename",
    [rename_params, partial(rename_pipeline, entries={}), partial(rename_lock, entries={})],
)
@pytest.mark.parametrize("text", ["", "[]\n", "stages:\n", "trained: 3\n", "stages: [1]\n"])
def test_files_without_names_stay(
    rename: Callable[[str], tuple[str, list[str]]], text: str
) -> None:
    assert rename(text) == (text, [])


def test_the_old_name_is_one_error_that_names_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(PARAMS, encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"`start` is now called `init`, .*run `likewise init`"
    ):
        read_params(path)
    assert read_params(path, historic=True).trained["flow"]["min_images_per_class"] == 3
