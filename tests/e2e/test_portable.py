# SPDX-License-Identifier: ISC
"""make portable: one folder that runs where there is no root, no package and no environment: as another user, with
little memory, from a path with blanks. In a whole minimal system it is tried by tests/extra/test_minimal_debian.py."""
import hashlib
import json
import os
import re
import subprocess
import tarfile
import time

import pytest

from portable import NOBODY, as_account, make_portable, pack_again, unpack
from upbeat import AS_ROOT, BUILD, ROOT, sign


@pytest.fixture
def account(open_folder):
    """A home directory with blanks in its name, and the unpacked folder in it."""
    home = open_folder / "home of the account"
    home.mkdir()
    top = unpack(make_portable(), home).rename(home / "my upbeat")
    if AS_ROOT:
        for path in (home, top, *top.rglob("*")):
            os.lchown(path, NOBODY, NOBODY)
    return top


def prober(account, *arguments):
    return as_account(account / "bin/upbeat-prober", *arguments)


def request(folder, path, body=b"", **headers):
    """One plain CGI request to the web program in `folder`, as Apache asks after a rewrite; (status, body)."""
    env = {"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_METHOD": "POST" if body else "GET",
           "REQUEST_URI": "/upbeat" + path, "SCRIPT_NAME": "/upbeat/upbeat.fcgi", "PATH_INFO": path,
           "CONTENT_LENGTH": str(len(body)), "SERVER_NAME": "example.com", **headers}
    done = as_account(folder / "upbeat.fcgi", env=env, input=body)
    head, _, rest = done.stdout.partition(b"\r\n\r\n")
    assert head.startswith(b"Status: "), done
    return int(head.split()[1]), rest


def test_an_account_is_all_it_takes(account, target, catcher):
    public = account.parent / "public html"
    said = prober(account, "init", public)
    assert said.returncode == 0, said.stderr
    assert sorted(p.name for p in public.iterdir()) == [".htaccess", "upbeat.fcgi", "upbeat.store"]
    assert "/home/me" not in re.sub(r"(?m)^#.*", "", (public / ".htaccess").read_text())
    line = re.search(r"^ *(\* \* \* \* \* .*)$", said.stdout.decode(), re.M)[1]
    assert request(public, "/healthz")[0] == 503  # no pass yet

    secret = "a secret of these tests"
    (account / "upbeat.json").write_text(json.dumps({
        "store": "store", "self_check": False, "channels": {"hook": {"type": "webhook", "url": catcher.url, "secret": "x"}},
        "defaults": {"notify": ["hook"], "interval": "5m", "confirm_waits": ["0s", "0s"]},
        "monitors": {"shop": {"type": "http", "url": target.url, "public": True},
                     "job": {"type": "heartbeat", "secret": secret, "max_age": "5m"}}}))
    target.status = 500
    # The very line for cron, run as cron does, with its asterisks taken off.
    passed = as_account("/bin/sh", "-c", line.split(maxsplit=5)[5], env={"UPBEAT_TESTING": "1"})
    assert (passed.returncode, passed.stdout, passed.stderr) == (0, b"", b"")
    assert [json.loads(r.body)["event"] for r in catcher.received] == ["down"]

    assert request(public, "/healthz")[0] == 200
    assert request(public, "/up/shop")[0] == 503
    beat = json.dumps({"time": time.time()}).encode()
    signature = sign(secret, beat)
    assert request(public, "/beat/job", beat, HTTP_X_HUB_SIGNATURE_256=signature)[0] == 200
    assert request(public, "/beat/job")[0] == 200
    status, page = request(public, "/", HTTP_ACCEPT="text/html")
    assert status == 200 and b"shop" in page
    doctor = prober(account, "doctor")
    assert doctor.returncode == 0, doctor.stdout


def test_it_may_be_moved_and_unpacked_anew(account):
    public = account.parent / "www"
    assert prober(account, "init", public).returncode == 0
    config = (account / "upbeat.json").read_text()
    (public / ".htaccess").write_text("# mine\n")
    moved = account.rename(account.parent / "elsewhere")
    assert prober(moved, "check", "my-program").returncode in (0, 1)
    unpack(make_portable(), account.parent / "new", NOBODY)
    subprocess.run(["cp", "-a", "--remove-destination", *(account.parent / "new").glob("*/*"), moved], check=True)
    again = prober(moved, "init", public)
    assert again.returncode == 0 and b"stays as it is" in again.stdout
    assert (moved / "upbeat.json").read_text() == config and (public / ".htaccess").read_text() == "# mine\n"
    assert (public / "upbeat.store").read_text().strip() == str(moved / "store")


@pytest.mark.parametrize("name", ["50% off", "it's 100%", "a (b) & c"])
def test_what_init_prints_can_be_copied_whatever_the_folder_is_called(account, name):
    """The crontab line as cron takes it, its \\% a %; the other commands as a shell does."""
    moved = account.rename(account.parent / name)
    said = prober(moved, "init").stdout.decode()
    (moved / "upbeat.json").write_text('{ "store": "store", "monitors": {} }')
    line = re.search(r"^ *\* \* \* \* \* (.*)$", said, re.M)[1]
    assert not re.search(r"(?<!\\)%", line)
    config = re.search(r"^ *(\S.* config)$", said, re.M)[1]
    for command in (line.replace("\\%", "%"), config):
        done = as_account("/bin/sh", "-c", command, env={"UPBEAT_TESTING": "1"})
        assert done.returncode == 0, done


@pytest.mark.parametrize("folder", [".", "..", "store"])
def test_books_and_secrets_are_not_put_where_they_would_be_served(account, folder):
    (account / "store").mkdir()
    os.chown(account / "store", *((NOBODY, NOBODY) if AS_ROOT else (-1, -1)))
    done = prober(account, "init", account / folder)
    assert done.returncode == 1 and b"outside the document root" in done.stderr
    assert not (account / folder / "upbeat.fcgi").exists()


def test_the_same_sources_give_the_same_bytes_and_name_no_folder_of_the_builder(tmp_path):
    tarball = make_portable()
    with tarfile.open(tarball) as tar:
        members = tar.getmembers()
        epoch = members[0].mtime
        assert {(m.mtime, m.uid, m.gid) for m in members} == {(epoch, 0, 0)}
        assert [m.name for m in members] == sorted((m.name for m in members), key=lambda n: n.split("/"))
        for m in filter(lambda m: m.isfile(), members):
            content = tar.extractfile(m).read()
            for path in (ROOT, BUILD):
                assert str(path).encode() not in content, m.name
    again = pack_again(tmp_path / "elsewhere", epoch)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(tarball.read_bytes()).digest()


def test_all_but_libc_is_within(account):
    needed = subprocess.run(["ldd", account / "bin/upbeat-prober"], capture_output=True, text=True, check=True).stdout
    outside = [name for name, path in re.findall(r"(\S+) => (\S.*) \(0x", needed) if not path.startswith(str(account))]
    assert all(re.fullmatch(r"lib(c|m|dl|rt|pthread|resolv)\.so\.\d+", name) for name in outside), outside
    licences = {p.name for p in (account / "doc/licenses").iterdir()}
    assert {"libcurl4", "libssl3", "libcjson1", "liblmdb0", "libc6-dev", "PACKAGES"} <= licences
    steps = (account / "INSTALL").read_text().splitlines()
    assert len(steps) == 10 and not any("@" in line for line in steps)
