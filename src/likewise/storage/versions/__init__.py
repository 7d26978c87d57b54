"""git and DVC: run them, and open any version of the output of a stage.

Only this package imports dvc. ``dvc.lock`` at any git revision has the md5 of every output; the
md5 of a folder is that of the list of its files. The files are in the DVC cache or a remote. A
version is opened without copying by linking its files into ``.likewise/views/<md5>/``.
"""

from likewise.storage.versions.commands import BEAT_SECONDS, Watch, run_git
from likewise.storage.versions.content_md5 import content_md5, folder_md5
from likewise.storage.versions.dvc_cache import Store, Transferred
from likewise.storage.versions.dvc_repository import (
    begin_repository,
    changed_stages,
    check_out,
    planned_stages,
)
from likewise.storage.versions.foreign import check_tracked
from likewise.storage.versions.git_outputs import cached_outputs, paths_in_git
from likewise.storage.versions.lock_file import Output, lock_text, outputs, read_outputs
from likewise.storage.versions.lock_stages import (
    Dependency,
    changed_dependencies,
    lock_text_without,
    record_outputs,
    recorded_stages,
)
from likewise.storage.versions.recorded_versions import HeldVersion, recorded_versions
from likewise.storage.versions.remote_errors import DVC_BUSY
from likewise.storage.versions.revisions import (
    clone,
    grep,
    resolve,
    text_at,
    texts_at,
    workspace_at,
)
from likewise.storage.versions.view_links import link_files, link_view, own_folder
from likewise.storage.versions.views import (
    PARTIAL_SUFFIX,
    fetch_into_view,
    locate,
    locate_earlier,
    lock_view,
    pull_files,
    recorded_files,
    recorded_view,
    remove_unused_views,
)

__all__ = [
    "BEAT_SECONDS",
    "DVC_BUSY",
    "PARTIAL_SUFFIX",
    "Dependency",
    "HeldVersion",
    "Output",
    "Store",
    "Transferred",
    "Watch",
    "begin_repository",
    "cached_outputs",
    "changed_dependencies",
    "changed_stages",
    "check_out",
    "check_tracked",
    "clone",
    "content_md5",
    "fetch_into_view",
    "folder_md5",
    "grep",
    "link_files",
    "link_view",
    "locate",
    "locate_earlier",
    "lock_text",
    "lock_text_without",
    "lock_view",
    "outputs",
    "own_folder",
    "paths_in_git",
    "planned_stages",
    "pull_files",
    "read_outputs",
    "record_outputs",
    "recorded_files",
    "recorded_stages",
    "recorded_versions",
    "recorded_view",
    "remove_unused_views",
    "resolve",
    "run_git",
    "text_at",
    "texts_at",
    "workspace_at",
]
