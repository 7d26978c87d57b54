"""A Ray cluster in a process of its own, for tests; its nodes come and go by its input.

The process of a test has loaded Lance, which may not be forked; starting a node forks.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

MEGABYTE = 1 << 20
STORE_BYTES = 80 * MEGABYTE
"""Size of the object store of a node; Ray needs 75 MB."""


class RayCluster:
    """A head without processors, and nodes of one processor each."""

    def __init__(self) -> None:
        """Start the head."""
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.address = str(self._answer()["address"])
        self.nodes = 0

    def add_node(self) -> None:
        """Start a node."""
        self.nodes = int(self._ask("add")["nodes"])

    def remove_node(self) -> None:
        """Kill all processes of the last node at once."""
        self.nodes = int(self._ask("remove")["nodes"])

    def end(self) -> None:
        """End all processes of the cluster."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _ask(self, word: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise RuntimeError("the cluster has ended; its error is above")


def main() -> None:
    """Do as the lines of the input say, until it ends."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 0,
            "include_dashboard": False,
            "object_store_memory": STORE_BYTES,
            "_system_config": {
                "health_check_initial_delay_ms": 0,
                "health_check_period_ms": 300,
                "health_check_failure_threshold": 5,
            },
        },
    )
    _print({"address": cluster.address})
    for line in sys.stdin:
        if line == "add\n":
            cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
        elif line == "remove\n":
            cluster.remove_node(list(cluster.worker_nodes)[-1], allow_graceful=False)
        _print({"nodes": len(cluster.worker_nodes)})
    cluster.shutdown()


def _print(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
