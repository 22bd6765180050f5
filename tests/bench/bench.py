#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""bench.py [TABLE...]: how fast Upbeat is, as ratios against yardsticks that are built and run here, in turn
with it, so that a machine that is slow today is slow for both. Medians of interleaved runs; no verdict.

A table is a function below; each prints rows of: what, figure, yardstick, ratio, goal.
"""
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
import upbeat  # noqa: E402

HERE = ROOT / "tests/bench"
BUILD = upbeat.BUILD / "bench"
SECRET = "the bench's secret"
CLIENTS, SECONDS, RUNS = 16, 2, int(os.environ.get("RUNS", 5))


def build(name, *libs, common=False):
    """Compiles tests/bench/NAME.c; yardsticks are plain -O2, dynamic, as anybody would build them."""
    BUILD.mkdir(parents=True, exist_ok=True)
    out = BUILD / name
    command = ["cc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-pthread", f"-I{ROOT}/common", "-o", out, HERE / f"{name}.c"]
    command += [upbeat.BUILD / "libcommon.a"] if common else []
    subprocess.run([*command, *libs], check=True)
    return out


def row(what, figure, yardstick, ratio, goal):
    print(f"  {what:46} {figure:>14} {yardstick:>14} {ratio:>8.2f}   {goal}", flush=True)


def load(port, *what):
    out = subprocess.run([BUILD / "load", str(port), str(CLIENTS), str(SECONDS), *what], check=True,
                         capture_output=True, text=True).stdout.split()
    good, bad, seconds, p50, p99 = int(out[0]), int(out[1]), *map(float, out[2:])
    assert bad == 0 or good == 0, f"{bad} of {good + bad} answers were not as expected"
    return good / seconds, p99


class Yardstick(upbeat.Lighttpd):
    """The hello-world behind the same lighttpd configuration."""

    def __init__(self, site, program, **options):
        self.program = program
        super().__init__(site, **options)

    def secret_files(self):
        super().secret_files()
        (self.cgi / "upbeat.fcgi").unlink()
        (self.cgi / "upbeat.fcgi").write_bytes(self.program.read_bytes())
        (self.cgi / "upbeat.fcgi").chmod(0o755)


def a_site(folder, monitors, **more):
    folder.mkdir()
    site = upbeat.Site(folder)
    site.configure({"defaults": {"notify": []}, "monitors": monitors, **more})
    site.a_pass(check=True)
    return site


def heartbeats(n):
    return {f"robot{i}": {"type": "heartbeat", "secret": f"{SECRET} {i}", "max_age": "1h"} for i in range(n)}


def beats(folder):
    """GET and POST beat through lighttpd + FastCGI against a libfcgi hello-world behind the same lighttpd."""
    build("load", "-lcrypto", common=True)
    hello = build("hello_fcgi", "-lfcgi")
    (folder / "hello").mkdir()
    site, other = a_site(folder / "upbeat", heartbeats(CLIENTS)), upbeat.Site(folder / "hello")
    try:
        front, yard = upbeat.Lighttpd(site), Yardstick(other, hello)
        for i in range(CLIENTS):
            assert front.beat(f"robot{i}", f"{SECRET} {i}").status == 200
        figures = {"get": [], "post": [], "forge": [], "hello": []}
        for _ in range(RUNS):
            figures["hello"].append(load(yard.port, "get", "/upbeat/"))
            figures["get"].append(load(front.port, "get", "/upbeat/beat/robot%d"))
            figures["post"].append(load(front.port, "beat", "/upbeat/beat/robot%d", SECRET))
            figures["forge"].append(load(front.port, "forge", "/upbeat/beat/robot%d", "wrong"))
    finally:
        site.close()
        other.close()
    median = {k: statistics.median(r for r, _ in v) for k, v in figures.items()}
    for key, what, goal in (("get", "GET beat, requests/s", ">= 0.85"), ("post", "POST beat, synced, requests/s", ">= 0.40"),
                            ("forge", "POST beat, wrong signature, requests/s", "")):
        row(what, f"{median[key]:.0f}", f"{median['hello']:.0f}", median[key] / median["hello"], goal)


def timed(command, env, stdin=b"", times=200):
    """Wall microseconds of one exec, the median of many."""
    lengths = []
    for _ in range(times):
        begun = time.perf_counter()
        subprocess.run(command, env=env, input=stdin, stdout=subprocess.DEVNULL, check=True)
        lengths.append(time.perf_counter() - begun)
    return statistics.median(lengths) * 1e6


def cgi(folder):
    """Plain CGI, one exec, against a dynamic C hello-world CGI."""
    spawn, hello = build("spawn"), build("hello_cgi")
    site = a_site(folder / "upbeat", {"robot": {"type": "heartbeat", "secret": SECRET, "max_age": "1h"}})
    env = {"UPBEAT_STORE": str(site.store), "REQUEST_METHOD": "GET", "REQUEST_URI": "/beat/robot", "PATH": "/usr/bin:/bin",
           "SCRIPT_NAME": "", "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1"}

    def one(program):
        return float(subprocess.run([spawn, "300", program], env=env, check=True, capture_output=True, text=True).stdout)

    ours, theirs = [], []
    for _ in range(RUNS):
        ours.append(one(upbeat.PROGRAM))
        theirs.append(one(hello))
    a, b = statistics.median(ours), statistics.median(theirs)
    row("GET beat, microseconds each exec", f"{a:.0f}", f"{b:.0f}", a / b, "<= 1.20")


def idle_pass(folder):
    """A pass with nothing due, with 10 and with 10,000 monitors configured."""
    def site_of(n):
        monitors = {f"m{i}": {"type": "heartbeat", "secret": f"s{i}", "max_age": "1d", "interval": "1d"} for i in range(n)}
        site = a_site(folder / f"of{n}", monitors)
        site.a_pass(check=True)
        return site

    few, many, lengths = site_of(10), site_of(10000), {10: [], 10000: []}
    for _ in range(RUNS * 4):
        for n, site in ((10, few), (10000, many)):
            begun = time.perf_counter()
            site.a_pass(check=True)
            lengths[n].append((time.perf_counter() - begun) * 1e3)
    a, b = statistics.median(lengths[10000]), statistics.median(lengths[10])
    row("pass with nothing due, ms: 10,000 against 10", f"{a:.1f}", f"{b:.1f}", a / b, "<= 15 ms both")


def seeded(folder, kind):
    """A store as the unit tests fill it: "many" is 10,000 monitors, "plain" a dozen with a year of history."""
    program = upbeat.BUILD / "unit/web/main_seed"
    subprocess.run(["make", "-s", "-C", ROOT, f"BUILD={upbeat.BUILD}", program], check=True, capture_output=True)
    folder.mkdir()
    subprocess.run([program, folder, kind], check=True)
    return folder


def cpu_ms(store, path, times=20):
    """CPU of one plain CGI request, start-up and all: the most that a page can cost."""
    env = {"UPBEAT_STORE": str(store), "REQUEST_METHOD": "GET", "REQUEST_URI": path, "SCRIPT_NAME": "",
           "GATEWAY_INTERFACE": "CGI/1.1", "HTTP_ACCEPT": "text/html", "HTTP_X_API_KEY": "read-key-0123456789"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(times):
        subprocess.run([upbeat.PROGRAM], env=env, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000 / times


def pages(folder):
    """What people look at: throughput of a dashboard, and CPU of pages in plain CGI."""
    build("load", "-lcrypto", common=True)
    hello = build("hello_fcgi", "-lfcgi")
    (folder / "hello").mkdir()
    site, other = a_site(folder / "upbeat", heartbeats(50), anonymous="all"), upbeat.Site(folder / "hello")
    try:
        front = upbeat.Lighttpd(site)
        size = len(front.get("/", Accept="text/html").body)
        other.env["HELLO_BYTES"] = str(size)
        yard = Yardstick(other, hello)
        ours, theirs = [], []
        for _ in range(RUNS):
            theirs.append(load(yard.port, "get", "/upbeat/")[0])
            ours.append(load(front.port, "get", "/upbeat/")[0])
        few = cpu_ms(site.store, "/")
    finally:
        site.close()
        other.close()
    a, b = statistics.median(ours), statistics.median(theirs)
    row(f"dashboard of 50, {size // 1024} KiB, requests/s", f"{a:.0f}", f"{b:.0f}", a / b, ">= 0.50")
    many, plain = seeded(folder / "many", "many"), seeded(folder / "plain", "plain")
    for what, store, path, goal in (("dashboard of 10,000 against 50, ms of CPU", many, "/", "<= 20 ms more"),
                                    ("/metrics of 10,000, ms of CPU", many, "/metrics", "< 100 ms"),
                                    ("a monitor with one year, ms of CPU", plain, "/m/shop?span=1y", "< 10 ms")):
        cost = cpu_ms(store, path)
        row(what, f"{cost:.1f}", f"{few:.1f}", cost / few, goal)


TABLES = {"beats": beats, "cgi": cgi, "idle_pass": idle_pass, "pages": pages}


def main():
    wanted = sys.argv[1:] or list(TABLES)
    print(f"  {'':46} {'upbeat':>14} {'yardstick':>14} {'ratio':>8}   goal")
    with tempfile.TemporaryDirectory(prefix="upbeat-bench-", ignore_cleanup_errors=True) as name:
        pathlib.Path(name).chmod(0o755)
        for table in wanted:
            print(f"{table}: {TABLES[table].__doc__.splitlines()[0]}")
            folder = pathlib.Path(name) / table
            folder.mkdir()
            TABLES[table](folder)


main()
