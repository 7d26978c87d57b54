"""``python -m likewise.distributed.shard_worker``: a process of the engine ``processes``.

The first line of its input describes the work, each further line is a shard. Each line of its
output is the end of a shard. It ends at once when its input ends, so that no process outlives
the command that started it.
"""

import json
import os
import signal
from dataclasses import asdict
from queue import SimpleQueue
from threading import Thread
from typing import IO

from likewise.distributed.engines.base import attempt, restore


def main() -> None:
    """Compute shards until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # prints of libraries are not answers
    source = os.fdopen(os.dup(0), "rb", buffering=0)
    document = json.loads(source.readline() or "null")
    if document is None:
        return
    shards: SimpleQueue[int] = SimpleQueue()
    Thread(target=_receive, args=(source, shards), daemon=True).start()
    work = restore(document)
    while True:
        done = attempt(work, shards.get())
        answers.write(json.dumps(asdict(done)).encode() + b"\n")


def _receive(source: IO[bytes], shards: "SimpleQueue[int]") -> None:
    for line in source:
        shards.put(int(line))
    os._exit(0)


if __name__ == "__main__":
    main()
