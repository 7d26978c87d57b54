"""Run a command as if no extra were installed: python core_only.py score ..."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

EXTRAS = frozenset(
    {"accelerate", "datasets", "dvclive", "faiss", "lancedb", "lightly", "numba", "pandas"}
    | {
        "open_clip",
        "pytorch_metric_learning",
        "safetensors",
        "scipy",
        "sklearn",
        "timm",
        "torch",
    }
    | {"tokenizers", "torchvision", "transformers"}
)


class NoExtras(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        if fullname.partition(".")[0] in EXTRAS:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


if __name__ == "__main__":
    # A library looks for optional ones by find_spec, which must return None.
    import importlib.util

    find = importlib.util.find_spec
    importlib.util.find_spec = lambda name, package=None: (
        None if name.partition(".")[0] in EXTRAS else find(name, package)
    )
    sys.meta_path.insert(0, NoExtras())
    from likewise.__main__ import main

    main()
