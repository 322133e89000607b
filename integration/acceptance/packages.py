"""Installs services of others at the versions that the folder pins/ lists,
each into a folder of its own in the user's cache."""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

PINNED = pathlib.Path(__file__).parent / "pins"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "understudy" / "acceptance"


def venv(name):
    """The folder of an environment with what pins/NAME.txt lists."""
    requirements = PINNED / f"{name}.txt"

    def install(folder):
        _run(sys.executable, "-m", "venv", folder)
        _run(folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", requirements)

    return _installed(name, requirements.read_bytes() + sys.version.encode(), install)


def node(name):
    """The folder with what pins/NAME/package-lock.json lists."""
    source = PINNED / name

    def install(folder):
        shutil.copytree(source, folder)
        _run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=folder)

    return _installed(name, (source / "package-lock.json").read_bytes(), install)


def _installed(name, pinned, install):
    """Installs once for each content of the pins. A file written at the end
    tells a whole installation from one that broke off."""
    folder = CACHE / f"{name}-{hashlib.sha256(pinned).hexdigest()[:16]}"
    whole = folder / "installed"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            try:
                install(folder)
            except (OSError, subprocess.SubprocessError) as e:
                if os.environ.get("CI") == "true":
                    raise
                pytest.skip(f"{name} cannot be installed: {e}")
            whole.touch()
    return folder


def _run(*argv, cwd=None):
    subprocess.run([str(a) for a in argv], cwd=cwd, check=True, timeout=900, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
