"""git and DVC: run them, and open any version of what a stage wrote; the door to dvc.

``dvc.lock`` at any git revision names the md5 of a folder's list of files, and those lie in the
DVC cache or a remote. Linking them into ``.likewise/views/<md5>/`` opens that version at once,
with no copy.
"""

from likewise.storage.versions.commands import run_dvc, run_git
from likewise.storage.versions.dvc_cache import Store, Transferred
from likewise.storage.versions.lock_file import Output, lock_text, outputs, read_outputs
from likewise.storage.versions.lock_stages import (
    Dependency,
    lock_without,
    out_of_date,
    record,
    recorded_stages,
)
from likewise.storage.versions.revisions import (
    at,
    clone,
    grep,
    resolve,
    text_at,
    texts_at,
)
from likewise.storage.versions.views import (
    PART,
    complete,
    files_of,
    hold,
    link_view,
    present,
    prune,
    pull_part,
    view,
)

__all__ = [
    "PART",
    "Dependency",
    "Output",
    "Store",
    "Transferred",
    "at",
    "clone",
    "complete",
    "files_of",
    "grep",
    "hold",
    "link_view",
    "lock_text",
    "lock_without",
    "out_of_date",
    "outputs",
    "present",
    "prune",
    "pull_part",
    "read_outputs",
    "record",
    "recorded_stages",
    "resolve",
    "run_dvc",
    "run_git",
    "text_at",
    "texts_at",
    "view",
]
