# SPDX-License-Identifier: ISC
"""The extra tests stand on the same harness as the end-to-end tests; what they need of the npm registry is
installed once below the build folder."""
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from fixtures import *  # noqa: E402,F401,F403
from upbeat import BUILD, wait_for  # noqa: E402

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="session")
def modules():
    """The folder with node_modules."""
    folder = BUILD / "extra"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = HERE / "package.json"
    have = folder / "package.json"
    if not have.exists() or have.read_text() != wanted.read_text() or not (folder / "node_modules").is_dir():
        shutil.copy(wanted, have)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder,
                              capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            have.unlink()
            pytest.fail("npm install: " + done.stderr)
    return folder


def passes_until_down(site, slug):
    """A pass that begins at the end of a minute leaves the confirming to the next one."""
    def is_down():
        site.a_pass(check=True)
        return site.status(slug)["state"] == "down"

    wait_for(is_down)
