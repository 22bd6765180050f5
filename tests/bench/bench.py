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


def compare(passes, raw):
    figures = {"wall": [], "cpu": [], "raw_wall": [], "raw_cpu": []}
    passes.run()  # publishes the configuration
    for _ in range(RUNS):
        for key, (wall, cpu, *_) in (("raw_", spent(raw)), ("", passes.run())):
            figures[key + "wall"].append(wall)
            figures[key + "cpu"].append(cpu)
    passes.all_up()
    return figures


def http(folder):
    """2,000 keyword monitors on 2,000 loopback addresses, against plain sockets and epoll."""
    n, raw, target = 2000, build("raw_probe", "-lssl", "-lcrypto"), Target(folder / "target")
    try:
        passes = Passes(folder / "site", {f"m{i}": {"type": "keyword", "keyword": "alive",
                                                   "url": f"http://{address(i)}:{target.port}/"} for i in range(n)})
        ratio_rows("http", compare(passes, [raw, target.port, n, 200]), ">= 0.65", "<= 1.80", n)
        others(folder, target, n)
    finally:
        target.close()


def others(folder, target, n):
    """The same looks by other tools, where they are installed."""
    urls = [f"http://{address(i)}:{target.port}/" for i in range(n)]
    check_http = pathlib.Path("/usr/lib/nagios/plugins/check_http")
    if check_http.exists():
        few = urls[:200]
        (folder / "list").write_text("".join(f"-I {u.split('/')[2].split(':')[0]} -p {target.port} -s alive\n" for u in few))
        wall, cpu, _ = spent(["sh", "-c", f"xargs -P2 -L1 {check_http} < {folder}/list"])
        row("check_http, two at a time, checks/s", f"{len(few) / wall:.0f}", "", len(few) / wall, "ours >= 15 x")
    else:
        print("  check_http, xymonnet, prometheus-blackbox-exporter: not installed")


def https(folder):
    """2,000 HTTPS monitors, chain and address verified, a whole system's authorities, against epoll and one SSL_CTX."""
    n, names = 2000, 20
    raw, target = build("raw_probe", "-lssl", "-lcrypto"), Target(folder / "target", names)
    try:
        passes = Passes(folder / "site", {f"m{i}": {"type": "keyword", "keyword": "alive",
                                                   "url": f"https://{address(i % names)}:{target.port}/"} for i in range(n)})
        passes.site.env["SSL_CERT_FILE"] = str(target.bundle)
        ratio_rows("https", compare(passes, [raw, target.port, n, 200, target.bundle, names]), ">= 0.70", "<= 1.45", n)
    finally:
        target.close()


def ping(folder):
    """2,000 answering pings: a pass less a pass without anything due, against fping -i 0."""
    n = 2000
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
        row("10,000 answers after 300 ms, seconds", f"{time.perf_counter() - begun:.1f}", "", 0, "<= 55 s")
        row("10,000 answers after 300 ms, peak MiB", f"{peak:.0f}", "", 0, "<= 80")
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
        row("1,000 time-outs together: decided, seconds", f"{states.count('down')}", f"{n}", wall, "all within 60 s")


TABLES = {"beats": beats, "cgi": cgi, "idle_pass": idle_pass, "pages": pages, "http": http,
          "https": https, "ping": ping, "slow_answers": slow_answers, "silent": silent}


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
