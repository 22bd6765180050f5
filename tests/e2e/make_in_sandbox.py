# SPDX-License-Identifier: ISC
"""make, as an example in a document calls it: make_in_sandbox.py FOLDER ARGUMENT... Installing goes to FOLDER, packing
and building are done in the build folder of the tests; of what would take minutes only the name is looked up."""
import fcntl
import os
import re
import subprocess
import sys

from upbeat import BUILD, ROOT

FOLDER, ARGUMENTS = sys.argv[1], sys.argv[2:]
REAL = ["/usr/bin/make", "-s", "-C", str(ROOT), f"BUILD={BUILD}"]
ENVIRONMENT = {**os.environ, "MAKEFLAGS": "", "PATH": "/usr/sbin:/usr/bin:/bin"}


def make(lock, *arguments):
    """Alone with what that target makes in the build folder: other tests call it too."""
    with open(BUILD / f"{lock}.lock", "w", encoding="ascii") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        return subprocess.run([*REAL, *arguments], env=ENVIRONMENT).returncode


def main():
    targets = [word for word in ARGUMENTS if "=" not in word]
    if targets == ["install"]:
        return make("install", "install", f"PREFIX={FOLDER}/usr/local", f"SYSCONFDIR={FOLDER}/etc")
    if targets in ([], ["portable"]):
        return make("portable", *targets)
    known = re.findall(r"^##: make (\S+)", (ROOT / "Makefile").read_text(), re.M)
    return 0 if set(targets) <= set(known) else f"no target in: {ARGUMENTS}"


if __name__ == "__main__":
    sys.exit(main())
