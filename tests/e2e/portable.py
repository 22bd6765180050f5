# SPDX-License-Identifier: ISC
"""The portable folder, made by make and unpacked as whoever has an account on a web host would."""
import fcntl
import os
import pathlib
import shutil
import subprocess
import tarfile

import pytest

from upbeat import AS_ROOT, BUILD, PROGRAM, ROOT, SANITIZED

NOBODY = 65534
# What a shared host leaves an account: 512 MB of addresses, 100 processes, no capabilities, no environment.
LIMITS = ["/usr/bin/prlimit", f"--as={512 << 20}", "--nproc=100", "--core=0"]


def make_portable():
    """The tarball's path. Skips where the packages that it takes libraries and licences from are not Debian's."""
    if not shutil.which("dpkg-query") or not shutil.which("objdump"):
        pytest.skip("make portable needs dpkg-query and objdump")
    if SANITIZED or b"\0libcrypto.so" in PROGRAM.read_bytes():
        pytest.skip("a build with sanitizers, or with upbeat.fcgi not static, is not packed")
    with open(BUILD / "portable.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(["make", "-s", "-C", ROOT, "portable", f"BUILD={BUILD}"], capture_output=True, text=True,
                              env={**os.environ, "MAKEFLAGS": ""}, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return pathlib.Path(done.stdout.splitlines()[-1].rsplit(" (", 1)[0])


def pack_again(folder, epoch):
    """Packed anew in a build folder of its own, from the same programs."""
    version = make_portable().name.split("-")[1]
    (folder / "portable").mkdir(parents=True)
    shutil.copy2(BUILD / "upbeat.fcgi", folder)
    shutil.copy2(BUILD / "portable/upbeat-prober", folder / "portable")
    subprocess.run([ROOT / "contrib/portable/pack.sh", folder, version], check=True,
                   env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)})
    return next(folder.glob("*.tar.gz"))


def unpack(tarball, folder, owner=None):
    """Its one folder, unpacked below `folder` and belonging to `owner`."""
    with tarfile.open(tarball) as tar:
        tops = {name.split("/")[0] for name in tar.getnames()}
        assert len(tops) == 1
        tar.extractall(folder)
    top = folder / tops.pop()
    if owner is not None and AS_ROOT:
        for path in (top, *top.rglob("*")):
            os.lchown(path, owner, owner)
    return top


def as_account(*command, env=None, **options):
    """Runs it as another user where we may, within the limits, with nothing but `env` in its environment."""
    switch = ["/usr/bin/setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--bounding-set=-all"] if AS_ROOT else []
    return subprocess.run([*switch, *LIMITS, *map(str, command)], env=env or {}, capture_output=True, timeout=120, **options)
