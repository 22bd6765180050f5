#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""bench.py [TABLE...]: how fast Upbeat is, as ratios against yardsticks that are built and run here, in turn
with it, so that a machine that is slow today is slow for both. Medians of interleaved runs; no verdict.

A table is a function below; each prints rows of: what, figure, yardstick, ratio, goal. One alone:
`make bench T=http`; more runs for steadier medians: `RUNS=15 make bench T=http`. On a machine that does other
things as well, rows of CPU and ratios mean more than rows of seconds.
"""
import os
import pathlib
import re
import resource
import shutil
import socket
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


def load(port, *what, clients=CLIENTS, rate=0):
    """Answers a second and their p99 in microseconds."""
    out = subprocess.run([BUILD / "load", str(port), str(clients), str(SECONDS), *what], check=True,
                         env={"RATE": str(rate)}, capture_output=True, text=True).stdout.split()
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


def fresh_beats(front):
    for i in range(CLIENTS):
        assert front.beat(f"robot{i}", f"{SECRET} {i}").status == 200


def pss_kib(front):
    """Of the FastCGI process behind this lighttpd."""
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "exe").startswith(str(front.cgi)):
                return int(re.search(r"^Pss:\s+(\d+)", (process / "smaps_rollup").read_text(), re.M)[1])
        except OSError:
            pass  # it ended meanwhile
    raise AssertionError("no FastCGI process runs")


def beats(folder):
    """GET and POST beat through lighttpd + FastCGI against a libfcgi hello-world behind the same lighttpd."""
    build("load", "-lcrypto", common=True)
    hello = build("hello_fcgi", "-lfcgi")
    (folder / "hello").mkdir()
    site, other = a_site(folder / "upbeat", heartbeats(CLIENTS)), upbeat.Site(folder / "hello")
    try:
        front, yard = upbeat.Lighttpd(site), Yardstick(other, hello)
        fresh_beats(front)
        figures = {"get": [], "post": [], "forge": [], "hello": []}
        for _ in range(RUNS):
            figures["hello"].append(load(yard.port, "get", "/upbeat/"))
            figures["get"].append(load(front.port, "get", "/upbeat/beat/robot%d"))
            figures["post"].append(load(front.port, "beat", "/upbeat/beat/robot%d", SECRET))
            figures["forge"].append(load(front.port, "forge", "/upbeat/beat/robot%d", "wrong"))
        time.sleep(25)  # spare threads end when nothing came for 20 s
        pss = pss_kib(front)
    finally:
        site.close()
        other.close()
    median = {k: statistics.median(r for r, _ in v) for k, v in figures.items()}
    for key, what, goal in (("get", "GET beat, requests/s", ">= 0.85"), ("post", "POST beat, synced, requests/s", ">= 0.40"),
                            ("forge", "POST beat, wrong signature, requests/s", "")):
        row(what, f"{median[key]:.0f}", f"{median['hello']:.0f}", median[key] / median["hello"], goal)
    row("the FastCGI process idle after all this, PSS KiB", f"{pss}", "1024", pss / 1024, "<= 1")


def forgeries(folder):
    """The p99 of good beats while somebody sends 10,000 badly signed ones a second."""
    build("load", "-lcrypto", common=True)
    site = a_site(folder / "upbeat", heartbeats(CLIENTS))
    alone, beside, rates = [], [], []
    try:
        front = upbeat.Lighttpd(site)
        fresh_beats(front)
        for _ in range(RUNS):
            alone.append(load(front.port, "beat", "/upbeat/beat/robot%d", SECRET, clients=4, rate=200)[1])
            attack = subprocess.Popen([BUILD / "load", str(front.port), "32", str(SECONDS + 1), "forge", "/upbeat/beat/robot0",
                                       "wrong"], env={"RATE": "10000"}, stdout=subprocess.PIPE, text=True)
            time.sleep(0.5)
            beside.append(load(front.port, "beat", "/upbeat/beat/robot%d", SECRET, clients=4, rate=200)[1])
            good, bad, seconds = attack.communicate()[0].split()[:3]
            rates.append(int(good) / float(seconds))
    finally:
        site.close()
    a, b = statistics.median(beside), statistics.median(alone)
    row(f"p99 of good beats beside {statistics.median(rates):.0f} bad ones/s, us", f"{a}", f"{b}", a / b, "< 2")


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

    # Copied as `make install` does: what a linker has written lies in the page cache in small pieces, and costs more.
    ours_installed, hello_installed = (shutil.copy2(program, folder / pathlib.Path(program).name) for program in (upbeat.PROGRAM, hello))

    def one(program):
        return float(subprocess.run([spawn, "300", program], env=env, check=True, capture_output=True, text=True).stdout)

    ours, theirs = [], []
    for _ in range(RUNS):
        ours.append(one(ours_installed))
        theirs.append(one(hello_installed))
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
    time.sleep(3)  # a file that was written just now is read again by each pass, until its time can tell changes
    for site in (few, many):
        site.a_pass(check=True)
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


# ---- looks by the thousand


def address(i):
    return f"127.0.{i // 250}.{i % 250 + 1}"


class Target:
    """nginx with two workers, one small page with the word that is looked for, on every address of 127/8."""

    def __init__(self, folder, tls_addresses=0):
        folder.mkdir()
        self.port, self.processes = upbeat.free_port(), []
        self.bundle = folder / "bundle.pem"
        tls = self.certificate(folder, tls_addresses) if tls_addresses else ""
        (folder / "www").mkdir()
        (folder / "www/index.html").write_text("<title>bench</title><p>the page is alive</p>\n")
        (folder / "nginx.conf").write_text(
            f"daemon off;\nworker_processes 2;\npid {folder}/pid;\nerror_log /dev/null;\nevents {{ worker_connections 4096; }}\n"
            f"http {{\naccess_log off;\n" + "".join(f"{t}_temp_path {folder}/{t};\n" for t in (
                "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            + f"server {{\nlisten {self.port} backlog=4096{' ssl' if tls else ''};\n{tls}root {folder}/www;\n}}\n}}\n")
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-c", folder / "nginx.conf", "-e", "/dev/null"])
        upbeat.wait_for(lambda: upbeat.listening(self.port))

    def certificate(self, folder, n):
        """An authority, a certificate for n addresses, and a bundle as long as a system's."""
        ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        names = ",".join(f"IP:{address(i)}" for i in range(n))
        for command in ([*ec, "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=bench"],
                        [*ec, "-x509", "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost", "-addext",
                         f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem",
                         "-CAkey", "ca.key"]):
            subprocess.run(["openssl", "req", *command], cwd=folder, check=True, capture_output=True)
        system = pathlib.Path("/etc/ssl/certs/ca-certificates.crt").read_text()
        self.bundle.write_text(system + (folder / "ca.pem").read_text())
        return f"ssl_certificate {folder}/cert.pem;\nssl_certificate_key {folder}/key.pem;\nssl_session_cache off;\n"

    def close(self):
        self.process.terminate()
        self.process.wait()


def spent(command, env=None):
    """Runs it: wall seconds, CPU seconds, what it printed."""
    begun = time.perf_counter()
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, out.decode()


class Passes:
    """A site whose passes are each in a minute of their own, so that every monitor is due in each."""

    def __init__(self, folder, monitors, **config):
        folder.mkdir()
        self.site = upbeat.Site(folder)
        self.site.configure({"defaults": {"notify": [], "interval": "1m"}, "monitors": monitors, **config})
        self.minute = 0
        self.n = len(monitors)

    def run(self, due=True):
        """One pass: wall and CPU seconds. With due=False a second one in the same minute, which has nothing to do."""
        if due:
            self.minute += 1
            now = time.time()
            self.site.offset_ms = int(((now // 60 + self.minute) * 60 + 1 - now) * 1000)
        wall, cpu, out = spent([upbeat.PROBER, "-c", self.site.config_file, "run"], self.site.environment())
        assert not out.strip(), out
        return wall, cpu

    def all_up(self):
        states = [m["state"] for m in self.site.status()["monitors"]]
        assert states == ["up"] * self.n, {s: states.count(s) for s in states}


def ratio_rows(what, figures, goal_wall, goal_cpu, n):
    median = {k: statistics.median(v) for k, v in figures.items()}
    row(f"{what}, checks/s, all of the pass", f"{n / median['wall']:.0f}", f"{n / median['raw_wall']:.0f}",
        median["raw_wall"] / median["wall"], goal_wall)
    row(f"{what}, CPU ms per 1,000 checks", f"{median['cpu'] * 1e6 / n:.0f}", f"{median['raw_cpu'] * 1e6 / n:.0f}",
        median["cpu"] / median["raw_cpu"], goal_cpu)


def compare(passes, raw, others=None):
    """Medians of wall and CPU seconds: ours, the yardstick's, and of `others` (name: what runs it and says how
    many looks a second it made), all in turn."""
    figures = {"wall": [], "cpu": [], "raw_wall": [], "raw_cpu": []}
    rates = {name: [] for name in others or {}}
    passes.run()  # publishes the configuration
    for _ in range(RUNS):
        for key, (wall, cpu, *_) in (("raw_", spent(raw)), ("", passes.run())):
            figures[key + "wall"].append(wall)
            figures[key + "cpu"].append(cpu)
        for name in rates:
            rates[name].append(others[name]())
    passes.all_up()
    return figures, {name: statistics.median(rates[name]) for name in rates}


def http(folder):
    """2,000 keyword monitors on 2,000 loopback addresses, against plain sockets and epoll, and other tools."""
    n, raw, target = 2000, build("raw_probe", "-lssl", "-lcrypto"), Target(folder / "target")
    blackbox = None
    try:
        passes = Passes(folder / "site", {f"m{i}": {"type": "keyword", "keyword": "alive",
                                                   "url": f"http://{address(i)}:{target.port}/"} for i in range(n)})
        others = {}
        if XYMONNET.exists():
            others["xymonnet, 200 at a time"] = xymonnet(folder, target, n)
        if CHECK_HTTP.exists():
            others["check_http, 2 at a time"] = check_http(folder, target, 200)
        if BLACKBOX.exists():
            blackbox = Blackbox(folder, target)
            others["blackbox_exporter, 50 callers"] = blackbox.rate
        figures, rates = compare(passes, [raw, target.port, n, 200], others)
        ratio_rows("http", figures, ">= 0.65", "<= 1.80", n)
        ours = n / statistics.median(figures["wall"])
        for name, rate in rates.items():
            row(f"http against {name}, checks/s", f"{ours:.0f}", f"{rate:.0f}", ours / rate, GOALS[name.split(",")[0]])
        for name in GOALS:
            if not any(name in other for other in others):
                print(f"  {name}: not installed")
        commit_row(folder, n, statistics.median(figures["wall"]))
    finally:
        if blackbox:
            blackbox.close()
        target.close()


XYMONNET = pathlib.Path("/usr/lib/xymon/server/bin/xymonnet")
CHECK_HTTP = pathlib.Path("/usr/lib/nagios/plugins/check_http")
BLACKBOX = pathlib.Path("/usr/bin/prometheus-blackbox-exporter")
GOALS = {"xymonnet": ">= 1", "check_http": ">= 15", "blackbox_exporter": ">= 4"}


def xymonnet(folder, target, n):
    """Status and content of the same pages; what it would send to its server goes to a pipe."""
    home = folder / "xymon"
    home.mkdir()
    (home / "hosts.cfg").write_text("".join(
        f"{address(i)} host{i}.example.com # noconn testip cont;http://{address(i)}:{target.port}/;alive\n" for i in range(n)))
    env = {"PATH": "/usr/bin:/bin", "HOSTSCFG": str(home / "hosts.cfg"), "XYMSRV": "127.0.0.1", "XYMONDPORT": "1",
           "XYMONHOME": str(XYMONNET.parents[1]), "CONNTEST": "FALSE", "MACHINE": "bench", "MACHINEDOTS": "bench",
           **{name: str(home) for name in ("XYMONTMP", "XYMONVAR", "XYMONRUN", "XYMONSERVERLOGS")}}

    def rate():
        wall, _, out = spent([XYMONNET, "--noping", "--dns=ip", "--concurrency=200", "--no-update"], env)
        assert out.count("Content OK") == n, out[:1000]
        return n / wall
    return rate


def check_http(folder, target, n):
    """One process for each look, two at a time."""
    (folder / "list").write_text("".join(f"-I {address(i)} -p {target.port} -u / -s alive\n" for i in range(n)))

    def rate():
        wall, _, out = spent(["sh", "-c", f"xargs -P2 -L1 {CHECK_HTTP} < {folder}/list"])
        assert out.count("HTTP OK") == n, out[:1000]
        return n / wall
    return rate


class Blackbox:
    """prometheus-blackbox-exporter, asked by 50 callers at a time."""

    def __init__(self, folder, target):
        self.port, self.target = upbeat.free_port(), target
        build("load", "-lcrypto", common=True)
        config = folder / "blackbox.yml"
        config.write_text("modules:\n  page:\n    prober: http\n    timeout: 5s\n    http:\n"
                          "      fail_if_body_not_matches_regexp: [alive]\n")
        self.process = subprocess.Popen([BLACKBOX, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{self.port}"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        upbeat.wait_for(lambda: upbeat.listening(self.port))
        page = upbeat.fetch(f"http://127.0.0.1:{self.port}" + self.path().replace("%d", "1")).text
        assert "probe_success 1" in page, page

    def path(self):
        return f"/probe?module=page&target=http://127.0.1.%d:{self.target.port}/"

    def rate(self):
        return load(self.port, "get", self.path(), clients=50)[0]

    def close(self):
        self.process.terminate()
        self.process.wait()


def commit_row(folder, n, wall):
    """The results of such a pass go to disk in one commit."""
    store = folder / "commits"
    store.mkdir()
    took = float(subprocess.run([build("commit", "-llmdb", "-lcrypto", "-lm", common=True), store, str(n), "20"], check=True,
                                capture_output=True, text=True).stdout)
    row(f"commit of {n} results, ms, of a pass's", f"{took:.1f}", f"{wall * 1e3:.0f}", took / wall / 1e3, "<= 0.02")


def https(folder):
    """2,000 HTTPS monitors, chain and address verified, a whole system's authorities, against epoll and one SSL_CTX."""
    n, names = 2000, 20
    raw, target = build("raw_probe", "-lssl", "-lcrypto"), Target(folder / "target", names)
    try:
        passes = Passes(folder / "site", {f"m{i}": {"type": "keyword", "keyword": "alive",
                                                   "url": f"https://{address(i % names)}:{target.port}/"} for i in range(n)})
        passes.site.env["SSL_CERT_FILE"] = str(target.bundle)
        figures, _ = compare(passes, [raw, target.port, n, 200, target.bundle, names])
        ratio_rows("https", figures, ">= 0.70", "<= 1.45", n)
    finally:
        target.close()


def ping(folder):
    """2,000 answering pings: a pass less a pass without anything due, against fping -i 0."""
    n = 2000
    if not shutil.which("fping"):
        print("  fping: not installed")
        return
    passes = Passes(folder / "site", {f"m{i}": {"type": "ping", "host": address(i)} for i in range(n)})
    (folder / "list").write_text("".join(f"{address(i)}\n" for i in range(n)))
    ours, idle, theirs = [], [], []
    passes.run()
    for _ in range(RUNS):
        theirs.append(spent(["fping", "-i", "0", "-q", "-r", "0", "-f", folder / "list"])[0])
        ours.append(passes.run()[0])
        idle.append(passes.run(due=False)[0])
    passes.all_up()
    phase, yard = statistics.median(ours) - statistics.median(idle), statistics.median(theirs)
    row("2,000 pings, ms", f"{phase * 1e3:.0f}", f"{yard * 1e3:.0f}", phase / yard, "<= 2")


def peak_while(process):
    """MiB: the largest that it was, asked every few milliseconds until it ends."""
    peak = 0
    while process.poll() is None:
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        peak = max([peak, *(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))])
        time.sleep(0.01)
    return peak


def slow_answers(folder):
    """10,000 monitors whose answers take 300 ms, and 1,000 that never answer: time and memory of one pass."""
    n, port = 10000, upbeat.free_port()
    server = subprocess.Popen([build("slow_server"), str(port), "300"])
    try:
        upbeat.wait_for(lambda: upbeat.listening(port))
        passes = Passes(folder / "site", {f"m{i}": {"type": "http", "url": f"http://{address(i)}:{port}/"} for i in range(n)})
        passes.run()
        passes.minute += 1
        now = time.time()
        passes.site.offset_ms = int(((now // 60 + passes.minute) * 60 + 1 - now) * 1000)
        begun = time.perf_counter()
        process = subprocess.Popen([upbeat.PROBER, "-c", passes.site.config_file, "run"], env=passes.site.environment())
        peak = peak_while(process)
        took = time.perf_counter() - begun
        row("10,000 answers after 300 ms, seconds", f"{took:.1f}", "55", took / 55, "<= 1")
        row("10,000 answers after 300 ms, peak MiB", f"{peak:.0f}", "80", peak / 80, "<= 1")
        passes.all_up()
    finally:
        server.terminate()
        server.wait()


def silent(folder):
    """1,000 monitors that time out together are decided within the pass."""
    n = 1000
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        port = listener.getsockname()[1]
        passes = Passes(folder / "site", {f"m{i}": {"type": "http", "url": f"http://127.0.0.1:{port}/"} for i in range(n)},
                        witnesses=[f"127.0.0.1:{port}"])
        wall, _ = passes.run()
        states = [m["state"] for m in passes.site.status()["monitors"]]
        assert states.count("down") == n, {s: states.count(s) for s in states}
        row("1,000 time-outs together: all down, seconds", f"{wall:.1f}", "60", wall / 60, "<= 1")


def sizes(folder):
    """What results and history take on disk: a unit test stores real records, and holds the bounds itself."""
    program = upbeat.BUILD / "unit/store/test_history"
    subprocess.run(["make", "-s", "-C", ROOT, f"BUILD={upbeat.BUILD}", program], check=True, capture_output=True)
    out = subprocess.run([program], check=True, capture_output=True, text=True)
    text = out.stdout + out.stderr

    def figure(pattern):
        return float(re.search(pattern, text)[1])

    for what, pattern, unit, goal in (
            ("a result before housekeeping", r"result: ([\d.]+) with timings", "bytes", 12),
            ("a result after it, timings gone", r"settled, ([\d.]+) without", "bytes", 4),
            ("10,000 results and rows dirty", r"10000 results and rows dirty ([\d.]+) MB", "MB", 2),
            ("a year of hours of 1,000 monitors", r"a year of hours of 1000 monitors takes ([\d.]+) MB", "MB", 400),
            ("a year of days of 1,000 monitors", r"a year of days of 1000 monitors takes ([\d.]+) MB", "MB", 20)):
        value = figure(pattern)
        row(f"{what}, {unit}", f"{value:.2f}", f"{goal}", value / goal, "<= 1")


TABLES = {"beats": beats, "forgeries": forgeries, "cgi": cgi, "idle_pass": idle_pass, "pages": pages, "http": http,
          "https": https, "ping": ping, "slow_answers": slow_answers, "silent": silent, "sizes": sizes}


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


if __name__ == "__main__":
    main()
