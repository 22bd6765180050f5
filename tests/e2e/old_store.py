# SPDX-License-Identifier: ISC
"""Stores as older programs wrote them, kept in stores/NAME.tar.xz: the configuration, both books, and what the old
programs themselves said was in them. tests/e2e/test_upgrade.py opens them with today's.

A new one, when a release is made or a record changes its shape (programs built below OLD-BUILD):

    UPBEAT_BUILD=OLD-BUILD python3 tests/e2e/old_store.py NAME
"""
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import time

from catchers import Target
from upbeat import PROGRAM, Site, free_port, sign

NIGHTLY = bool(os.environ.get("UPBEAT_NIGHTLY"))
STORES = pathlib.Path(__file__).with_name("stores")
SECRET, TOKEN, KEY = "a secret of these tests", "token-of-these-tests", "key-of-these-tests"
MINUTE_MS, DAY_MS = 60_000, 86_400_000


def cgi(site, method, uri, body=b"", **headers):
    """One plain CGI request; (status, body)."""
    env = {**site.environment(), "UPBEAT_STORE": str(site.store), "REQUEST_METHOD": method, "REQUEST_URI": uri,
           "SCRIPT_NAME": "", "CONTENT_LENGTH": str(len(body)), **headers}
    done = subprocess.run([PROGRAM], input=body, capture_output=True, timeout=20, env=env)
    head, _, rest = done.stdout.partition(b"\r\n\r\n")
    return int(head.split()[1]), rest


def beat(site, slug, time_s, verb=""):
    body = json.dumps({"time": time_s, "msg": "all is well"}).encode()
    return cgi(site, "POST", f"/beat/{slug}{verb}", body, HTTP_X_HUB_SIGNATURE_256=sign(SECRET, body))[0]


def configuration(target, hook):
    return {"anonymous": "all", "self_check": False, "title": "Kept through an upgrade",
            "api_keys": {"ops": {"key": KEY, "may": "write"}},
            "channels": {"hook": {"type": "webhook", "url": hook, "secret": "x"}},
            "defaults": {"interval": "1m", "timeout": "2s", "notify": ["hook"], "confirm_waits": ["10ms"] * 4,
                         "recover_wait": "10ms"},
            "monitors": {
                "shop": {"type": "http", "name": "The shop", "group": "Web", "tags": ["a", "b"], "url": target, "public": True},
                "cart": {"type": "keyword", "url": target, "keyword": "shop", "depends_on": ["shop"]},
                "port": {"type": "port", "host": "127.0.0.1", "port": int(target.rsplit(":", 1)[1].strip("/"))},
                "job": {"type": "heartbeat", "secret": SECRET, "max_age": "1h"},
                "nightly": {"type": "heartbeat", "token": TOKEN, "schedule": "30 2 * * *", "grace": "30m", "timezone": "Asia/Taipei"},
                "never": {"type": "heartbeat", "secret": SECRET + " too", "max_age": "5m"}}}


def export(site, kind):
    done = site.prober("export", kind, "--format", "jsonl", check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def exported(site):
    """What the programs say is in the books, by kind; a list of objects each."""
    kinds = {kind: export(site, kind) for kind in ("samples", "hours", "days", "incidents")}
    kinds["monitors"] = json.loads(cgi(site, "GET", "/api/v1/monitors")[1])["monitors"]
    return kinds


def live(site, target):
    """Three days with an outage that ended, one that has not, one person's request and some beats."""
    now = time.time()
    site.configure(configuration(target.url, f"http://127.0.0.1:{free_port()}/"))  # nobody listens: what is told stays owed

    def passes(ago_ms, n=2):
        for i in range(n):
            site.offset_ms = i * MINUTE_MS - ago_ms
            site.a_pass()

    for days in (3, 2, 1):
        passes(days * DAY_MS)
        for slug, verb in (("job", "/start"), ("job", "")):
            beat(site, slug, now + site.offset_ms / 1000 + (verb == ""), verb)
        target.status = 500 if days == 2 else 200
        passes(days * DAY_MS - 10 * MINUTE_MS, 3)
        target.status = 200
        passes(days * DAY_MS - 20 * MINUTE_MS, 3)
    site.offset_ms = 0
    newest = time.time()
    assert beat(site, "job", newest) == 200 and beat(site, "job", newest) == 400
    assert cgi(site, "POST", f"/ping/{TOKEN}", b"42 files")[0] == 200
    target.status = 503
    site.a_pass()
    assert site.status("shop")["state"] == "down"
    assert cgi(site, "POST", "/api/v1/monitors/shop/acknowledge", b'{"text":"I look at it"}', HTTP_X_API_KEY=KEY,
               CONTENT_TYPE="application/json")[0] in (200, 202)
    return newest


def main(name):
    with tempfile.TemporaryDirectory() as folder, Target() as target:
        site = Site(folder)
        try:
            newest = live(site, target)
            said = {"written": time.time(), "newest_beat": newest, "target": target.url, **exported(site)}
        finally:
            site.close()
        (site.folder / "said.json").write_text(json.dumps(said))
        STORES.mkdir(exist_ok=True)

        def plain(info):
            if info.name.endswith((".log", ".lock")):
                return None
            info.uid = info.gid = 0
            info.uname = info.gname = ""
            return info

        with tarfile.open(STORES / f"{name}.tar.xz", "w:xz", preset=9) as tar:
            for part in ("said.json", "store"):
                tar.add(site.folder / part, part, filter=plain)


if __name__ == "__main__":
    main(sys.argv[1])
