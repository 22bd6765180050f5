# SPDX-License-Identifier: ISC
"""The running programs stand behind their walls, and secrets stay within. What the walls hold is tried in
tests/unit/web/test_walls.c and tests/unit/prober/test_walls.c, by stubs that attack."""
import json
import os
import pathlib
import signal
import socket
import stat
import time

import pytest

import fastcgi
from upbeat import Lighttpd, Site, wait_for

HEARTBEAT = {"type": "heartbeat", "secret": "0123456789abcdef-of-the-robot", "max_age": "1h"}


def status_of(pid, thread=None):
    path = f"/proc/{pid}/task/{thread or pid}/status"
    return dict(line.split(":\t", 1) for line in pathlib.Path(path).read_text().splitlines() if ":\t" in line)


def refused_here():
    """A sanitizer's build, or a kernel or container that has no seccomp: doctor says so, and nothing is confined."""
    return "Seccomp" not in status_of(os.getpid())


def is_confined(pid, thread=None):
    status = status_of(pid, thread)
    return status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2"


@pytest.fixture
def confined(site):
    site.configure({"monitors": {"robot": HEARTBEAT}})
    done = site.prober("doctor")
    if refused_here() or "confinement: system calls stay open" in done.stdout:
        pytest.skip("no seccomp here")
    site.a_pass(check=True)
    return site


def core_limit(pid):
    line = next(line for line in pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines() if "core file" in line)
    return line.split()[4:6]


def test_every_thread_of_the_web_program_is_confined(confined):
    program = fastcgi.Program(confined)
    assert program.ask(path="/beat/robot").status == 404
    threads = os.listdir(f"/proc/{program.process.pid}/task")
    assert len(threads) > 1
    assert all(is_confined(program.process.pid, thread) for thread in threads)
    assert core_limit(program.process.pid) == ["0", "0"]


def test_a_store_named_by_the_request_confines_too(confined):
    """As mod_fcgid with SetEnv does it: the process learns of its store with its first request."""
    program = fastcgi.Program(confined, UPBEAT_STORE="")
    assert len(os.listdir(f"/proc/{program.process.pid}/task")) == 1
    assert program.ask(path="/beat/robot", UPBEAT_STORE=str(confined.store)).status == 404
    assert len(os.listdir(f"/proc/{program.process.pid}/task")) > 1
    assert program.ask(path="/beat/robot", UPBEAT_STORE=str(confined.store)).status == 404


def test_a_store_that_the_process_does_not_know_is_503_and_said(confined, open_folder):
    (open_folder / "other").mkdir()
    other = Site(open_folder / "other")
    other.configure({"monitors": {"robot": HEARTBEAT}})
    other.a_pass(check=True)
    program = fastcgi.Program(confined)
    assert program.ask(path="/beat/robot", UPBEAT_STORE=str(other.store)).status == 503
    assert program.ask(path="/beat/robot").status == 404
    assert "out of this process's reach: name it in UPBEAT_STORES" in (confined.store / "inbox/web.log").read_text()
    confined.stop(program.process)
    os.unlink(program.path)
    program = fastcgi.Program(confined, UPBEAT_STORES=f"{confined.store}:{other.store}")
    assert program.ask(path="/beat/robot", UPBEAT_STORE=str(other.store)).status == 404
    other.close()


def test_a_process_from_before_the_store_serves_when_it_is_there(site):
    site.configure({"monitors": {"robot": HEARTBEAT}})
    program = fastcgi.Program(site)
    assert program.ask(path="/beat/robot").status == 503
    site.a_pass(check=True)
    wait_for(lambda: program.ask(path="/beat/robot").status == 404, 5)
    assert program.alive()


def test_another_book_in_the_place_of_ours_makes_the_process_give_way(confined):
    program = fastcgi.Program(confined)
    assert program.ask(path="/beat/robot").status == 404
    time.sleep(0.3)  # it looks around after an answer, a few times a second
    (confined.store / "state").rename(confined.store / "state.old")
    confined.a_pass(check=True)
    assert program.alive()
    assert program.ask(path="/beat/robot").status == 503
    assert program.ended() == 0


def test_the_prober_is_confined_while_it_connects(confined):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        confined.configure({"monitors": {"slow": {"type": "tls", "host": "127.0.0.1", "port": mute.getsockname()[1],
                                                  "timeout": "30s"}}})
        process = confined.start_prober("run")
        wait_for(lambda: is_confined(process.pid), 30)
        mute.settimeout(30)
        connection, _ = mute.accept()
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) == 1 and is_confined(int(children[0])), "the inbox has a reader of its own"
        assert core_limit(process.pid) == core_limit(int(children[0])) == ["0", "0"]
        process.send_signal(signal.SIGTERM)
        connection.close()
        assert process.wait(30) == 0


def children_of(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def at_second(n):
    """The offset with which it is that second of a minute soon to come: of which so much is left, then."""
    return int((60 + n - time.time() % 60) * 1000)


def post(site, name="sendmail"):
    """A channel, and the program that it starts: what it was handed goes to NAME.json."""
    program = site.folder / name
    program.write_text(SENDMAIL.replace("handed-on", name))
    program.chmod(stat.S_IRWXU)
    return {"type": "mail", "to": ["ops@example.com"], "from": "upbeat@example.com", "sendmail": str(program)}


def test_a_mail_goes_out_and_the_walls_stand(confined, target):
    """A small process, forked before, starts sendmail, and only that one has to live without them."""
    confined.offset_ms = at_second(5)
    target.status = 500
    confined.configure({"channels": {"post": post(confined)},
                        "defaults": {"interval": "1s", "timeout": "2s", "notify": ["post"], "confirm_waits": ["100ms", "100ms"]},
                        "monitors": {"shop": {"type": "http", "url": target.url}}})
    process = confined.start_prober("run")
    wait_for(lambda: (confined.folder / "sendmail.json").exists(), 60)
    assert is_confined(process.pid)
    reader, launcher = children_of(process.pid)
    assert is_confined(reader) and not is_confined(launcher)
    assert core_limit(launcher) == ["0", "0"]
    if os.geteuid() == 0:
        names = {os.readlink(f"/proc/{launcher}/fd/{fd}").split(":")[0] for fd in os.listdir(f"/proc/{launcher}/fd")}
        assert names <= {"/dev/null", "socket", "pipe"}, "it holds something of the store"
    assert "shop is down" in json.loads((confined.folder / "sendmail.json").read_text())["mail"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    wait_for(lambda: not os.path.exists(f"/proc/{launcher}"), 10)


def test_what_stands_in_the_store_is_not_executed(confined, target):
    """Whoever breaks into a pass may write there, but names no program to the next one."""
    config = {"channels": {"post": post(confined)},
              "defaults": {"interval": "1s", "timeout": "2s", "notify": ["post"], "confirm_waits": ["100ms", "100ms"]},
              "monitors": {"shop": {"type": "http", "url": target.url}}}
    confined.configure(config)
    confined.offset_ms = at_second(56)
    confined.a_pass(check=True)
    confined.offset_ms += 5000
    other = post(confined, "other")["sendmail"]
    for path in (confined.store / "private").iterdir():
        path.write_text(path.read_text().replace(config["channels"]["post"]["sendmail"], other))
    target.status = 500
    process = confined.start_prober("run")
    wait_for(lambda: "sendmail cannot be started" in confined.prober("status", "shop").stdout, 40)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert not (confined.folder / "other.json").exists()


def test_sendmail_tells_of_a_mistake_in_the_configuration_too(confined):
    config = {"channels": {"post": post(confined)}, "monitors": {"robot": {**HEARTBEAT, "notify": ["post"]}}}
    confined.configure(config)
    confined.a_pass(check=True)
    confined.configure({**config, "monitrs": {}})
    assert confined.a_pass().returncode == 1
    assert "Subject: The configuration of" in json.loads((confined.folder / "sendmail.json").read_text())["mail"]


@pytest.mark.parametrize("mode", ["fastcgi", "cgi"])
def test_a_damaged_inbox_is_mended_by_the_next_process(confined, mode):
    """Who finds the damage stands behind walls, and cannot put a copy in its place."""
    front = Lighttpd(confined, mode=mode)
    assert front.beat("robot", HEARTBEAT["secret"]).status == 200
    confined.a_pass(check=True)
    data = confined.store / "inbox/data.mdb"
    content = bytearray(data.read_bytes())
    at = content.find(b"robot")
    while at >= 0:
        content[at + 5:at + 40] = bytes(byte ^ 0x55 for byte in content[at + 5:at + 40])
        at = content.find(b"robot", at + 1)
    with open(data, "r+b") as file:
        file.write(content)
    wait_for(lambda: front.beat("robot", HEARTBEAT["secret"]).status == 200, 10)
    assert list(confined.store.glob("inbox.damaged-*"))
    assert confined.prober("doctor", "--verify").stdout.count("BAD") <= 1


# ---- secrets

SENDMAIL = """#!/usr/bin/python3
import json, os, pathlib, sys
with open(os.path.dirname(os.path.abspath(__file__)) + "/handed-on.json", "a") as f:
    json.dump({"argv": sys.argv, "env": dict(os.environ), "mail": sys.stdin.read(),
               "parent": pathlib.Path(f"/proc/{os.getppid()}/cmdline").read_text()}, f)
"""


class Canaries:
    """One for each place in a configuration where a secret may stand."""

    def __init__(self):
        self.all = {}

    def __getitem__(self, name):
        return self.all.setdefault(name, f"canary-{name}-{os.urandom(8).hex()}")

    def found_in(self, data, but=()):
        data = data if isinstance(data, bytes) else data.encode()
        return [name for name, value in self.all.items() if value.encode() in data and name not in but]


@pytest.fixture
def songful(site, target, catcher):
    """A site with a secret in each place, an outage, and messages about it."""
    canary = Canaries()
    program = site.folder / "sendmail"
    program.write_text(SENDMAIL)
    program.chmod(stat.S_IRWXU)
    site.env["HOOK_SECRET"] = canary["environment"]
    token = site.folder / "token"
    token.write_text(canary["file"])
    token.chmod(0o600)
    target.status = 500
    site.configure({
        "url": "https://status.example.com/", "anonymous": "public",
        "channels": {
            "hook": {"type": "webhook", "url": f"{catcher.url}/{canary['url']}", "secret": "env:HOOK_SECRET",
                     "headers": {"X-Token": canary["header"]}},
            "push": {"type": "pushbullet", "token": "file:token", "api": catcher.url},
            "post": {"type": "mail", "to": ["ops@example.com"], "from": "upbeat@example.com", "sendmail": str(program)},
        },
        "api_keys": {"robot": {"key": canary["api_key"], "may": "write"}},
        "defaults": {"interval": "1m", "timeout": "2s", "notify": ["hook", "push", "post"], "confirm_waits": ["100ms", "100ms"]},
        "monitors": {
            "shop": {"type": "http", "url": target.url, "public": True, "auth": {"basic": ["me", canary["basic"]]}},
            "api": {"type": "http", "url": target.url + "/2", "public": True, "auth": {"bearer": canary["bearer"]},
                    "headers": {"X-Key": canary["request_header"]}, "method": "POST", "body": canary["request_body"]},
            "robot": {**HEARTBEAT, "secret": canary["heartbeat"], "token": canary["token"], "public": True},
        },
    })
    site.canary = canary
    return site


def test_no_secret_is_heard_outside(songful, catcher):
    canary = songful.canary
    process = songful.start_prober("run")
    wait_for(lambda: len(catcher.received) >= 2 and (songful.folder / "handed-on.json").exists(), 60)
    cmdline = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert canary.found_in(cmdline) == []
    process.send_signal(signal.SIGTERM)
    process.wait(60)

    assert canary.found_in((songful.folder / "handed-on.json").read_bytes()) == [], "a child was handed a secret"
    assert canary.found_in(songful.logs()) == []
    backup = songful.folder / "backup"
    for command in (["status"], ["status", "--json"], ["status", "shop"], ["status", "shop", "--json"], ["doctor"],
                    ["export", "incidents", "--format", "jsonl"], ["export", "samples", "--format", "csv"],
                    ["check"], ["config"], ["backup", str(backup)], ["export", "--config"]):
        done = songful.prober(*command)
        assert canary.found_in(done.stdout + done.stderr) == [], command
    published = {"heartbeat", "token"}  # beats are checked against them by the web program
    for path in [*songful.store.rglob("*"), *backup.rglob("*")]:
        if path.is_file() and path.parent != songful.store / "private":
            assert canary.found_in(path.read_bytes(), published) == [], path
    for path in (songful.store / "private").iterdir():
        assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0


def test_no_secret_is_on_a_page(songful, catcher):
    canary = songful.canary
    process = songful.start_prober("run")
    wait_for(lambda: len(catcher.received) >= 2, 60)
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    front = Lighttpd(songful)
    pages = ["/", "/m/shop", "/m/api", "/m/robot", "/beat/robot", "/up/shop", "/healthz", "/feed.atom", "/metrics", "/openapi.json",
             "/api/v1/monitors", "/api/v1/monitors/shop", "/api/v1/incidents", "/api/v2/summary.json", "/badge/shop.svg"]
    incidents = json.loads(front.get("/api/v1/incidents", **{"X-Api-Key": canary["api_key"]}).body)
    pages += [f"/i/{i['id']}" for i in incidents.get("incidents", incidents)][:3] if incidents else []
    for path in pages:
        for headers in ({}, {"X-Api-Key": canary["api_key"]}):
            answer = front.get(path, **headers)
            assert canary.found_in(str(answer.headers).encode() + answer.body) == [], (path, headers)
