# SPDX-License-Identifier: ISC
"""Targets that do everything wrong: the look ends in time, with bounded memory, and names what was wrong.

Each row is a class of hostile.py, what a monitor of it asks for beside its URL, and what is found: the outcome and
a pattern that the cause matches. What cannot be known is unknown; what answers well enough is up."""
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import pytest

from upbeat import PROBER, SANITIZED, Site, wait_for

HERE = pathlib.Path(__file__).resolve().parent
TIMEOUT_S = 2
PEAK_MIB = 160 if SANITIZED else 32  # the sanitizers' own shadow comes on top
KEYWORD = {"type": "keyword", "keyword": "Add to cart"}
UP, DOWN, UNKNOWN = "up", "down", "unknown"
NOT_HTTP = r"not a(n| proper) HTTP answer"
TIMED_OUT = r"timed out after 2 s"

# class (and a variant behind a blank): what is asked beside the URL, outcome, cause
HTTP = {
    "ok": ({}, UP, ""),
    "reset-request": ({}, DOWN, "connection reset"),
    "reset-headers": ({}, DOWN, "connection reset"),
    "reset-body": ({}, DOWN, "connection reset"),
    "nothing": ({}, DOWN, "closed the connection without an answer"),
    "silence": ({}, DOWN, f"{TIMED_OUT} waiting for the answer"),
    "slow-header": ({}, DOWN, TIMED_OUT),
    "drip": ({}, DOWN, f"{TIMED_OUT} reading the answer"),
    "endless": ({}, UP, ""),
    "endless keyword": (KEYWORD, DOWN, 'keyword "Add to cart" is not in the first 64 KiB'),
    "endless-chunked": ({}, UP, ""),
    "endless-chunked keyword": (KEYWORD, DOWN, "not in the first 64 KiB"),
    "endless-continue": ({}, DOWN, "headers without end"),
    "endless-headers": ({}, DOWN, "headers without end"),
    "header-of-a-mebibyte": ({}, DOWN, "headers without end"),
    "gzip-bomb": ({}, UP, ""),
    "gzip-bomb keyword": (KEYWORD, DOWN, r"not in the answer, which came compressed \(gzip\)"),
    "gzip-garbage": ({}, UP, ""),
    "length-too-long": ({}, DOWN, "the answer was cut off"),
    "length-too-short": ({}, UP, ""),
    "length-negative": ({}, DOWN, NOT_HTTP),
    "length-twice": ({}, DOWN, "the answer was cut off"),
    "http-0.9": ({}, DOWN, NOT_HTTP),
    "http-9.9": ({}, DOWN, NOT_HTTP),
    "status-000": ({}, DOWN, f"{NOT_HTTP}|HTTP 0"),
    "status-999": ({}, DOWN, "HTTP 999"),
    "status-2OO": ({}, DOWN, NOT_HTTP),
    "nul-in-header": ({}, DOWN, NOT_HTTP),
    "cr-only": ({}, DOWN, f"{NOT_HTTP}|without an answer"),
    "redirect-loop": ({}, DOWN, "more than 5 redirects"),
    "redirect-to-file": ({}, DOWN, "redirected to something other than http"),
    "redirect-to-gopher": ({}, DOWN, "redirected to something other than http"),
    "redirect-to-private": ({}, DOWN, "redirected from a public to a private address"),
    "redirect-to-mapped": ({}, DOWN, "redirected from a public to a private address"),
    "redirect-to-metadata": ({}, DOWN, "redirected from a public to a private address"),
    **{f"redirect-to-lie{kind}": ({}, DOWN, "redirected from a public to a private address") for kind in (
        "", "-v6", "-mapped", "-zero", "-metadata", "-too")},
    "redirect-long": ({}, DOWN, "redirected to a URL that is too long"),
    "redirect-ok": ({}, UP, ""),
    "cookies": ({}, UP, ""),
    "body-in-204": ({}, UP, ""),
    "half-closed": ({}, UP, ""),
    "ssh": ({}, DOWN, NOT_HTTP),
    "smtp": ({}, DOWN, NOT_HTTP),
    "keyword-split": (KEYWORD, UP, ""),
    "keyword-at-the-end": (KEYWORD, UP, ""),
    "keyword-too-late": (KEYWORD, DOWN, "not in the first 64 KiB"),
}
# class: outcome, cause
TLS = {
    "good": (UP, ""),
    "expired": (DOWN, "certificate expired 2 days ago"),
    "future": (DOWN, "certificate is not valid yet"),
    "wrong-host": (DOWN, "certificate is for another host name"),
    "nul": (DOWN, "certificate is for another host name"),
    "sha1": (DOWN, "certificate is signed by an outdated method"),
    "short-key": (DOWN, "certificate has too short a key"),
    "unknown-ca": (DOWN, "certificate is signed by an unknown authority"),
    "self-signed": (DOWN, "certificate is self-signed"),
    "chain-of-100": (UP, ""),
    "chain-too-long": (DOWN, "TLS handshake failed: its certificates are too long"),
    "tls-1.0": (DOWN, "TLS handshake failed: it speaks only (outdated|other) versions of TLS"),
    "by-name": (UP, ""),
    "http-2": (DOWN, NOT_HTTP),
    "plain": (DOWN, "TLS handshake failed: it does not speak TLS there"),
    "silent": (DOWN, TIMED_OUT),
    **{f"stall-{n}": (DOWN, TIMED_OUT) for n in (1, 5, 90, 300, 600)},
}
# class: outcome and cause of http by that name, and of the type dns
DNS = {
    "good": ((UP, ""), (UP, "")),
    "nx": ((DOWN, "no such host"), (DOWN, "no such name")),
    "servfail": ((DOWN, "DNS server failure"), (DOWN, "DNS server failure")),
    "refused": ((UNKNOWN, "our DNS resolver refuses"), (UNKNOWN, "our DNS resolvers refuse")),
    "mute": ((DOWN, "DNS does not answer"), (DOWN, "the name's DNS servers do not answer")),
    "wrong-id": ((DOWN, "DNS does not answer"), (DOWN, "the name's DNS servers do not answer")),
    "truncated": ((UNKNOWN, "our DNS resolver cannot be asked"), (UNKNOWN, "our DNS resolvers cannot be reached")),
    "cname-loop": ((DOWN, "no such host"), (DOWN, "there is no A record")),
    "cname-chain": ((DOWN, "no such host"), (DOWN, "there is no A record")),
    "many": ((UP, ""), (UP, "")),
    "zero": ((UP, ""), (UP, "")),
    "v6-only": ((UNKNOWN, "this machine has no route to IPv6"), (DOWN, "there is no A record")),
    "garbled": ((DOWN, "DNS|no such host"), (DOWN, "garbled|no A record")),
    "bad-pointer": ((DOWN, "DNS|no such host"), (DOWN, "garbled|no A record")),
    "long-data": ((DOWN, "DNS|no such host"), (DOWN, "garbled|no A record")),
}


class Hostile:
    """The servers, in their own network, and how to run something there."""

    def __init__(self, folder):
        self.folder = folder
        unshare = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
        self.process = subprocess.Popen([*unshare, sys.executable, "-B", "-W", "ignore", HERE / "hostile.py", folder],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line, "hostile.py did not start"
        self.__dict__.update(json.loads(line))

    def enter(self):
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", str(self.pid), "--net", *user, "--"]

    def environment(self, site):
        return {"SSL_CERT_FILE": str(self.folder / "ca.pem"), "UPBEAT_DNS": f"127.0.0.1:{self.dns}", **site.environment()}

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    if subprocess.run(["unshare", "-n" if os.geteuid() == 0 else "-rn", "true"], capture_output=True).returncode:
        pytest.skip("no network namespaces here")
    it = Hostile(tmp_path_factory.mktemp("hostile"))
    yield it
    it.close()


def monitors_of(hostile):
    """All classes as monitors, and what each must come to: {slug: (outcome, cause)}."""
    monitors, expected = {}, {}

    def add(slug, monitor, outcome, cause):
        monitors[slug] = {"timeout": f"{TIMEOUT_S}s", **monitor}
        expected[slug] = (outcome, cause)

    add("refused", {"type": "http", "url": "http://127.0.0.1:1/"}, DOWN, "connection refused")
    add("reset", {"type": "http", "url": f"http://127.0.0.1:{hostile.reset}/"}, DOWN, "connection reset|without an answer")
    for name, (more, outcome, cause) in HTTP.items():
        host = "public.example.com" if name.startswith("redirect") else "127.0.0.1"
        url = f"http://{host}:{hostile.http}/{name.split()[0]}"
        add("http-" + name.replace(" ", "-").lower(), {"type": "http", "url": url, **more}, outcome, cause)
    add("http-rebound", {"type": "http", "url": f"http://rebind{time.time_ns()}.example.com:{hostile.http}/redirect-ok"},
        DOWN, "redirected from a public to a private address")
    for name, (outcome, cause) in TLS.items():
        port = hostile.tls[name]
        add(f"https-{name}", {"type": "http", "url": f"https://localhost:{port}/ok"}, outcome, cause)
        if name != "http-2":
            add(f"tls-{name}", {"type": "tls", "host": "localhost", "port": port}, outcome, cause)
    for name, (by_http, by_dns) in DNS.items():
        add(f"named-{name}", {"type": "http", "url": f"http://{name}.example.com:{hostile.http}/ok"}, *by_http)
        add(f"dns-{name}", {"type": "dns", "name": f"{name}.example.com"}, *by_dns)
    return monitors, expected


def differences(expected, found):
    """What was found otherwise than expected: {slug: (outcome, cause)} both."""
    return [f"{slug}: {found.get(slug)}, not {wanted}" for slug, wanted in expected.items()
            if slug not in found or found[slug][0] != wanted[0] or not re.search(wanted[1], found[slug][1])
            or (wanted[1] == "" and found[slug][1])]


def peak_memory(pid):
    """MiB so far. (What wait4() tells counts from before the exec, when the process was a copy of ours.)"""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    match = re.search(rf"^Name:\s+{PROBER.name}$.*^VmHWM:\s+(\d+) kB", status, re.M | re.S)
    return int(match[1]) / 1024 if match else 0


def run(hostile, site, *command):
    """Runs the prober in that network: its output, how long it took, and its peak memory in MiB."""
    begun, peak = time.monotonic(), 0
    with open(site.folder / "out.log", "w+") as log:
        process = subprocess.Popen([*hostile.enter(), PROBER, "-c", site.config_file, *command], stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log, env=hostile.environment(site))
        while process.poll() is None:
            peak = max(peak, peak_memory(process.pid))
            time.sleep(0.01)
        seconds = time.monotonic() - begun
        log.seek(0)
        return log.read(), seconds, peak


def read_check(out):
    found = {}
    for line in out.splitlines():
        match = re.match(r"(up|down|unknown)\s+(\S+)(?: +[\d.]+ ms)?(?:  (?!\()(.*?))?(?:  \([0-9a-f.:]+\))?$", line)
        assert match, line
        found[match[2]] = (match[1], match[3] or "")
    return found


def test_each_class_is_named_in_time_and_in_little_memory(hostile, tmp_path):
    site = Site(tmp_path)
    monitors, expected = monitors_of(hostile)
    site.configure({"defaults": {"notify": []}, "monitors": monitors})
    out, seconds, peak = run(hostile, site, "check")
    wrong = differences(expected, read_check(out))
    assert not wrong, "\n".join(wrong)
    assert seconds < 3 * TIMEOUT_S + 2, "50 at a time, those that hang each in its own time"
    assert 0 < peak < PEAK_MIB


def test_a_pass_among_them_decides_them_all_in_its_minute(hostile, open_folder):
    site = Site(open_folder)
    monitors, expected = monitors_of(hostile)
    for all_of_it in (monitors, expected):  # a busy machine looks twice, and then it is private from the beginning
        del all_of_it["http-rebound"]
    site.configure({"defaults": {"notify": [], "confirm": 1, "confirm_waits": ["1s"], "interval": "10m"},
                    "witnesses": [f"127.0.0.1:{hostile.http}"], "monitors": monitors})
    wait_for(lambda: time.time() % 60 < 45, 20)  # a pass that begins late leaves the rest to the next
    _, seconds, peak = run(hostile, site, "run")
    assert seconds < 15 + TIMEOUT_S
    assert 0 < peak < PEAK_MIB
    states = {m["slug"]: (m["state"], m["cause"] or "") for m in site.status()["monitors"]}
    wrong = differences(expected, states)
    assert not wrong, "\n".join(wrong)


def test_a_mute_resolver_is_our_own_fault(hostile, tmp_path):
    """Nothing but names that nobody answers for: nothing is known, within the deadline."""
    site = Site(tmp_path)
    site.env["UPBEAT_DNS"] = f"127.0.0.1:{hostile.mute}"
    names = [f"n{i}.example.com" for i in range(60)]
    site.configure({"defaults": {"timeout": f"{TIMEOUT_S}s", "notify": []}, "monitors": {
        f"m{i}": {"type": "http", "url": f"http://{name}/"} for i, name in enumerate(names)}})
    out, seconds, _ = run(hostile, site, "check")
    assert {outcome for outcome, _ in read_check(out).values()} == {UNKNOWN}, out
    assert seconds < 2 * TIMEOUT_S + 2


@pytest.mark.parametrize("descriptors", [24, 40])
def test_few_descriptors_make_no_false_alarm(hostile, tmp_path, descriptors):
    site = Site(tmp_path)
    site.configure({"defaults": {"timeout": "5s", "notify": []}, "monitors": {
        f"m{i}": {"type": ("http", "port", "ping")[i % 3], **(
            {"url": f"http://127.0.0.1:{hostile.http}/ok"}, {"host": "127.0.0.1", "port": hostile.http},
            {"host": "127.0.0.1"})[i % 3]} for i in range(90)}})
    done = subprocess.run([*hostile.enter(), "sh", "-c", f"ulimit -n {descriptors}; exec \"$@\"", "sh", PROBER, "-c",
                           site.config_file, "check"], capture_output=True, text=True, env=hostile.environment(site),
                          timeout=60)
    found = read_check(done.stdout)
    assert len(found) == 90, done
    assert DOWN not in {outcome for outcome, _ in found.values()}, done.stdout
    assert UP in {outcome for outcome, _ in found.values()}, done.stdout
