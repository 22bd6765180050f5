# SPDX-License-Identifier: ISC
"""kill -9 of the prober, at random under load and at every system call around one commit and one delivery: no
alert is lost; what was in flight is repeated at most once for each kill, with the same id.

UPBEAT_NIGHTLY=1 kills 2,000 times instead of 50, and at every call instead of every seventh."""
import random
import shutil
import signal
import subprocess
import time

import pytest

import catchers
import fakes
from faulty import NIGHTLY, counted, of, verify
from upbeat import PROBER, wait_for

KILLS = of(50, 2000)
SHOPS = 6


def shops(targets, **more):
    return {f"shop{i}": {"type": "http", "url": t.url + "/", **more} for i, t in enumerate(targets)}


@pytest.fixture
def targets():
    servers = [catchers.Target() for _ in range(SHOPS)]
    for server in servers:
        server.__enter__()
    yield servers
    for server in servers:
        server.__exit__()


def stories(messages):
    """What was told of each monitor, repeats dropped as a receiver would: [(event, told late)]."""
    seen, told = set(), {}
    for m in messages:
        if m.id not in seen:
            seen.add(m.id)
            told.setdefault(m.json["monitor"], []).append((m.kind, "told late" in m.words))
    return told


def check_story(story, is_down):
    """Down and up take turns; an outage that was told late was told by its end alone."""
    state = "up"
    for event, late in story:
        if event == "down":
            assert state == "up", story
        else:
            assert late or state == "down", story
        state = event
    assert state == ("down" if is_down else "up"), (story, is_down)


def test_random_kills_under_load(site, targets):
    rng = random.Random(20260501)
    # A machine's channel: it wants each event on its own, so each can be counted.
    with fakes.PagerDuty() as pager, fakes.Webhook() as hook:
        site.configure({"channels": {"pager": pager.config, "hook": {**hook.config, "limit": 0}},
                        "defaults": {"interval": "1s", "timeout": "2s", "confirm_waits": ["100ms", "100ms"],
                                     "recover_wait": "100ms", "notify": ["pager"]},
                        "monitors": shops(targets)})
        for _ in range(KILLS):
            for target in targets:
                if rng.random() < 0.3:
                    target.status = rng.choice((200, 500))
            process = site.start_prober("run")
            time.sleep(rng.uniform(0.02, 1.6))
            process.send_signal(signal.SIGKILL)
            process.wait()
            site.processes.remove(process)
        final = site.start_prober("watch")

        def settled():
            report = site.status()["monitors"]
            return all(m["state"] == ("up" if t.status == 200 else "down") for m, t in
                       zip(sorted(report, key=lambda m: m["slug"]), targets))
        wait_for(settled, 90, every=0.5)
        time.sleep(3)
        site.stop(final)
        assert pager.wrong == []
        # Every trigger has a key of its own, and its resolve has the same.
        open_keys, triggers = set(), {}
        for m in pager.messages:
            if m.kind == "trigger":
                triggers[m.id] = triggers.get(m.id, 0) + 1
                open_keys.add(m.id)
            else:
                open_keys.discard(m.id)
        assert sum(triggers.values()) - len(triggers) <= KILLS
        flapping = sum("flapping" in m.words for m in pager.messages)
        down = sum(t.status != 200 for t in targets)
        verify(site)
        counted("1 kill -9, prober", kills=KILLS, alerts=len(triggers), lost=0,
                told_twice=sum(triggers.values()) - len(triggers))
        assert down <= len(open_keys) <= down + flapping, (open_keys, down, flapping)


@pytest.fixture
def waiting(site, target):
    """A store in which one alert waits, and the fake that will take it; nothing else is due for an hour."""
    with fakes.Webhook() as hook:
        hook.mode = "500"
        site.configure({"channels": {"hook": hook.config},
                        "defaults": {"interval": "1h", "timeout": "2s", "confirm_waits": ["100ms", "100ms"],
                                     "notify": ["hook"]},
                        "monitors": {"shop": {"type": "http", "url": target.url + "/"}}})
        target.status = 500
        process = site.start_prober("watch")
        wait_for(lambda: hook.attempts, 30)
        time.sleep(0.3)
        site.stop(process, signal.SIGKILL)
        hook.mode = "ok"
        hook.attempts.clear()
        site.offset_ms = 20000  # the back-off is over
        shutil.copytree(site.store, site.folder / "template")
        yield hook


def restore(site):
    shutil.rmtree(site.store)
    shutil.copytree(site.folder / "template", site.store)


CALLS = ("pwrite64", "writev", "fdatasync", "write", "sendto", "recvfrom", "connect", "close", "openat", "epoll_wait")


def killed_at(site, call, n):
    """One pass that dies at the n-th such call; False when there are not so many."""
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
               f"inject={call}:signal=SIGKILL:when={n}", PROBER, "-c", site.config_file, "run"]
    done = subprocess.run(command, capture_output=True, timeout=120, env=site.environment(), stdin=subprocess.DEVNULL)
    return done.returncode != 0


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize("call", CALLS)
def test_a_kill_at_each_system_call_of_a_delivery(site, waiting, call):
    points = 0
    n = 1
    while n < 400:
        restore(site)
        waiting.messages.clear()
        if not killed_at(site, call, n):
            break
        points += 1
        for message in waiting.messages:
            message.before_kill = True
        for _ in range(3):  # one that begins as its minute ends does nothing
            if not waiting.messages or waiting.messages[-1].before_kill:
                assert site.a_pass().returncode == 0
        ids = {m.id for m in waiting.messages}
        assert len(ids) == 1, f"{call} {n}: lost, or told under two ids: {waiting.messages}"
        assert len(waiting.messages) <= 2, f"{call} {n}: {waiting.messages}"
        again = len(waiting.messages)
        done = site.a_pass()
        assert len(waiting.messages) == again, f"{call} {n}: told again by a later pass"
        n += 1 if NIGHTLY or n < 4 else 7
    assert waiting.wrong == []
    verify(site)
    counted(f"2 kill at each system call, a delivery: {call}", points=points, lost=0)
