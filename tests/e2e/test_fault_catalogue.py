# SPDX-License-Identifier: ISC
"""The catalogue of faults: by number, what goes wrong, how it is brought about here, and what must hold all the same.

	I1  every acknowledged beat is in the store, once
	I2  the store opens and passes its checksums
	I3  every state change has its outbox rows, of the same transaction
	I4  each outbox row ends in sent, superseded or expired, and none vanishes
	I5  nothing is told as down without its evidence
	I6  uptime counts our own outage as unknown, neither up nor down
	I7  all works again without anybody's help when the fault is over

After each case `upbeat-prober doctor --verify` reads everything that is stored (I2-I6, faulty.verify); the case
itself checks I1 and I7. What other tests cover is named where it would stand. UPBEAT_NIGHTLY=1: the long forms."""
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

import catchers
import fakes
import fastcgi
from faulty import (CAN_MOUNT, DAMAGES, HAVE_STRACE, NIGHTLY, TOOLS, Clients, Farm, acknowledge_in, can, cgi,
                    cgi_beat, counted, damage, fill_up, of, robots, secret_of, small_disk, strace, verify)
from upbeat import AS_ROOT, BUILD, PROBER, PROGRAM, SANITIZED, Lighttpd, fetch, listening, sign, wait_for

ASAN = str(BUILD).endswith("-asan")
needs_strace = pytest.mark.skipif(not HAVE_STRACE or ASAN, reason="needs strace, and a program without its own tracer")
needs_preload = pytest.mark.skipif(ASAN, reason="the sanitizers are preloaded themselves")
needs_mount = pytest.mark.skipif(not CAN_MOUNT, reason="needs a file system of its own (root)")
FAST = {"interval": "1h", "timeout": "2s", "confirm_waits": ["50ms"] * 4, "recover_wait": "50ms"}


@pytest.fixture
def ready(site):
    """A site with eight heartbeats, once passed over."""
    site.configure({"monitors": robots(8)})
    site.a_pass(check=True)
    return site


@pytest.fixture
def pager():
    with fakes.Webhook() as it:
        yield it


def first_beat(site):
    """Of a while ago, so that many more may follow before now."""
    moment = time.time() - 1000
    assert cgi_beat(site, moment=moment)[0] == 200
    return moment


def shop(target, pager, **more):
    """A pass serves what falls due within its minute: an interval of an hour, where it is not to stay so long."""
    return {"channels": {"hook": {**pager.config, "limit": 0}}, "defaults": {**FAST, "notify": ["hook"], **more},
            "monitors": {"shop": {"type": "http", "url": target.url + "/"}, **robots(2)}}


# ---- 1. kill -9 at random

def test_01_the_web_program_is_killed_at_random_under_load(ready):
    """I1-I4, I7. (The prober: test_no_alert_lost.py, random kills under load.)"""
    kills, rng = of(50, 2000), random.Random(1)
    farm = Farm(ready)
    clients = Clients(farm, robots(6))
    for i in range(kills):
        time.sleep(rng.uniform(0.002, 0.06))
        farm.kill(i % 2)
        if i % 100 == 99:
            verify(ready)
    began = time.monotonic()
    assert farm.beat("robot7", time.time()).status == 200
    assert time.monotonic() - began < 1, "the next is there within a second"
    clients.end()
    clients.assert_kept(ready)
    verify(ready)
    counted("1 kill -9, web program", kills=kills, acknowledged=clients.count, lost=0, repeated_by_clients=clients.repeats)
    farm.close()


# ---- 2. kill at every system call

CALLS = ("openat", "fcntl", "ftruncate", "mmap", "writev", "pwrite64", "fdatasync", "fsync", "write", "close", "futex",
         "rename", "mkdir", "unlink", "chmod", "fchmod")


@needs_strace
def test_02_the_web_program_is_killed_at_every_system_call_of_a_beat(ready):
    """I1-I3, I7. (A delivery of the prober: test_no_alert_lost.py, a kill at each system call.)"""
    points, acknowledged = 0, first_beat(ready)
    for call in CALLS:
        for n in range(1, 200):
            body_moment = acknowledged + 0.5
            status, done = cgi_beat(ready, moment=body_moment, before=strace(call, f"{call}:signal=KILL:when={n}"))
            if status == 200:
                acknowledged = body_moment
            if done.returncode == 0:
                break
            points += 1
            assert cgi_beat(ready, moment=acknowledged)[0] == 400, f"{call} {n}: an acknowledged beat is not there"
            acknowledged = body_moment + 0.1
            assert cgi_beat(ready, moment=acknowledged)[0] == 200, f"{call} {n}: the next beat"
        verify(ready)
    assert points > 20
    counted("2 kill at each system call, a beat", points=points, lost=0)


@needs_strace
def test_02_the_prober_is_killed_at_every_system_call_of_its_first_pass(site):
    """While the books are made: then there are none or whole ones (I2, I7)."""
    site.configure({"monitors": robots(2)})
    points = 0
    for call in ("openat", "pwrite64", "ftruncate", "rename", "fdatasync", "fsync", "mkdir", "chmod", "write", "mmap"):
        step = 1 if NIGHTLY else 13
        for n in range(1, 400, step):
            shutil.rmtree(site.store)
            site.make_store()
            done = subprocess.run([*strace(call, f"{call}:signal=KILL:when={n}"), PROBER, "-c", site.config_file, "run"],
                                  capture_output=True, env=site.environment(), timeout=60)
            if done.returncode == 0:
                break
            points += 1
            assert cgi_beat(site)[0] in (200, 403, 503)
            site.a_pass(check=True)
            assert cgi_beat(site)[0] == 200, f"{call} {n}"
        verify(site)
    counted("2 kill at each system call, making the books", points=points, lost=0)


# ---- 3. power cut

def cut_power(site, record, book, initial, most):
    done = subprocess.run([TOOLS / "power_cut", record, book, initial, workdir(site, book), str(most), "1"],
                          capture_output=True, text=True, timeout=3000)
    assert done.returncode == 0 and done.stdout, done.stdout + done.stderr[-3000:]
    import json
    return json.loads(done.stdout)


def workdir(site, book):
    """In memory: a power cut is played, and its outcome thrown away, many times a second."""
    path = pathlib.Path("/dev/shm" if os.access("/dev/shm", os.W_OK) else site.folder) / f"{site.folder.name}-{book}"
    (path / book).mkdir(parents=True, exist_ok=True)
    return path


@needs_preload
def test_03_power_cuts_while_beats_come(ready):
    """I1, I2: at each write and sync, with any part of what was not synced, torn at any sector."""
    record, initial = ready.folder / "record", ready.folder / "initial.mdb"
    shutil.copy2(ready.store / "inbox/data.mdb", initial)
    farm = Farm(ready, 2, TOOLS / "upbeat.fcgi", RECORD_WRITES=str(record), LD_PRELOAD=str(TOOLS / "record_writes.so"))
    clients = Clients(farm, robots(5), acknowledge_in(record))
    time.sleep(of(0.4, 2))
    clients.end()
    farm.close()
    try:
        found = cut_power(ready, record, "inbox", initial, 0 if NIGHTLY else 700)
    finally:
        shutil.rmtree(workdir(ready, "inbox"))
    assert found["states"] >= 250 and found["damaged"] == found["lost"] == 0
    counted("3 power cut, beats", acknowledged=clients.count, **found)


@needs_preload
def test_03_power_cuts_while_the_prober_decides_and_tells(site, target, pager):
    """I2-I4: every state of the disk holds decisions whole, with their outbox rows."""
    site.configure(shop(target, pager))
    site.a_pass(check=True)
    site.configure(shop(target, pager, interval="1s"))
    record, initial = site.folder / "record", site.folder / "initial.mdb"
    shutil.copy2(site.store / "state/data.mdb", initial)
    site.env.update(RECORD_WRITES=str(record), LD_PRELOAD=str(TOOLS / "record_writes.so"))
    prober = site.start_prober("watch")
    for status, kind in ((500, "down"), (200, "up")) * of(1, 3):
        told = len(pager.messages)
        target.status = status
        wait_for(lambda: [m for m in pager.messages[told:] if m.kind in (kind, "flapping", "digest")], 60)  # noqa: B023
        if pager.messages[-1].kind == "flapping":
            break  # what comes and goes from now on is not told
    site.stop(prober)
    site.env.clear()
    try:
        found = cut_power(site, record, "state", initial, 0 if NIGHTLY else 700)
    finally:
        shutil.rmtree(workdir(site, "state"))
    assert found["states"] >= 250 and found["damaged"] == found["lost"] == 0
    counted("3 power cut, decisions", messages=len(pager.messages), **found)


# ---- 4. failing writes and syncs

WRITES = ("pwrite64", "writev", "fdatasync", "fsync", "ftruncate")


@needs_strace
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_04_each_write_and_sync_of_a_beat_fails(ready, error):
    """503 and no acknowledgement, or it is stored; the next beat is taken (I1, I2, I7)."""
    points, acknowledged = 0, first_beat(ready)
    for call in WRITES:
        for n in range(1, 60):
            moment = acknowledged + 0.5
            hit = ready.folder / "hit"
            hit.unlink(missing_ok=True)
            status, done = cgi_beat(ready, moment=moment, before=[
                "strace", "-f", "-qq", "-o", hit, "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={n}"])
            assert status in (200, 503) and done.returncode == 0, f"{call} {n}: {done}"
            if status == 503:
                assert b"Retry-After" in done.stdout
            acknowledged = moment if status == 200 else acknowledged
            assert cgi_beat(ready, moment=acknowledged)[0] == 400, f"{call} {n}: acknowledged, and not there"
            acknowledged = moment + 0.1
            assert cgi_beat(ready, moment=acknowledged)[0] == 200, f"{call} {n}: the next one"
            if b"INJECTED" not in hit.read_bytes():
                break
            points += 1
    verify(ready)
    assert points >= 3
    counted(f"4 {error} at each write and sync, a beat", points=points, lost=0)


@needs_strace
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_04_each_write_and_sync_of_a_pass_fails(site, target, pager, error):
    """An outage is seen while the disk fails: it is told once, by this pass or the next (I3, I4, I7)."""
    site.configure(shop(target, pager))
    target.status = 500
    template = site.folder / "template"
    site.make_store()
    site.prober("config")
    shutil.copytree(site.store, template)
    points = told_once = 0
    for call in WRITES:
        for n in range(1, 80, 1 if NIGHTLY else 29):
            shutil.rmtree(site.store)
            shutil.copytree(template, site.store)
            site.make_store()
            pager.messages.clear()
            hit = site.folder / "hit"
            done = subprocess.run(["strace", "-f", "-qq", "-o", hit, "-e", f"trace={call}", "-e",
                                   f"inject={call}:error={error}:when={n}", PROBER, "-c", site.config_file, "run"],
                                  capture_output=True, text=True, env=site.environment(), timeout=100)
            assert done.returncode in (0, 75), f"{call} {n}: {done}"
            if b"INJECTED" not in hit.read_bytes():
                break
            points += 1
            for _ in range(3):
                if not [m for m in pager.messages if m.kind == "down"]:
                    site.a_pass()
            ids = {m.id for m in pager.messages if m.kind == "down"}
            assert len(ids) == 1, f"{call} {n}: {pager.messages}"
            told_once += 1
            verify(site)
    counted(f"4 {error} at each write and sync, a pass with an outage", points=points, told_once=told_once)


@needs_strace
def test_04_a_disk_that_fails_for_a_while_under_load(ready):
    """A process that serves on: each failing sync is 503 for its batch, no panic remains (I1, I7)."""
    farm = Farm(ready, 1)
    clients = Clients(farm, robots(4), pause=0.002)
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(farm.processes[0].pid), "-e",
                               "trace=fdatasync,pwrite64", "-e", "inject=fdatasync:error=EIO:when=3+7", "-e",
                               "inject=pwrite64:error=EIO:when=5+11"], stderr=subprocess.DEVNULL)
    time.sleep(of(1.5, 20))
    tracer.terminate()
    tracer.wait()
    wait_for(lambda: farm.beat("robot7", time.time()).status == 200, 5)
    before = clients.count
    time.sleep(0.3)
    assert clients.count > before
    clients.end()
    assert farm.processes[0].poll() is None, "the same process serves on"
    farm.close()
    clients.assert_kept(ready)
    verify(ready)
    assert clients.unavailable > 0
    counted("4 a failing disk under load", acknowledged=clients.count, answered_503=clients.unavailable, lost=0)


# ---- 5. disk full

@needs_mount
@pytest.mark.parametrize("left", [0, 4096, 7 * 4096])
def test_05_a_full_disk_stops_no_beat(site, left):
    """Allocated ahead: every beat is answered 200 and kept (I1); passes go on as far as there is room, and all is
    well when there is some again (I7)."""
    with small_disk(site, "60m"):
        site.configure({"monitors": robots(8)})
        site.a_pass(check=True)
        farm = Farm(site)
        ballast = fill_up(site, left)
        beats = of(500, 5000)
        for i in range(beats):
            answer = farm.beat(f"robot{i % 8}", time.time())
            assert answer is not None and answer.status == 200, f"beat {i}: {answer}"
        newest = time.time()
        assert farm.beat("robot0", newest).status == 200
        assert farm.ask(path="/", HTTP_ACCEPT="text/html").status == 200
        assert site.a_pass().returncode in (0, 75)
        assert farm.beat("robot0", newest).status == 400, "it is there"
        ballast.unlink()
        site.a_pass(check=True)
        assert farm.beat("robot0", time.time()).status == 200
        farm.close()
        verify(site)
        counted("5 disk full", left_bytes=left, beats=beats, answered_200=beats)


# ---- 6. file size limit

def test_06_a_file_size_limit_is_a_full_disk_and_no_death(ready):
    """SIGXFSZ would kill; I1, I7."""
    limit = ["prlimit", f"--fsize={64 * 1024}"]
    for _ in range(5):
        status, done = cgi_beat(ready, before=limit)
        assert status in (200, 503) and done.returncode == 0, done
    prober = ready.start(["prlimit", f"--fsize={64 * 1024}", PROBER, "-c", ready.config_file, "run"], "limited")
    time.sleep(2.5)  # it tries again every second while its minute lasts
    ready.stop(prober)
    assert prober.returncode in (0, 75), ready.logs()
    assert len((ready.store / "prober.log").read_text().splitlines()) < 5
    assert cgi_beat(ready)[0] == 200
    ready.a_pass(check=True)
    verify(ready)
    counted("6 file size limit", runs=6, killed=0)


# ---- 7. read-only disk

@needs_mount
def test_07_a_read_only_disk_is_still_read(site):
    """503 for beats, with Retry-After; pages show the last data; people are told, once, that nothing is watched; I1, I7."""
    with small_disk(site, "60m"), fakes.Webhook() as hook:
        site.configure({"anonymous": "all", "channels": {"hook": hook.config}, "defaults": {"notify": ["hook"]},
                        "monitors": robots(2)})
        site.a_pass(check=True)
        farm = Farm(site)
        kept = time.time()
        assert farm.beat("robot0", kept).status == 200
        farm.close()  # a program that has a file open for writing keeps the disk from becoming read-only
        subprocess.run(["mount", "-o", "remount,ro", site.store], check=True)
        farm = Farm(site)
        for _ in range(3):
            answer = farm.beat("robot0", time.time())
            assert answer.status == 503 and "Retry-After" in answer.headers
        assert farm.ask(path="/beat/robot0").status == 200
        assert farm.ask(path="/", HTTP_ACCEPT="text/html").status == 200
        assert farm.ask(path="/api/v1/monitors").status == 200
        done = site.a_pass()
        assert done.returncode == 75 and len(done.stderr.splitlines()) == 1, done
        verify(site)
        for minute in range(1, 8):
            site.offset_ms = minute * 60_000
            assert site.a_pass().returncode == 75
        assert [m.words.splitlines()[0] for m in hook.messages] == ["Upbeat watches nothing: its store cannot be used"]
        assert "Read-only file system" in hook.messages[0].words
        site.offset_ms = 0
        subprocess.run(["mount", "-o", "remount,rw", site.store], check=True)
        wait_for(lambda: farm.beat("robot0", time.time()).status == 200, 5)
        assert farm.beat("robot0", kept).status == 400
        site.a_pass(check=True)
        farm.close()
        verify(site)
        counted("7 read-only disk", beats_503=3, pages_200=3, told_nothing_is_watched=len(hook.messages))


# ---- 8. map full

@pytest.mark.skipif(SANITIZED, reason="sanitizers need more addresses than any limit")
def test_08_an_address_space_too_small_for_the_map(ready):
    """The map is made smaller, or it is a plain 503 (I1, I2, I7); store/test_faults.c fills one to its end."""
    answered = {}
    for megabytes in (16, 24, 32, 48, 64, 96, 128, 512):
        status, done = cgi_beat(ready, before=["prlimit", f"--as={megabytes << 20}"])
        assert status in (200, 503) and done.returncode == 0 or done.returncode in (75, 127), (megabytes, done)
        answered[megabytes] = status
    assert answered[64] == answered[128] == answered[512] == 200, answered
    for megabytes in (96, 256, 512):
        done = subprocess.run(["prlimit", f"--as={megabytes << 20}", PROBER, "-c", ready.config_file, "run"],
                              capture_output=True, text=True, env=ready.environment(), timeout=60)
        assert done.returncode in (0, 75), (megabytes, done)
    assert cgi_beat(ready)[0] == 200
    verify(ready)
    counted("8 address space limit", tried=len(answered), beats_taken=list(answered.values()).count(200))


# ---- 9. stale and stopped readers

def test_09_killed_and_stopped_processes_keep_no_page(ready):
    """Readers die in the midst of reading and one is stopped for good: the inbox does not grow (I7)."""
    farm, stopped = Farm(ready, 2), Farm(ready, 1, name="stopped")
    rng = random.Random(9)
    clients = Clients(farm, robots(4))
    looking = threading.Event()

    def look(at):
        while not looking.is_set():
            at.ask(path="/", HTTP_ACCEPT="text/html", timeout=1)

    lookers = [threading.Thread(target=look, args=(at,), daemon=True) for at in (farm, farm, stopped)]
    for looker in lookers:
        looker.start()
    time.sleep(0.2)
    stopped.processes[0].send_signal(signal.SIGSTOP)  # in the midst of it
    for i in range(of(20, 300)):
        time.sleep(rng.uniform(0.02, 0.05))
        farm.kill(i % 2)
    looking.set()
    ready.a_pass(check=True)  # clears the readers' slots
    stopped.processes[0].send_signal(signal.SIGCONT)
    clients.end()
    stopped.close()
    clients.assert_kept(ready)
    assert (ready.store / "inbox/data.mdb").stat().st_size <= 20 << 20
    farm.close()
    verify(ready)
    counted("9 stale and stopped readers", killed=of(20, 300), acknowledged=clients.count, inbox_mb=round(
        (ready.store / "inbox/data.mdb").stat().st_size / 2 ** 20))


# ---- 10. out of memory

def fail_each_allocation(site, run, steps, most):
    """Calls run(env) with the n-th allocation failing until a run is not hit; gives how many were."""
    hit, n, points, step = site.folder / "hit", 1, 0, steps[NIGHTLY]
    while n < most:
        hit.unlink(missing_ok=True)
        run({"LD_PRELOAD": str(TOOLS / "fail_alloc.so"), "FAIL_ALLOC": str(n), "FAIL_ALLOC_HIT": str(hit),
             "FAIL_ALLOC_ON": str(n % 2)}, n)
        if not hit.stat().st_size:
            return points
        points += 1
        n += 1 if step == 1 or n < 3 else step
    return points


PATHS = [("POST", "/beat/robot0"), ("GET", "/beat/robot0"), ("GET", "/"), ("GET", "/m/robot0"), ("GET", "/api/v1/monitors"),
         ("GET", "/metrics"), ("GET", "/healthz"), ("GET", "/feed.atom"), ("GET", "/openapi.json")]


@needs_preload
@pytest.mark.parametrize("method,path", PATHS, ids=lambda v: v.strip("/").replace("/", "-") or "page")
def test_10_the_web_program_finds_no_memory(ready, method, path):
    """Each allocation of a request fails in turn: 503 or a whole answer, never a death by a signal; I1."""
    acknowledged = time.time() - 1000
    statuses = {}

    def one(env, n):
        nonlocal acknowledged
        moment = acknowledged + 0.01
        if method == "POST":
            status, done = cgi_beat(ready, moment=moment, program=TOOLS / "upbeat.fcgi", **env)
            acknowledged = moment
        else:
            status, done = cgi(ready, path=path, program=TOOLS / "upbeat.fcgi", HTTP_ACCEPT="text/html", **env)
        assert done.returncode in (0, 75) and status is not None, f"allocation {n}: {status} {done}"
        statuses[status] = statuses.get(status, 0) + 1

    points = fail_each_allocation(ready, one, (23, 1), 100_000)
    verify(ready)
    assert points and statuses.get(503)
    counted(f"10 no memory, {method} {path}", allocations=points, answered_503=statuses[503],
            answered=sum(statuses.values()) - statuses[503], signals=0)


COMMANDS = [("run",), ("config",), ("config", "--schema"), ("status",), ("status", "--json"), ("status", "robot0"), ("check",),
            ("export", "incidents"), ("export", "--config"), ("doctor", "--verify", "STORE"), ("backup", "DIR")]


@needs_preload
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_10_the_prober_finds_no_memory(site, target, pager, command):
    """Each allocation of a command fails in turn: a plain exit status, and the next one does it all (I1-I4, I7)."""
    if command == ("run",):
        target.status = 500
    site.configure(shop(target, pager))
    site.a_pass(check=True)
    statuses = {}

    def one(env, n):
        if command == ("run",):  # an hour later all are due
            site.offset_ms += 3600_000
            target.status = 200 if target.status == 500 else 500
        words = [{"STORE": str(site.store), "DIR": str(site.folder / f"backup{n}")}.get(w, w) for w in command]
        done = subprocess.run([PROBER, "-c", site.config_file, *words], capture_output=True, text=True, timeout=100,
                              env={**site.environment(), **env}, stdin=subprocess.DEVNULL)
        assert done.returncode in (0, 1, 75), f"allocation {n}: {done.returncode} {done.stderr[-500:]}"
        statuses[done.returncode] = statuses.get(done.returncode, 0) + 1
        shutil.rmtree(site.folder / f"backup{n}", ignore_errors=True)

    points = fail_each_allocation(site, one, (1009, 31) if command == ("run",) else (499, 1), 400_000)
    site.a_pass()
    verify(site)
    counted(f"10 no memory, upbeat-prober {' '.join(command)}", allocations=points, signals=0)


# ---- 11. damaged files

def settle(site, target, pager):
    """A store with history: an outage and its end, told; a copy of an hour ago; beats since."""
    site.configure(shop(target, pager, interval="1s"))
    prober = site.start_prober("watch")
    for status, kind in ((500, "down"), (200, "up")):
        target.status = status
        wait_for(lambda: [m for m in pager.messages if m.kind == kind], 60)  # noqa: B023
    site.stop(prober)
    assert cgi_beat(site)[0] == 200
    shutil.rmtree(site.store / "copies", ignore_errors=True)
    site.configure(shop(target, pager))
    site.a_pass(check=True)
    assert list((site.store / "copies").iterdir())
    target.status = 200
    verify(site)


def outlive(site, pager, how):
    """Passes and a beat over a store with a damaged book; was it set aside? I2, I7 within three passes, and people are told."""
    seen = subprocess.run([PROBER, "doctor", "--verify", site.store], capture_output=True, text=True, timeout=60)
    assert seen.returncode in (0, 1), f"{how}: {seen}"
    for _ in range(3):  # the web side is asked as self_check, or the next beat, would
        done = site.a_pass()
        assert done.returncode in (0, 75), f"{how}: {done}"
        status, _ = cgi_beat(site)
        if status == 200 and done.returncode == 0:
            break
    assert status == 200 and done.returncode == 0, f"{how}: {status} {done}"
    verify(site)
    asides = [p.name for p in site.store.iterdir() if ".damaged-" in p.name]
    if seen.returncode:
        assert asides, f"{how}: damaged, and not set aside: {seen.stdout}"
    if asides:
        site.offset_ms = 60_000
        wait_for(lambda: site.a_pass() and [m for m in pager.messages if "damaged" in m.words], 30)
        site.offset_ms = 0
    return bool(asides)


def put_back(site, template):
    shutil.rmtree(site.store)
    shutil.copytree(template, site.store)
    site.make_store()


@pytest.mark.parametrize("book", ["state", "inbox"])
def test_11_a_damaged_book_is_noticed_set_aside_and_its_copy_takes_over(site, target, pager, book):
    """What was damaged harmlessly (a page that nobody uses) may stay."""
    rng, cases = random.Random(11), of(10, 1000)
    settle(site, target, pager)
    template, outcome, slowest = site.folder / "template", {"harmless": 0, "noticed": 0}, 0.0
    shutil.copytree(site.store, template)
    for i in range(cases):
        how = DAMAGES[i % len(DAMAGES)]
        put_back(site, template)
        pager.messages.clear()
        damage(site.store / book / "data.mdb", how, rng)
        began = time.monotonic()
        outcome["noticed" if outlive(site, pager, f"{i}, {how}") else "harmless"] += 1
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 60
    counted(f"11 damaged files, {book}", cases=cases, **outcome, slowest_s=round(slowest, 1))


def test_11_each_page_of_the_state_loses_its_head(site, target, pager):
    """Trees that are read, and the list of free pages, which only a writer meets."""
    settle(site, target, pager)
    template = site.folder / "template"
    shutil.copytree(site.store, template)
    pages = len((template / "state/data.mdb").read_bytes().rstrip(b"\0")) // 4096
    for page in range(2, pages, of(9, 1)):
        put_back(site, template)
        pager.messages.clear()
        with open(site.store / "state/data.mdb", "r+b") as f:
            f.seek(page * 4096)
            f.write(bytes(512))
        outlive(site, pager, f"page {page}")


def test_11_one_head_of_another_version_is_damage_and_two_are_a_newer_store(site, target, pager):
    settle(site, target, pager)
    template = site.folder / "template"
    shutil.copytree(site.store, template)
    for book in ("state", "inbox"):
        for heads in ((0,), (1,), (0, 1)):
            put_back(site, template)
            pager.messages.clear()
            with open(site.store / book / "data.mdb", "r+b") as f:
                for head in heads:
                    f.seek(head * 4096 + 16 + 4)  # behind the page's header and the magic number
                    f.write(bytes([3]))
            if len(heads) == 1:
                assert outlive(site, pager, f"{book}, head {heads}")
            else:
                assert site.a_pass().returncode == (75 if book == "state" else 0)
                assert cgi_beat(site)[0] == 503
                assert not [p for p in site.store.iterdir() if ".damaged-" in p.name], "somebody else's store"


def test_11_a_table_of_another_kind_is_damage(site, target, pager):
    """A bit in what LMDB keeps of a table: who reads sees nothing, who writes dies of it (LMDB's MDB_DUPSORT)."""
    settle(site, target, pager)
    data = site.store / "state/data.mdb"
    whole = bytearray(data.read_bytes())
    at = -1
    while (at := whole.find(b"notices", at + 1)) >= 0:
        whole[at + len(b"notices") + 4] |= 4  # behind md_pad of its MDB_db
    data.write_bytes(whole)
    pager.messages.clear()
    assert outlive(site, pager, "a table of another kind")


def test_11_without_any_copy_a_new_book_is_begun(site, target, pager):
    site.configure(shop(target, pager))
    site.a_pass(check=True)
    shutil.rmtree(site.store / "copies")
    for book in ("state", "inbox"):
        (site.store / book / "data.mdb").write_bytes(b"\1" * 9000)
    site.a_pass()
    assert cgi_beat(site)[0] in (200, 503)
    site.a_pass(check=True)
    assert cgi_beat(site)[0] == 200
    wait_for(lambda: site.a_pass() and len([m for m in pager.messages if "no good copy" in str(m.json)]) >= 1, 40)
    verify(site)


def test_11_a_heartbeat_is_not_late_because_its_beats_were_lost(site, pager):
    """The copy is an hour old, so is every beat in it: that is our loss, and nobody's outage (I5)."""
    site.configure({"channels": {"hook": {**pager.config, "limit": 0}}, "defaults": {"notify": ["hook"]}, "monitors": robots(2)})
    site.a_pass(check=True)
    for slug in robots(2):
        assert cgi_beat(site, slug)[0] == 200
    shutil.rmtree(site.store / "copies")
    site.a_pass(check=True)
    site.offset_ms = 50 * 60_000
    for slug in robots(2):
        cgi_beat(site, slug, time.time() + 3000)
    site.a_pass()
    damage(site.store / "inbox/data.mdb", "cut off", random.Random(4))
    site.offset_ms += 60_000
    site.a_pass()
    assert cgi_beat(site, "robot0", time.time() + 3060)[0] in (200, 503)
    for _ in range(2):
        site.offset_ms += 60_000
        site.a_pass()
        cgi_beat(site, "robot0", time.time() + site.offset_ms / 1000)
    assert [p for p in site.store.iterdir() if p.name.startswith("inbox.damaged-")]
    assert not [m for m in pager.messages if m.kind == "down"], pager.messages
    verify(site)


# ---- 12. clocks that jump

FAKETIME = next(iter(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)


@needs_preload
@pytest.mark.skipif(not FAKETIME, reason="needs libfaketime")
@pytest.mark.parametrize("jump_s", [*((1, -1, 30, -30, 86400, -86400) if NIGHTLY else ()), 3600, -3600, 3650 * 86400, -3650 * 86400],
                         ids=lambda s: f"{s:+}s")
def test_12_the_wall_clock_jumps_between_passes(site, target, catcher, jump_s):
    """Only the wall clock; the time since boot goes on. Nobody is told of an outage that is none, and one that is
    one is told (I5, I7)."""
    site.configure({"channels": {"hook": {"type": "webhook", "url": catcher.url + "/hook", "secret": "x", "limit": 0}},
                    "defaults": {**FAST, "interval": "1m", "notify": ["hook"]},
                    "monitors": {"shop": {"type": "http", "url": target.url + "/"}, **robots(1)}})

    def told():
        return [r.json["monitor"] for r in catcher.at("/hook") if r.json["event"] == "down"]

    for _ in range(2):
        site.a_pass(check=True)
        site.offset_ms += 60_000
    assert cgi_beat(site, moment=time.time() + 120, program=TOOLS / "upbeat.fcgi")[0] == 200
    site.env.update(LD_PRELOAD=str(FAKETIME), FAKETIME=f"{jump_s:+}s", FAKETIME_DONT_FAKE_MONOTONIC="1")
    for _ in range(2):
        assert site.a_pass().returncode == 0
        site.offset_ms += 60_000
    assert not told(), catcher.received
    target.status = 500
    for _ in range(3):
        site.a_pass()
        site.offset_ms += 60_000
        if told():
            break
    assert told() == ["shop"]
    if abs(jump_s) != 30:  # where it begins to matter
        assert ("the clock was stepped" in (site.store / "prober.log").read_text()) == (abs(jump_s) > 30)
    site.env.clear()
    verify(site)
    counted("12 clock jumps", jump_s=jump_s, false_alarms=0, missed=0)


# ---- 13. no names, no network

@pytest.mark.skipif(not can("unshare", "--net"), reason="needs a network namespace (root)")
def test_13_without_any_network_nobody_is_told_of_outages(site, target, pager):
    """No DOWN, unknown instead; one summary when we see again (I5, I6). (Mute DNS: test_hostile.py, a mute resolver.)"""
    site.configure({**shop(target, pager, interval="1m"), "witnesses": [target.url + "/"]})
    site.a_pass(check=True)
    for _ in range(3):
        site.offset_ms += 60_000
        done = subprocess.run(["unshare", "--net", PROBER, "-c", site.config_file, "run"], capture_output=True, text=True,
                              env=site.environment(), timeout=80)
        assert done.returncode in (0, 75), done
    assert site.status("shop")["state"] in ("unknown", "suspect", "up")
    assert not pager.messages
    for _ in range(3):
        site.offset_ms += 60_000
        site.a_pass(check=True)
    assert site.status("shop")["state"] == "up"
    assert not [m for m in pager.messages if m.kind == "down"]
    summaries = [m for m in pager.messages if "offline" in m.words]
    assert len(summaries) == 1, pager.messages
    verify(site)
    counted("13 no network", passes=3, down_messages=0, summaries=1)


# ---- 14. packets lost (and by rule: tests/simulator, stray failures and brown-outs over 150 years of a monitor)

LOSSY = """PATH=$PATH:/usr/sbin:/sbin
ip link set lo up
server=$(/usr/bin/python3 -c "$2")
trap 'kill $server' EXIT
nft add table inet lossy
nft add chain inet lossy here '{ type filter hook input priority 0; }'
nft add rule inet lossy here numgen random mod 100 '<' "$1" drop
shift 2
"$@"
"""
SITE = """import http.server as h, os
class Site(h.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(*_):
        pass
server = h.ThreadingHTTPServer(("127.0.0.1", 8080), Site)
if pid := os.fork():
    print(pid)
else:
    os.close(1)
    server.serve_forever()"""


@pytest.mark.skipif(not can("unshare", "--net") or not shutil.which("nft", path="/usr/sbin:/sbin"), reason="needs a network namespace (root) and nft")
@pytest.mark.parametrize("percent", [10, *((1, 5) if NIGHTLY else ())])
def test_14_a_lossy_network_alarms_nobody(site, percent):
    """Of the packets each way, so at 10 % every fifth ping has no answer (I5)."""
    site.configure({"defaults": {"interval": "2s", "timeout": "10s"}, "witnesses": ["127.0.0.1:8080"], "self_check": False,
                    "monitors": {**{f"site{i}": {"type": "http", "url": f"http://127.0.0.1:8080/{i}"} for i in range(10)},
                                 **{f"host{i}": {"type": "ping", "host": f"127.0.0.{i}"} for i in range(1, 5)}}})
    site.offset_ms = int((60 + (0 if NIGHTLY else 50) - time.time() % 60) * 1000)
    done = subprocess.run(["unshare", "--net", "sh", "-ec", LOSSY, "sh", str(percent), SITE, PROBER, "-c", site.config_file, "run"],
                          capture_output=True, text=True, env=site.environment(), timeout=120)
    assert (done.returncode, done.stderr) == (0, ""), done
    looks = site.prober("export", "samples", "--format", "jsonl", check=True).stdout.splitlines()
    assert len(looks) >= 14
    assert not [m for m in site.status()["monitors"] if m["state"] in ("down", "unknown")]
    assert site.prober("export", "incidents", "--format", "jsonl", check=True).stdout == ""
    verify(site)
    counted("14 packets lost", percent=percent, looks=len(looks), alarms=0)


# ---- 15. channels that are down, slow, refuse, limit: test_channels.py, test_storm.py

# ---- 16. two probers, a prober that overruns its minute

def test_16_a_look_that_outlasts_the_minute_delays_nobody(site, pager):
    """(Five at once: test_faults.py, two probers never work at once.)"""
    with catchers.Target() as target, socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(64)  # accepts, and says nothing
        site.configure({**shop(target, pager), "monitors": {
            "shop": {"type": "http", "url": target.url + "/", "interval": "1s"},
            "mute": {"type": "http", "url": f"http://127.0.0.1:{mute.getsockname()[1]}/", "interval": "1m", "timeout": "30s"}}})
        first = site.start_prober("run")
        wait_for(lambda: target.hits >= 1, 10)
        second = site.start_prober("run")
        time.sleep(3)
        assert target.hits <= 6, "an interval of a second: one prober's looks, not two"
        site.stop(first)
        assert first.returncode == 0
        site.stop(second)
        assert second.returncode == 0
    verify(site)


# ---- 17. nothing passes any more

def test_17_a_prober_that_does_not_come_is_seen_within_three_minutes(site, target, pager):
    """Stale by the age of the data, not by a flag: never green (I6)."""
    site.configure({**shop(target, pager, interval="1m"), "anonymous": "all"})
    site.a_pass(check=True)
    assert cgi(site, path="/healthz")[0] == 200
    site.offset_ms = 181_000
    assert cgi(site, path="/healthz")[0] == 503
    assert cgi(site, path="/up/shop")[0] == 503
    assert cgi_beat(site, moment=time.time() + 181)[0] == 200, "beats are taken all the same"
    site.a_pass(check=True)
    assert cgi(site, path="/healthz")[0] == 200
    assert not [m for m in pager.messages if m.kind == "down"]
    verify(site)


# ---- 18. the web server is restarted in the midst of requests

class OverHttp:
    """Clients' beats through a web server that may be gone just now."""

    def __init__(self, url):
        self.url = url

    def beat(self, slug, moment):
        body = f'{{"time": {moment!r}}}'.encode()
        try:
            answer = fetch(f"{self.url}/beat/{slug}", "POST", body, {"X-Hub-Signature-256": sign(secret_of(slug), body)}, timeout=10)
        except (OSError, ValueError, __import__("http.client").client.HTTPException):
            return None
        return None if answer.status in (500, 502, 504) else answer


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=lambda s: s.name)
def test_18_a_web_server_restarted_under_load(ready, how):
    """Acknowledged is stored; what was not answered is repeated and counted once (I1, I7)."""
    front = Lighttpd(ready, "external")
    clients = Clients(OverHttp(front.url), robots(4), pause=0.002)
    for _ in range(of(3, 50)):
        time.sleep(0.3)
        front.process.send_signal(how)
        front.process.wait()
        front.process = ready.start(["lighttpd", "-D", "-f", ready.folder / "lighttpd.conf"], "lighttpd")
    wait_for(lambda: listening(front.port), 10)
    assert front.beat("robot7", secret_of("robot7")).status == 200
    time.sleep(0.3)
    clients.end()
    clients.assert_kept(ready)
    verify(ready)
    assert clients.count > 20
    counted(f"18 web server restarted, {how.name}", restarts=of(3, 50), acknowledged=clients.count, lost=0,
            repeated_by_clients=clients.repeats)


# ---- 19. clients that read slowly, or not at all

def test_19_those_who_never_read_their_answer_stop_no_beat(ready):
    program = fastcgi.Program(ready)
    slow = []
    for _ in range(200):
        s = program.connect()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        s.sendall(fastcgi.whole("GET", "/openapi.json"))
        slow.append(s)
    took = []
    for i in range(of(100, 2000)):
        began = time.monotonic()
        body = f'{{"time": {time.time()!r}}}'.encode()
        answer = program.ask("POST", f"/beat/robot{i % 8}", body, HTTP_X_HUB_SIGNATURE_256=sign(secret_of(f"robot{i % 8}"), body))
        assert answer is not None and answer.status == 200
        took.append(time.monotonic() - began)
    for s in slow:
        s.close()
    verify(ready)
    took.sort()
    counted("19 200 clients that do not read", beats=len(took), p99_ms=round(took[len(took) * 99 // 100] * 1000, 1))
    assert took[len(took) // 2] < 0.5


# ---- 20. file systems and permissions that do not do

def test_20_a_lost_lock_file_is_made_again(ready):
    """(Network file systems: base/test_file.c; owners and modes: test_faults.py.)"""
    for book in ("inbox", "state"):
        (ready.store / book / "lock.mdb").unlink()
    ready.a_pass(check=True)
    assert cgi_beat(ready)[0] == 200
    ready.a_pass(check=True)
    verify(ready)


# ---- 21. upgrades: store/test_faults.c, an older book is read and brought up to date, a newer one refused;
#          test_web_program.py, a new binary in its place is noticed

# ---- 22. no descriptors, no processes, floods of log lines

@pytest.mark.parametrize("descriptors", [6, 8, 12, 20])
def test_22_few_descriptors(ready, descriptors):
    limit = ["prlimit", f"--nofile={descriptors}"]
    status, done = cgi_beat(ready, before=limit)
    assert done.returncode in (0, 75) and status in (200, 503), done
    done = subprocess.run([*limit, PROBER, "-c", ready.config_file, "run"], capture_output=True, text=True,
                          env=ready.environment(), timeout=60)
    assert done.returncode in (0, 75), done
    assert cgi_beat(ready)[0] == 200
    ready.a_pass(check=True)
    verify(ready)


@pytest.mark.skipif(not AS_ROOT, reason="needs a user of its own")
def test_22_no_process_can_be_started(ready):
    """Threads neither: it serves with what it has; the prober's examination is left out, and the pass made."""
    user = str(61_000 + os.getpid() % 1000)  # who has no other process, or not even its first is started
    subprocess.run(["chown", "-R", f"{user}:{user}", ready.folder], check=True)
    none = ["prlimit", "--nproc=0", "setpriv", "--reuid", user, "--regid", user, "--clear-groups"]
    binary = shutil.copy2(PROBER, ready.folder)
    done = subprocess.run([*none, binary, "-c", ready.config_file, "run"], capture_output=True, text=True,
                          env=ready.environment(), timeout=60)
    assert done.returncode in (0, 1, 75), done
    subprocess.run(["chown", "-R", "0:0", ready.folder], check=True)
    ready.a_pass(check=True)
    assert cgi_beat(ready)[0] == 200


def test_22_a_flood_of_bad_beats_is_a_bounded_log(ready):
    farm = Farm(ready, 1)
    for i in range(of(2000, 100_000)):
        farm.ask("POST", "/beat/robot0", b'{"time": 1}', HTTP_X_HUB_SIGNATURE_256="sha256=" + "0" * 64)
    logs = sum(p.stat().st_size for p in ready.store.rglob("web.log*"))
    assert logs < 2 << 20 and farm.beat("robot0", time.time()).status == 200
    farm.close()
    verify(ready)


# ---- and all together, for long

@pytest.mark.skipif(not NIGHTLY, reason="of make nightly")
def test_a_soak_leaves_memory_and_files_as_they_were(site, target, pager):
    """NIGHTLY_SOAK_SECONDS of beats, looks, outages and pages: memory and files level off."""
    seconds = int(os.environ.get("NIGHTLY_SOAK_SECONDS", "3600"))
    site.configure({**shop(target, pager, interval="1s"), "anonymous": "all"})
    prober = site.start_prober("watch")
    wait_for(lambda: (site.store / "inbox/data.mdb").exists(), 20)
    wait_for(lambda: cgi(site, path="/healthz")[0] == 200, 20)
    farm = Farm(site, 2)
    clients = Clients(farm, robots(2), pause=0.01)
    figures, end, begin = [], time.monotonic() + seconds, time.monotonic()

    def rss(pid):
        return int(next(line for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS")).split()[1])

    while time.monotonic() < end:
        target.status = 500 if int(time.monotonic() - begin) % 120 > 100 else 200
        farm.ask(path="/", HTTP_ACCEPT="text/html")
        farm.ask(path="/m/shop", HTTP_ACCEPT="text/html")
        figures.append((time.monotonic() - begin, sum(rss(p.pid) for p in farm.processes), rss(prober.pid),
                        (site.store / "inbox/data.mdb").stat().st_size, (site.store / "state/data.mdb").stat().st_size,
                        len(os.listdir(f"/proc/{farm.processes[0].pid}/fd")), len(os.listdir(f"/proc/{prober.pid}/fd"))))
        time.sleep(1)
    clients.end()
    clients.assert_kept(site)
    farm.close()
    site.stop(prober)
    verify(site)
    # What a process holds at one moment says little: it gives memory back when it rests. Peaks are compared.
    quarter = len(figures) // 4
    early, late = ([max(column) for column in zip(*figures[at:at + quarter])] for at in (quarter, 3 * quarter))
    counted("a soak", seconds=seconds, acknowledged=clients.count, lost=0, web_rss_kb=[early[1], late[1]],
            prober_rss_kb=[early[2], late[2]], inbox_mb=[early[3] >> 20, late[3] >> 20],
            state_mb=[early[4] >> 20, late[4] >> 20], descriptors=[early[5] + early[6], late[5] + late[6]])
    assert late[1] < early[1] * 1.1 + 1000 and late[2] < early[2] * 1.25 + 2000
    assert late[3] == early[3] and late[5] <= early[5] + 2
