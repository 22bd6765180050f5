# SPDX-License-Identifier: ISC
"""The portable folder in a whole minimal Debian that has only Apache with suexec and cron, by an ordinary user under a
shared host's limits: 512 MB of addresses, 100 processes, no raw sockets, nothing but the home directory.

The root is made once by debootstrap, below the build folder; each run works on an overlay of it that is gone
afterwards. Apache and cron are the real ones, started as their packages say; the network is this machine's loopback,
so what is watched, and who is told, is outside."""
import json
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from portable import make_portable
from upbeat import AS_ROOT, BUILD, fetch, free_port, sign, wait_for

pytestmark = pytest.mark.skipif(not AS_ROOT or not shutil.which("debootstrap"), reason="needs root and debootstrap")

PACKAGES = "apache2,apache2-suexec-pristine,cron"
USER = "shop"
SPACE, PROCESSES = 512 << 20, 100

# suexec runs what lies below ~/public_html; RLimit* are what a web host sets.
APACHE = f"""
Listen 127.0.0.1:@PORT@
ServerName localhost
<Directory /home/*/public_html>
    AllowOverride All
    Options SymLinksIfOwnerMatch ExecCGI
    Require all granted
</Directory>
RLimitMEM {SPACE} {SPACE}
RLimitNPROC {PROCESSES} {PROCESSES}
"""
MACHINE = f"""set -e
mount -t tmpfs tmpfs "$1/over"
mkdir "$1/over/upper" "$1/over/work" "$1/over/root"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/over/upper,workdir=$1/over/work" "$1/over/root"
cp -a "$1/put/." "$1/over/root/"
mount -t proc proc "$1/over/root/proc"
exec chroot "$1/over/root" /bin/sh -e -c '
    useradd -m -s /bin/sh {USER} && chmod 711 /home/{USER}
    rm -f /etc/apache2/ports.conf && touch /etc/apache2/ports.conf
    a2dissite -q 000-default >/dev/null; a2enmod -q userdir suexec cgid rewrite >/dev/null; a2enconf -q host >/dev/null
    apache2ctl start
    touch /run/ready
    exec prlimit --as={SPACE} --nproc={PROCESSES} cron -f'
"""


def mirror():
    for path in (*pathlib.Path("/etc/apt/sources.list.d").glob("*.sources"), pathlib.Path("/etc/apt/sources.list")):
        found = path.exists() and re.search(r"^(?:URIs:|deb\s+(?:\[.*?\]\s+)?)\s*(http\S+)", path.read_text(), re.M)
        if found:
            return found[1]
    return "http://deb.debian.org/debian"


@pytest.fixture(scope="module")
def root():
    """Debian 12 with nothing but the packages above."""
    made = BUILD / "minimal-root"
    if not made.is_dir():
        half = BUILD / "minimal-root.half"
        shutil.rmtree(half, ignore_errors=True)
        done = subprocess.run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", half, mirror()],
                              capture_output=True, text=True, timeout=900)
        if done.returncode != 0:
            pytest.skip("debootstrap: " + done.stdout.strip()[-300:])
        for part in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale"):
            shutil.rmtree(half / part, ignore_errors=True)
        half.rename(made)
    return made


class Machine:
    """That Debian, running, with Apache on `port`."""

    def __init__(self, folder, root, files):
        self.folder, self.port = folder, free_port()
        (folder / "over").mkdir()
        for path, content in {**files, "etc/apache2/conf-available/host.conf": APACHE.replace("@PORT@", str(self.port))}.items():
            at = folder / "put" / path
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_bytes(content.encode() if isinstance(content, str) else content)
        self.log = open(folder / "machine.log", "wb")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "sh", "-c", MACHINE, "sh", folder, root],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        self.inner = wait_for(self.first_process, 20)
        wait_for(lambda: self.as_root("test", "-e", "/run/ready").returncode == 0, 30)

    def first_process(self):
        if self.process.poll() is not None:
            pytest.skip("namespaces or overlays are not permitted here: " + (self.folder / "machine.log").read_text()[-300:])
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return children[0] if children else None

    def as_root(self, *command, **options):
        return subprocess.run(["nsenter", f"--target={self.inner}", "--mount", "--pid", f"--root=/proc/{self.inner}/root",
                               "--wd=/", *map(str, command)], capture_output=True, text=True, timeout=120, **options)

    def as_user(self, line, **options):
        """A line typed by the account's owner at a shell."""
        return self.as_root("setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--bounding-set=-all",
                            "prlimit", f"--as={SPACE}", f"--nproc={PROCESSES}", "env", "-i", f"HOME=/home/{USER}",
                            "PATH=/usr/bin:/bin", "sh", "-c", f"cd && {line}", **options)

    def file(self, path):
        return self.as_root("cat", path).stdout

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/~{USER}/upbeat{path}"

    def logs(self):
        return "".join(f"---- {p}\n{self.file(p)[-3000:]}" for p in (
            "/var/log/apache2/error.log", "/var/log/apache2/suexec.log", f"/home/{USER}/upbeat/store/prober.log")) \
            + (self.folder / "machine.log").read_text()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


@pytest.fixture
def machine(root, open_folder, request):
    tarball = make_portable()
    it = Machine(open_folder, root, {f"tmp/{tarball.name}": tarball.read_bytes()})
    it.tarball = "/tmp/" + tarball.name
    yield it
    report = getattr(request.node, "report_call", None)
    if report is not None and report.failed:
        print(it.logs())
    it.stop()


def test_an_ordinary_user_is_told_when_a_site_and_a_program_stop(machine, target, catcher, mailbox):
    # INSTALL, line by line.
    name = pathlib.Path(machine.tarball).name
    said = machine.as_user(f"mkdir public_html && tar -xzf {machine.tarball} && mv {name.removesuffix('.tar.gz')} upbeat && "
                           "~/upbeat/bin/upbeat-prober init ~/public_html/upbeat")
    assert said.returncode == 0, said.stderr
    crontab = re.search(r"^ *(\* \* \* \* \* .*)$", said.stdout, re.M)[1]
    secret = "a secret of these tests"
    config = {"store": "store", "url": machine.url("/"), "anonymous": "all",
              "channels": {"hook": {"type": "webhook", "url": catcher.url, "secret": "x"},
                           "post": {"type": "mail", "to": ["ops@example.com"], "from": "upbeat@example.com",
                                    "smtp": f"smtp://127.0.0.1:{mailbox.port}"}},
              "defaults": {"interval": "5s", "notify": ["hook", "post"], "confirm_waits": ["1s"] * 4, "recover_wait": "1s"},
              "monitors": {"site": {"type": "http", "url": target.url},
                           "robot": {"type": "heartbeat", "secret": secret, "max_age": "20s"}}}
    written = machine.as_user("cat > ~/upbeat/upbeat.json && ~/upbeat/bin/upbeat-prober config", input=json.dumps(config))
    assert written.returncode == 0, written.stdout
    front = fetch(machine.url("/"), headers={"Accept": "text/html"})
    assert front.status == 503 and "upbeat-prober" in front.text  # no pass yet: the page says which line is missing
    added = machine.as_user("crontab -", input=f"{crontab}\n* * * * * cat /proc/self/limits > limits\n")
    assert added.returncode == 0, added.stderr

    # The first minute: cron runs it, the web program shows it, both as this user.
    wait_for(lambda: fetch(machine.url("/healthz")).status == 200, 75, every=0.5)
    store = machine.as_root("stat", "-c", "%U %a %n", f"/home/{USER}/upbeat/store/state/data.mdb", f"/home/{USER}/upbeat/store/inbox/data.mdb")
    assert [line.split()[0] for line in store.stdout.splitlines()] == [USER, USER], store
    assert "uid: (" in machine.file("/var/log/apache2/suexec.log")
    limits = machine.file(f"/home/{USER}/limits")  # those that cron's jobs have: the test is worth something
    assert re.search(rf"Max address space +{SPACE} ", limits) and re.search(rf"Max processes +{PROCESSES} ", limits)
    body = json.dumps({"time": time.time()}).encode()
    beat = fetch(machine.url("/beat/robot"), "POST", body, {"X-Hub-Signature-256": sign(secret, body)})
    assert beat.status == 200, beat
    forged = fetch(machine.url("/beat/robot"), "POST", body, {"X-Hub-Signature-256": sign("another", body)})
    assert forged.status == 403
    # Nothing but the program is given out from its folder, and people's pages ask who one is.
    assert [fetch(machine.url(path)).status for path in ("/upbeat.store", "/.htaccess")] == [403, 403]
    assert machine.as_user("printf 'me:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\\n' > ~/upbeat/staff.htpasswd && chmod 644 ~/upbeat/staff.htpasswd").returncode == 0
    assert fetch(machine.url("/staff/")).status == 401
    login = {"Authorization": "Basic bWU6cGFzc3dvcmQ=", "Accept": "text/html"}  # me, password
    assert fetch(machine.url("/staff/"), headers=login).status == 200
    wait_for(lambda: "up" in fetch(machine.url("/")).text and target.hits > 0, 30)

    # Both stop. The beat was the only one, the site answers 500 from now on.
    target.status = 500

    def told(monitor, event):
        return [r for r in catcher.received if (r.json["monitor"], r.json["event"]) == (monitor, event)]

    wait_for(lambda: told("site", "down") and told("robot", "down"), 75)
    wait_for(lambda: len(mailbox.mails) >= 1, 20)
    assert all(mail.envelope_to == ["ops@example.com"] for mail in mailbox.mails)
    page = fetch(machine.url("/"), headers={"Accept": "text/html"})
    assert page.status == 200 and "HTTP 500" in page.text and "robot" in page.text
    assert len(told("site", "down")) == len(told("robot", "down")) == 1

    doctor = machine.as_user("~/upbeat/bin/upbeat-prober doctor")
    assert doctor.returncode == 0, doctor.stdout
    assert "lib/ca-certificates.crt" in doctor.stdout  # this Debian has none of its own
    assert "passes:" in doctor.stdout
    outside = machine.as_root("find", "/", "-xdev", "-user", USER, "-not", "-path", f"/home/{USER}/*", "-not", "-path", "/proc/*")
    assert set(outside.stdout.split()) <= {f"/home/{USER}", f"/var/spool/cron/crontabs/{USER}", f"/var/mail/{USER}"}
