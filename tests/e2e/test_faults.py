# SPDX-License-Identifier: ISC
"""What goes wrong around us: each fault gives a plain status and one clear line, loses nothing that was
acknowledged, and is over when its cause is."""
import json
import os
import pathlib
import pwd
import random
import shutil
import signal
import subprocess
import time

import pytest

import catchers
from upbeat import AS_ROOT, PROBER, WEB_USER, Apache, Lighttpd, wait_for

SECRET = "a secret"
ROBOT = {"robot": {"type": "heartbeat", "secret": SECRET, "max_age": "5m"}}


def can_mount():
    return AS_ROOT and subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


def test_without_a_store_everything_says_503_and_the_page_shows_the_crontab_line(site, front):
    site.store.rmdir()
    for path in ("/beat/robot", "/healthz", "/up", "/m/robot", "/metrics"):
        answer = front.get(path)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "60"), path
    page = front.get("/", Accept="text/html")
    assert page.status == 503 and "* * * * *" in page.text and "upbeat-prober" in page.text
    site.make_store()
    site.configure({"monitors": ROBOT})
    site.a_pass(check=True)
    assert front.beat("robot", SECRET).status == 200


@pytest.mark.skipif(not AS_ROOT, reason="needs two users")
def test_an_inbox_that_may_not_be_written_is_503_until_it_may(site, front):
    site.configure({"monitors": ROBOT})
    site.a_pass(check=True)
    inbox = site.store / "inbox"
    if front.__class__ is Lighttpd:
        pytest.skip("this front runs as root, whom no permission stops")
    saved = {path: path.stat().st_mode for path in (inbox, *inbox.iterdir())}
    for path in saved:
        path.chmod(0o500 if path.is_dir() else 0o400)
    assert front.beat("robot", SECRET).status == 503
    for path, mode in saved.items():
        path.chmod(mode)
    wait_for(lambda: front.beat("robot", SECRET).status == 200)


@pytest.mark.skipif(not can_mount(), reason="needs a small file system of its own")
def test_a_full_disk_never_loses_an_acknowledged_beat(site, tmp_path):
    """The store on a tmpfs that is filled to its last byte: the inbox is allocated ahead and goes on."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", site.store], check=True)
    try:
        site.make_store()
        site.configure({"monitors": ROBOT})
        site.a_pass(check=True)
        front = Lighttpd(site)
        assert front.beat("robot", SECRET).status == 200
        with open(site.store / "ballast", "wb") as ballast:
            with pytest.raises(OSError):
                while True:
                    ballast.write(b"x" * 65536)
                    ballast.flush()
        newest = None
        for _ in range(100):
            now = time.time()
            answer = front.beat("robot", SECRET, time_=now)
            assert answer.status in (200, 503)
            newest = now if answer.status == 200 else newest
        assert newest is not None, "allocated ahead, beats go on"
        assert front.get("/beat/robot").status == 200
        assert front.beat("robot", SECRET, time_=newest).status == 400, "the newest acknowledged one is there"
        assert site.a_pass().returncode in (0, 75)
        os.unlink(site.store / "ballast")
        assert front.beat("robot", SECRET).status == 200
        site.a_pass(check=True)
        front.stop()
    finally:
        site.close()
        subprocess.run(["umount", "-l", site.store], check=True)


def test_a_prober_killed_at_any_moment_loses_no_alert(site, catcher):
    """Killed again and again while sites break and mend: each outage is told, a repeat only with the same id."""
    random.seed(20260501)
    with catchers.Target() as one, catchers.Target() as two, catchers.Target() as three:
        targets = {"one": one, "two": two, "three": three}
        site.configure({
            "channels": {"hook": {"type": "webhook", "url": catcher.url + "/hook", "secret": "x"}},
            "defaults": {"interval": "1s", "timeout": "2s", "notify": ["hook"], "confirm_waits": ["50ms"] * 4,
                         "recover_wait": "50ms"},
            "monitors": {slug: {"type": "http", "url": t.url + "/"} for slug, t in targets.items()}})

        def told(event, slug):
            return {r.json["id"] for r in catcher.at("/hook") if (r.json["event"], r.json["monitor"]) == (event, slug)}

        def kill_until(done):
            for _ in range(20):
                if done():
                    return
                prober = site.start_prober("watch")
                time.sleep(random.uniform(0.01, 0.9))
                site.stop(prober, signal.SIGKILL)
            prober = site.start_prober("watch")
            wait_for(done, 60)
            site.stop(prober)

        for slug, target in targets.items():
            target.status = 500
            kill_until(lambda: told("down", slug))  # noqa: B023
            target.status = 200
            kill_until(lambda: told("up", slug))  # noqa: B023
        for slug in targets:
            assert len(told("down", slug)) == len(told("up", slug)) == 1, slug
        assert len({r.json["incident"] for r in catcher.at("/hook")}) == 3


@pytest.mark.skipif(not AS_ROOT, reason="needs two users")
@pytest.mark.parametrize("umask", [0o22, 0o27, 0o77], ids=oct)
def test_a_prober_outside_the_web_servers_group_shares_its_store_through_the_directory(site, umask):
    """The store belongs to the prober's user, with the web server's group and chmod 2770: that must do."""
    games = pwd.getpwnam("games").pw_uid
    prober = shutil.copy2(PROBER, site.folder)
    site.configure({"monitors": ROBOT})
    for path in (site.config_file, site.store):
        os.chown(path, games, -1)
    site.store.chmod(0o2770)
    command = ["setpriv", "--reuid", str(games), "--regid", str(games), "--clear-groups", prober, "-c", site.config_file]
    subprocess.run(command, check=True, env=site.environment(), umask=umask)
    front = Apache(site)
    assert front.beat("robot", SECRET).status == 200
    assert front.get("/beat/robot").status == 200
    subprocess.run(command, check=True, env=site.environment(), umask=umask)
    as_web = ["setpriv", "--reuid", WEB_USER, "--regid", WEB_USER, "--clear-groups", "test", "-w"]
    assert subprocess.run([*as_web, site.store / "state/data.mdb"]).returncode == 1
    assert subprocess.run([*as_web, site.store / "inbox/data.mdb"]).returncode == 0


@pytest.mark.skipif(not AS_ROOT, reason="needs two users")
def test_a_state_that_the_web_servers_user_put_there_is_not_believed(site):
    """Who shares the store's directory may rename what is in it, and so put his own in the place of ours."""
    site.configure({"monitors": ROBOT})
    site.a_pass(check=True)
    as_web = ["setpriv", "--reuid", WEB_USER, "--regid", WEB_USER, "--clear-groups"]
    forge = "mv state kept; cp -r kept state; ln -s ../away copies.new; mv copies was; mv copies.new copies"
    subprocess.run([*as_web, "sh", "-c", forge], cwd=site.store, check=True)
    refused = site.a_pass()
    assert refused.returncode == 75 and "is not believed" in refused.stderr, refused
    assert "is not believed" in site.prober("doctor").stdout
    shutil.rmtree(site.store / "state")
    (site.store / "kept").rename(site.store / "state")
    (site.store / "copies").unlink()
    assert site.a_pass(check=True).stderr == ""


def test_a_store_that_cannot_be_used_is_told_once_per_change(site):
    """Cron mails whatever is printed: not every minute, please."""
    site.configure({"monitors": ROBOT})
    site.a_pass(check=True)
    lock = site.store / "prober.lock"
    for _ in range(2):
        lock.unlink()
        lock.mkdir()
        first, second = site.a_pass(), site.a_pass()
        assert (first.returncode, second.returncode) == (75, 75)
        assert str(lock) in first.stderr and len(first.stderr.splitlines()) == 1
        assert second.stdout + second.stderr == ""
        lock.rmdir()
        assert site.a_pass(check=True).stderr == ""
    assert "no pass: " in (site.store / "prober.log").read_text()


def test_a_pass_that_can_store_nothing_ends_with_its_minute(site, target):
    """A store that refuses to be written, whatever the reason, must not leave a prober that holds the lock."""
    site.configure({"monitors": {"shop": {"type": "http", "url": target.url + "/"}}})
    site.a_pass(check=True)
    site.offset_ms = 60_000
    site.a_pass(check=True)
    site.offset_ms = int((56 - time.time() % 60) * 1000) + 120_000
    begun = time.monotonic()
    done = subprocess.run(["prlimit", "--fsize=0", "--", PROBER, "-c", site.config_file, "run"], capture_output=True,
                          text=True, env=site.environment(), timeout=30)
    assert done.returncode == 75, done
    assert time.monotonic() - begun < 12
    site.offset_ms += 60_000
    site.a_pass(check=True)
    assert site.status("shop")["state"] == "up"


def test_two_probers_never_work_at_once_and_all_leave_quietly(site, target):
    site.configure({"defaults": {"interval": "1m"}, "monitors": {"shop": {"type": "http", "url": target.url + "/"}}})
    site.a_pass(check=True)
    hits = target.hits
    many = [site.start_prober("run") for _ in range(5)]
    assert [p.wait(70) for p in many] == [0] * 5
    assert target.hits <= hits + 2
    assert (site.folder / "prober.log").read_text() == ""


def test_a_broken_config_keeps_the_last_good_one_running_and_is_told(site, target, catcher):
    config = {"anonymous": "all",
              "channels": {"hook": {"type": "webhook", "url": catcher.url + "/hook", "secret": "x"}},
              "defaults": {"interval": "1m", "notify": ["hook"], "confirm_waits": ["50ms"] * 4},
              "monitors": {"shop": {"type": "http", "url": target.url + "/"}}}
    site.env["UPBEAT_STORE"] = str(site.store)  # where to look when the file is too broken to say
    site.configure(config)
    site.a_pass(check=True)
    good = site.config_file.read_text()
    for broken in ("", "{", good.replace('"monitors"', '"monitor"'), good[:-20], good.replace('"1m"', '"soon"')):
        site.configure(broken)
        site.offset_ms += 90_000  # past the 30 s in which further messages of a channel are gathered
        done = site.a_pass()
        assert done.returncode == 1
        again = site.a_pass()
        assert (again.returncode, again.stderr) == (1, ""), "told once per change, not every minute"
        report = site.status()
        assert report["config"]["ok"] is False and report["config"]["problems"]
        assert [m["slug"] for m in report["monitors"]] == ["shop"]
    checked = target.hits
    site.offset_ms += 90_000
    site.a_pass()
    assert target.hits > checked, "the last good configuration goes on watching"
    assert [r for r in catcher.at("/hook") if "config" in r.body.decode().lower()], "and its channels are told"
    site.configure(good)
    assert site.a_pass().returncode == 0
    assert site.status()["config"] == {"ok": True, "problems": []}


@pytest.mark.skipif(not AS_ROOT, reason="needs two users")
def test_secrets_of_channels_are_in_neither_book(site, target, catcher, mailbox):
    """Neither in a book nor anywhere else that is not the prober's own."""
    canary = "canary-4711-secret"
    site.configure({
        "channels": {"hook": {"type": "webhook", "url": catcher.url + "/hook", "secret": canary},
                     "mail": {"type": "mail", "to": ["a@example.com"], "from": "b@example.com", "user": "u",
                              "password": canary, "smtp": f"smtp://127.0.0.1:{mailbox.port}"}},
        "defaults": {"notify": ["hook", "mail"], "confirm_waits": ["50ms"] * 4},
        "monitors": {"shop": {"type": "http", "url": target.url + "/", "auth": {"basic": ["u", canary]}}}})
    target.status = 500
    site.a_pass()
    site.prober("notify", "hook")
    for path in site.store.rglob("*"):
        if path.is_file() and canary.encode() in path.read_bytes():
            assert path.parent.name == "private" and path.stat().st_mode & 0o077 == 0, path
    out = site.prober("status", "shop").stdout + site.prober("status", "--json").stdout
    assert canary not in out
    assert json.loads(site.prober("status", "--json").stdout)
    assert PROBER.exists()


def test_after_a_pass_that_died_the_next_begins_soon_and_not_with_the_next_minute(site, target):
    site.configure({"defaults": {"interval": "1s"}, "monitors": {"shop": {"type": "http", "url": target.url + "/"}}})
    watch = site.start_prober("watch")

    def its_pass():
        children = pathlib.Path(f"/proc/{watch.pid}/task/{watch.pid}/children").read_text().split()
        return int(children[0]) if children else None

    first = wait_for(its_pass)
    wait_for(lambda: target.hits)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: its_pass() not in (None, first), 15)
    assert "a pass died of signal 9" in (site.folder / "prober.log").read_text()
