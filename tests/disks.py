"""File systems for one test, which can be full or read-only."""

import subprocess
from pathlib import Path

import pytest


class Disk:
    """A separate file system, which can be made larger and read-only."""

    def __init__(self, place: Path) -> None:
        """Set the mount point."""
        self.place = place
        place.mkdir()

    def mount(self, nbytes: int) -> None:
        """Make it empty and mount it."""
        option = f"size={nbytes}"
        words = ["mount", "-t", "tmpfs", "-o", option, "tmpfs", str(self.place)]
        if subprocess.run(words, check=False, capture_output=True).returncode:
            pytest.skip("no right to mount a file system")

    def change(self, option: str) -> None:
        """Mount it with another option."""
        subprocess.run(["mount", "-o", f"remount,{option}", str(self.place)], check=True)

    def unmount(self) -> None:
        """Unmount it; its contents are lost."""
        subprocess.run(["umount", "--lazy", str(self.place)], check=False, capture_output=True)
