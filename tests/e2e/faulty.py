# SPDX-License-Identifier: ISC
"""What the fault tests stand on: the web program under load without a web server, injection, and the check that
stands behind every case: `upbeat-prober doctor --verify`.

UPBEAT_NIGHTLY=1 gives the long forms. What was counted is printed and appended to $UPBEAT_BUILD/reliability.jsonl,
from which tests/reliability.py makes the table of docs/reliability.md."""
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import fastcgi
from upbeat import AS_ROOT, BUILD, PROBER, PROGRAM, sign

NIGHTLY = os.environ.get("UPBEAT_NIGHTLY") == "1"
TOOLS = BUILD / "faults"


def of(short, long):
    """How many: in `make test`, and in `make nightly` (NIGHTLY_PERCENT shortens that)."""
    return max(short, long * int(os.environ.get("NIGHTLY_PERCENT", "100")) // 100) if NIGHTLY else short


def counted(row, **figures):
    """Tells what was counted: `row` names the fault of docs/reliability.md."""
    print(row, figures)
    with open(BUILD / "reliability.jsonl", "a") as out:
        out.write(json.dumps({"row": row, "nightly": NIGHTLY, "at": int(time.time()), **figures}) + "\n")


def secret_of(slug):
    return f"a secret of {slug}"


def robots(n):
    return {f"robot{i}": {"type": "heartbeat", "secret": secret_of(f"robot{i}"), "max_age": "5m", "window": "1h"} for i in range(n)}


def verify(site_or_dir):
    """Every record of both books, and what must hold between them: I1-I6 as far as one store shows them."""
    folder = getattr(site_or_dir, "store", site_or_dir)
    done = subprocess.run([PROBER, "doctor", "--verify", folder], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def signed_body(slug, moment):
    body = json.dumps({"time": moment}).encode()
    return body, {"HTTP_X_HUB_SIGNATURE_256": sign(secret_of(slug), body)}


def cgi(site, method="GET", path="/", body=b"", before=(), program=PROGRAM, timeout=60, **env):
    """One request as plain CGI; `before` is put before the program (strace...). Gives its status, None for no
    whole answer, and what subprocess says."""
    length = {"CONTENT_LENGTH": str(len(body))} if method == "POST" else {}
    done = subprocess.run([*before, program], input=body, capture_output=True, timeout=timeout, env={
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "UPBEAT_STORE": str(site.store), "REQUEST_METHOD": method, "REQUEST_URI": path,
        "SCRIPT_NAME": "", "QUERY_STRING": "", **length, **site.environment(), **env})
    head, blank, _ = done.stdout.partition(b"\r\n\r\n")
    whole = blank and head.startswith(b"Status: ")
    return (int(head[8:11]) if whole else None), done


def cgi_beat(site, slug="robot0", moment=None, **more):
    body, headers = signed_body(slug, time.time() if moment is None else moment)
    return cgi(site, "POST", f"/beat/{slug}", body, **headers, **more)


def stored_is(site, slug, moment):
    """Is the newest stored beat of this heartbeat just this one? Then it is refused, and one a little newer is not
    asked for: the answer to a beat says only whether it is newer."""
    return cgi_beat(site, slug, moment)[0] == 400


class Farm:
    """Several upbeat.fcgi on one listening socket, as a web server runs them; any of them may be killed."""

    def __init__(self, site, processes=2, program=PROGRAM, name="farm", **env):
        self.site, self.program, self.env = site, program, env
        self.path = str(site.folder / f"{name}.socket")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1024)
        self.lock = threading.Lock()
        self.processes = [self.spawn() for _ in range(processes)]

    def spawn(self):
        with open(self.site.folder / "farm.log", "ab") as log:
            process = subprocess.Popen([self.program], stdin=self.listener, stdout=log, stderr=log, env={
                "PATH": "/usr/bin:/bin", **self.site.environment(), "UPBEAT_STORE": str(self.site.store), "UPBEAT_THREADS": "2",
                **self.env})
        self.site.processes.append(process)
        return process

    def kill(self, which, how=signal.SIGKILL):
        """Kills it and starts another in its place, as a web server does."""
        old = self.processes[which]
        old.send_signal(how)
        old.wait()
        self.site.processes.remove(old)
        self.processes[which] = self.spawn()

    def ask(self, method="GET", path="/", body=b"", timeout=10, **more):
        """None when no whole answer came."""
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(timeout)
                s.connect(self.path)
                s.sendall(fastcgi.whole(method, path, body, **more))
                return fastcgi.Program.answer(s)
        except OSError:
            return None

    def beat(self, slug, moment):
        body, headers = signed_body(slug, moment)
        return self.ask("POST", f"/beat/{slug}", body, **headers)

    def close(self):
        for process in self.processes:
            self.site.stop(process, signal.SIGKILL)
        self.listener.close()


class Clients:
    """Clients that beat as fast as they are answered, each its own heartbeat, and remember what was acknowledged. As a
    client must, each repeats what was not answered until it is; a 400 then says that it had been stored."""

    def __init__(self, farm, slugs, acknowledged=None, pause=0.0):
        self.farm, self.stop, self.pause = farm, threading.Event(), pause
        self.newest = {slug: None for slug in slugs}
        self.count = self.repeats = self.unavailable = 0
        self.wrong = []
        self.acknowledged = acknowledged
        self.threads = [threading.Thread(target=self.run, args=(slug,), daemon=True) for slug in slugs]
        for thread in self.threads:
            thread.start()

    def run(self, slug):
        while not self.stop.is_set():
            moment = round(time.time(), 6)
            again = False
            while True:
                answer = self.farm.beat(slug, moment)
                if answer is not None and answer.status == 200 or again and answer is not None and answer.status == 400:
                    break
                if answer is not None and answer.status != 503:
                    self.wrong.append((slug, moment, answer))
                if self.stop.is_set():
                    return
                again = True
                self.repeats += answer is None
                self.unavailable += answer is not None
                time.sleep(0.002)
            self.newest[slug] = moment
            self.count += 1
            if self.acknowledged:
                self.acknowledged(slug, moment)
            time.sleep(self.pause)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(15)
        assert not self.wrong, self.wrong[:3]

    def assert_kept(self, site):
        """I1: the newest acknowledged one is there: nothing as old is taken, and it is counted once."""
        for slug, moment in self.newest.items():
            if moment is not None:
                status, _ = cgi_beat(site, slug, moment)
                assert status == 400, f"{slug}: acknowledged at {moment:.6f} and not there ({status})"


def strace(calls, *inject, files=()):
    """A command that makes system calls fail; goes before a program."""
    return ["strace", "-f", "-qq", "-o", "/dev/null", *(f"--trace-path={f}" for f in files), "-e", f"trace={calls}",
            *(part for what in inject for part in ("-e", f"inject={what}"))]


HAVE_STRACE = bool(shutil.which("strace"))


def can(*command):
    return AS_ROOT and subprocess.run([*command, "true"], capture_output=True).returncode == 0


CAN_MOUNT = can("unshare", "--mount")


@contextlib.contextmanager
def small_disk(site, size):
    """The store on a tmpfs of its own."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", site.store], check=True)
    try:
        site.make_store()
        yield
    finally:
        site.close()
        subprocess.run(["umount", "-l", site.store], check=True)


def fill_up(site, leave=0):
    """Fills the disk of the store but for so many bytes."""
    ballast = site.store / "ballast"
    with open(ballast, "wb") as out:
        with contextlib.suppress(OSError):
            while True:
                out.write(b"x" * 65536)
                out.flush()
    if leave:
        os.truncate(ballast, max(0, ballast.stat().st_size - leave))
    return ballast


def acknowledge_in(record):
    """Adds what was acknowledged to a record of tests/faults/record_writes.c."""
    fd = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)

    def note(slug, moment):
        text = f"{slug} {round(moment * 1e6)}".encode()
        os.write(fd, struct.pack("=IccBBIIQ", 0x75706274, b"a", b"i", 0, 0, len(text), 0, 0) + text)
    return note


def damage(path, how, rng):
    """Damages a file as disks and people do."""
    with open(path, "r+b") as f:
        data = f.read()
        used = max(8192, len(data.rstrip(b"\0")))
        pages = max(2, used // 4096)
        page = rng.randrange(pages)
        if how == "bit":
            at = rng.randrange(used)
            f.seek(at)
            f.write(bytes([data[at] ^ 1 << rng.randrange(8)]))
        elif how == "zeroed sector":
            f.seek(rng.randrange(used // 512) * 512)
            f.write(bytes(512))
        elif how == "random page":
            f.seek(page * 4096)
            f.write(rng.randbytes(4096))
        elif how == "swapped pages":
            other = rng.randrange(pages)
            for one, two in ((page, other), (other, page)):
                f.seek(one * 4096)
                f.write(data[two * 4096:two * 4096 + 4096])
        elif how == "cut off":
            f.truncate(rng.randrange(used))
        else:
            raise ValueError(how)


DAMAGES = ("bit", "zeroed sector", "random page", "swapped pages", "cut off")
