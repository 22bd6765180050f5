# SPDX-License-Identifier: ISC
"""Stores of older programs (old_store.py) opened by today's: everything is kept, whatever moment the new program
is killed at; and a store of a newer program is refused in words and left as it is."""
import hashlib
import json
import shutil
import subprocess
import tarfile
import time

import pytest

import old_store
from upbeat import PROBER, SANITIZED, fetch, wait_for

STORES = sorted(p.name.removesuffix(".tar.xz") for p in old_store.STORES.glob("*.tar.xz"))
LASTING = ("samples", "hours", "days", "incidents")


@pytest.fixture
def old(site, request):
    """A site with the store that is the test's parameter, at the time when it was written; what was said of it."""
    shutil.rmtree(site.store)
    with tarfile.open(old_store.STORES / f"{request.param}.tar.xz") as tar:
        tar.extractall(site.folder)
    said = json.loads((site.folder / "said.json").read_text())
    site.offset_ms = int((said["written"] - time.time()) * 1000) + 5000
    return said


def same_objects(then, now):
    for kind in (k for k in LASTING if k in then):
        index = {}
        for one in now[kind]:
            index.setdefault((one.get("monitor"), one.get("id"), one.get("time"), one.get("from")), []).append(one)
        for one in then[kind]:
            among = index.get((one.get("monitor"), one.get("id"), one.get("time"), one.get("from")), [])
            assert any(one.items() <= other.items() for other in among), f"{kind}: {one} is gone; there is {among}"


def both_books_hold(site, when=""):
    said = site.prober("doctor", "--verify").stdout
    assert "BAD   verify" not in said and all(f"ok    verify: {book}:" in said for book in ("state", "inbox")), f"{when} {said}"


@pytest.mark.parametrize("old", STORES, indirect=True)
def test_everything_is_kept(site, old, target, catcher):
    site.configure(old_store.configuration(target.url, catcher.url))
    now = old_store.exported(site)  # before anything was written
    same_objects(old, now)
    for then, today in zip(old["monitors"], now["monitors"], strict=True):
        assert {k: today[k] for k in ("slug", "name", "type", "group", "state", "since", "incident")} == \
            {k: then[k] for k in ("slug", "name", "type", "group", "state", "since", "incident")}
    assert len(old["samples"]) > 1000 and len(old["incidents"]) >= 4
    both_books_hold(site)

    # A beat of before the upgrade is not taken twice, and the next one is.
    assert old_store.beat(site, "job", old["newest_beat"]) == 400
    assert old_store.beat(site, "job", old["newest_beat"] + 1) == 200
    assert old_store.cgi(site, "GET", "/beat/job")[0] == 200
    assert old_store.cgi(site, "POST", f"/ping/{old_store.TOKEN}")[0] == 200

    # What was owed is told, once; what a person asked for is done.
    target.status = 503
    site.offset_ms += 60_000
    wait_for(lambda: [site.a_pass(check=True)] and [r for r in catcher.received if r.json["event"] == "down"], 30)
    told = [(r.json["monitor"], r.json["incident"]) for r in catcher.received if r.json["event"] == "down"]
    open_now = [i for i in old["incidents"] if i["ended"] is None and i["monitor"] == "shop"]
    assert told.count(("shop", open_now[0]["id"])) == 1, told
    after = old_store.exported(site)
    # Parts of response times are kept for two days, incidents go on.
    kept = {**{k: [{k: v for k, v in o.items() if k == "response_ms" or not k.endswith("_ms")} for o in old[k]]
               for k in ("samples", "hours", "days")},
            "incidents": [i for i in old["incidents"] if i["ended"]]}
    same_objects(kept, after)
    mine = next(i for i in after["incidents"] if i["id"] == open_now[0]["id"])
    assert mine["acknowledged"] is not None and "ops" in mine["acknowledged_by"]
    both_books_hold(site)


# ---- killed half-way

def killed_at(site, call, n):
    """The new program's first pass, dying at the n-th such call; False when there are not so many."""
    done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={n}",
                           PROBER, "-c", site.config_file, "run"], capture_output=True, timeout=120, env=site.environment(),
                          stdin=subprocess.DEVNULL)
    return done.returncode != 0


@pytest.mark.skipif(not shutil.which("strace") or SANITIZED, reason="needs strace, and a build that can be traced")
@pytest.mark.parametrize("old", STORES, indirect=True)
@pytest.mark.parametrize("call", ["pwrite64", "writev", "fdatasync", "rename"] if old_store.NIGHTLY else ["pwrite64", "fdatasync"])
def test_a_kill_at_each_step_leaves_what_was_or_what_is_to_be(site, old, call, target, catcher):
    site.configure(old_store.configuration(target.url, catcher.url))
    shutil.copytree(site.store, site.folder / "as it was")
    ended = {"incidents": [i for i in old["incidents"] if i["ended"]], "days": old["days"]}
    points = 0
    for n in range(1, 300) if old_store.NIGHTLY else (1, 5, 40):
        shutil.rmtree(site.store)
        shutil.copytree(site.folder / "as it was", site.store)
        if not killed_at(site, call, n):
            break
        points += 1
        both_books_hold(site, f"{call} {n}")
        same_objects(ended, {kind: old_store.export(site, kind) for kind in ended})
        assert old_store.beat(site, "job", old["newest_beat"]) == 400
        assert site.a_pass().returncode == 0
        assert {m["slug"] for m in site.status()["monitors"]} == {m["slug"] for m in old["monitors"]}
    print(f"{call}: {points} points")
    assert points > 0


# ---- from the future

def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def write_schema(book, schema):
    """Says in the book itself that a program of that schema wrote it: in each page that has had the record."""
    data = book.read_bytes()
    at = data.find(b"schemaUp")
    places = 0
    while at >= 0:
        record = bytearray(data[at + 6:at + 20])
        assert crc32c(record[:8] + record[12:]) == int.from_bytes(record[8:12], "little") and record[12:] == b"\x02\x01"
        record[13] = schema
        record[8:12] = crc32c(record[:8] + record[12:]).to_bytes(4, "little")
        data = data[:at + 6] + bytes(record) + data[at + 20:]
        at = data.find(b"schemaUp", at + 1)
        places += 1
    assert places
    book.write_bytes(data)


@pytest.mark.parametrize("book", ["state", "inbox"])
@pytest.mark.parametrize("old", STORES[-1:], indirect=True)
def test_a_newer_store_is_refused_in_words_and_left_as_it_is(site, old, book, lighttpd, target, catcher):
    site.configure(old_store.configuration(target.url, catcher.url))
    data = site.store / book / "data.mdb"
    write_schema(data, 9)
    before = hashlib.sha256(data.read_bytes()).digest()
    for command in ("run", "status", "doctor"):
        done = site.prober(command)
        if book == "state" or command == "doctor":
            assert done.returncode != 0 and "newer version of Upbeat (schema 9, we know 1)" in done.stdout + done.stderr, done
    answer = fetch(lighttpd.url + "/", headers={"Accept": "text/html"})
    if book == "state":
        assert answer.status == 503 and answer.headers["Retry-After"]
    assert lighttpd.get("/healthz").status == 503
    assert lighttpd.beat("job", old_store.SECRET).status == 503  # never a 200 for what is not stored
    site.a_pass()
    assert hashlib.sha256(data.read_bytes()).digest() == before
    assert not list(site.store.glob("*.damaged-*")), "a newer book is not a damaged one"
