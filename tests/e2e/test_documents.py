# SPDX-License-Identifier: ISC
"""The examples in the documents do what they say: the commands of the README are run in their order in a sandbox
(one installation, one web server, a home directory), its configuration and those of the manual go through
`upbeat-prober config`, and what commands print has the form that is promised.

Only names that stand for the reader's own are replaced: paths of the system by folders of the sandbox, example.com by
our server, and programs of the system that would change it (a2enmod, systemctl, crontab) by ones that take notes."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from portable import make_portable
from upbeat import AS_ROOT, BUILD, ROOT, Lighttpd, wait_for

sys.path.insert(0, str(ROOT / "tests/structure"))
from documents import PAGES, TEXTS, displays, fenced  # noqa: E402

SECRET = "a secret of these tests"
OTHER_LINE = "7 3 * * * $HOME/bin/nightly\n"  # what a reader's crontab held before
CONFIGURATIONS = [(block.place, block.text) for path in TEXTS for block in fenced(path, "jsonc")]
CONFIGURATIONS += [(page.name, text) for page in PAGES for text in displays(page) if re.match(r"\{\s*(//.*)?\s*\"\w+\":", text) and '"passes"' not in text]


def secret_files(folder, text):
    """What "file:NAME" refers to, each with a secret of its own; NAME.url has an address."""
    for name in set(re.findall(r'"file:([\w./-]+)"', text)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("https://hooks.example.com/1\n" if name.endswith(".url") else f"{SECRET} {name}\n")
        (folder / name).chmod(0o600)


class Sandbox:
    """Where an example may do what it says. `ran` is what the note-taking programs were told."""

    def __init__(self, site, web="https://example.com/upbeat", shop="https://shop.example.com"):
        self.site, self.folder, self.home = site, site.folder, site.folder / "home"
        self.notes = self.folder / "notes"
        self.names = {"https://example.com/upbeat": web, "https://shop.example.com": shop.rstrip("/"),
                      "/etc/upbeat/": f"{self.folder}/", "/etc/": f"{self.folder}/etc/",
                      "/var/lib/upbeat": str(site.store), "build/upbeat-": f"{BUILD}/upbeat-"}
        if not AS_ROOT:
            self.names["-g www-data "] = ""
        for name in ("home/public_html", "bin", "etc/apache2/sites-available", "etc/lighttpd/conf-available", "etc/nginx/conf.d"):
            (self.folder / name).mkdir(parents=True)
        for name in ("a2enmod", "a2ensite", "lighty-enable-mod", "systemctl"):
            self.program(name, f'echo {name} "$@" >> {self.notes}')
        self.program("crontab", f'cd {self.folder}; [ "$1" = - ] && cat > new && mv new crontab || cat crontab')
        self.program("sudo", 'exec "$@"')
        self.program("pg_dump", "exit 0")
        self.program("make", f'exec {sys.executable} -B {pathlib.Path(__file__).with_name("make_in_sandbox.py")} {self.folder} "$@"')

    def program(self, name, line):
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def place(self, text):
        for name, ours in self.names.items():
            text = text.replace(name, ours)
        return text

    def run(self, text, **more):
        env = {**self.site.environment(), "HOME": str(self.home), "UPBEAT_BUILD": str(BUILD),
               "PATH": f"{self.folder}/bin:{self.folder}/usr/local/bin:/usr/sbin:/usr/bin:/bin", **more}
        return subprocess.run(["/bin/sh", "-euc", self.place(text)], cwd=ROOT, env={k: v for k, v in env.items() if v is not None},
                              capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)

    def good(self, text, **more):
        done = self.run(text, **more)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def example(starting):
    """The README's block whose first line begins so. The other language has the same (tests/structure/test_docs.py)."""
    return next(block.text for block in fenced(ROOT / "README.md") if block.text.startswith(starting))


@pytest.mark.parametrize("place, text", CONFIGURATIONS, ids=[place for place, _ in CONFIGURATIONS])
def test_every_configuration_is_good(site, place, text):
    config = text.replace("/var/lib/upbeat", str(site.store))
    secret_files(site.folder, config)
    site.configure(config)
    said = site.prober("config")
    assert said.returncode == 0 and " is good: " in said.stdout, said


def test_every_window_in_the_manual_is_one(site):
    text = next(text for page in PAGES for text in displays(page) if "mon-fri" in text)
    windows = [re.split(r"\s{3,}", line)[0].strip() for line in text.splitlines()]
    assert len(windows) == 5
    site.configure({"monitors": {"shop": {"type": "http", "url": "https://shop.example.com/",
                                          "maintenance": windows + [f"{w} in Asia/Taipei" for w in windows]}}})
    assert site.prober("config").returncode == 0


def test_commands_to_install_behind_each_server(site):
    sandbox = Sandbox(site)
    config = {"UPBEAT_CONFIG": str(site.config_file)}
    sandbox.good(example("make && sudo make install"), **config)
    assert site.config_file.stat().st_mode & 0o777 == 0o600
    line = next(line for line in (site.folder / "etc/cron.d/upbeat").read_text().splitlines() if line.startswith("*"))
    assert sandbox.run(re.sub(r"^\S+ \S+ \S+ \S+ \S+ \S+ ", "", line), **config).returncode == 0
    sandbox.good(example("sudo cp apache-example.conf"))
    notes = sandbox.notes.read_text()
    for wanted in ("a2enmod fcgid ssl", "a2ensite upbeat", "lighty-enable-mod upbeat", "systemctl reload nginx"):
        assert wanted in notes
    for path in ("apache2/sites-available/upbeat.conf", "lighttpd/conf-available/50-upbeat.conf", "nginx/conf.d/upbeat.conf"):
        assert (site.folder / "etc" / path).stat().st_size > 1000


def test_commands_for_shared_hosting(site, target):
    make_portable()
    sandbox = Sandbox(site)
    (site.folder / "crontab").write_text(OTHER_LINE)
    sandbox.good(example("make portable"), UPBEAT_CONFIG=None)
    assert sorted(p.name for p in (sandbox.home / "public_html/upbeat").iterdir()) == [".htaccess", "upbeat.fcgi", "upbeat.store"]
    kept, line = (site.folder / "crontab").read_text().splitlines(True)
    assert kept == OTHER_LINE and line.startswith("* * * * * ")
    config = sandbox.home / "upbeat/upbeat.json"
    config.write_text(config.read_text().replace("https://example.com/", f"{target.url}/"))
    sandbox.good(line[10:], UPBEAT_CONFIG=None)
    status = sandbox.good("$HOME/upbeat/bin/upbeat-prober status --json", UPBEAT_CONFIG=None)
    assert json.loads(status)["passes"]["fresh"] is True


def test_commands_after_configuring_and_heartbeats(site, target, catcher):
    """The configuration of the README in force, behind a real server; then what it says can be done."""
    sandbox = Sandbox(site, shop=target.url)
    text = sandbox.place(example("{"))
    secret_files(site.folder, text)
    (site.folder / "slack.url").write_text(f"{catcher.url}/slack\n")
    site.configure(text)
    front = Lighttpd(site, mount="/upbeat")
    sandbox.names["https://example.com/upbeat"] = front.url
    site.configure(text.replace("https://example.com/upbeat", front.url))
    site.a_pass(check=True)
    os.makedirs(site.folder / "usr/local/bin")
    os.symlink(BUILD / "upbeat-prober", site.folder / "usr/local/bin/upbeat-prober")

    beats = example("export UPBEAT_URL")
    said = sandbox.good(beats)
    assert re.search(r"^HTTP/1.1 200", said, re.M) and '"ok":true' in said
    refused = sandbox.run("curl -i https://example.com/upbeat/beat/nobody")
    assert re.search(r"^HTTP/1.1 404", refused.stdout, re.M) and '"ok":false' in refused.stdout

    said = sandbox.good(example("sudo upbeat-prober config"), UPBEAT_CONFIG=str(site.config_file))
    assert "up" in said and target.hits > 0
    assert [r.path for r in catcher.received] == ["/slack"] and b"test" in catcher.received[0].body.lower()


@pytest.mark.parametrize("starting", ["make run", "make test"])
def test_targets_named_there_are(site, starting):
    Sandbox(site).good(example(starting))


def test_every_block_of_commands_is_run_by_one_of_these():
    source = pathlib.Path(__file__).read_text()
    starts = re.findall(r'example\("([^"]+)"\)', source) + ["make run", "make test"]
    for path in TEXTS:
        for block in fenced(path, "sh"):
            assert path.name.startswith("README"), f"{block.place}: nothing runs it"
            if path.name == "README.md":
                assert any(block.text.startswith(start) for start in starts), f"{block.place}: nothing runs it"


def test_the_crontab_line_of_the_manual(site):
    """.Dl * * * * * COMMAND: the command makes a pass."""
    text = next(p for p in PAGES if p.name == "upbeat-prober.8").read_text()
    line = re.search(r"^\.Dl \* \* \* \* \* (.*)$", text, re.M)[1]
    site.configure({"monitors": {}})
    command = line.replace("/usr/local/bin/upbeat-prober", str(BUILD / "upbeat-prober")).replace("/etc/upbeat/upbeat.json", str(site.config_file))
    done = subprocess.run(shlex.split(command), capture_output=True, text=True, env=site.environment(), timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_examples_of_the_manual(site, target):
    """Each display below EXAMPLES, in order. jq is no package of ours: where it is missing a stand-in reads the JSON."""
    sandbox = Sandbox(site)
    sandbox.names["/var/backups"] = f"{site.folder}/backups"
    (site.folder / "backups").mkdir()
    (site.folder / "usr/local/bin").mkdir(parents=True)
    os.symlink(BUILD / "upbeat-prober", site.folder / "usr/local/bin/upbeat-prober")
    if not shutil.which("jq"):
        sandbox.program("jq", "exec grep -o shop")
    target.status = 500
    site.configure({"defaults": {"confirm_waits": ["0s", "0s"], "confirm": 2, "interval": "10m"},
                    "monitors": {"shop": {"type": "http", "url": target.url}}})
    (site.folder / "new.json").write_text(site.config_file.read_text())
    (site.folder / "new.json").chmod(0o600)
    examples = displays(next(p for p in PAGES if p.name == "upbeat-prober.8"))[1:]
    assert len(examples) == 3
    said = [sandbox.good(f"cd {site.folder}\n{examples[0]}", UPBEAT_CONFIG=str(site.config_file))]
    wait_for(lambda: site.a_pass() and site.status("shop")["state"] == "down", 60)
    said += [sandbox.good(f"cd {site.folder}\n{text}", UPBEAT_CONFIG=str(site.config_file)) for text in examples[1:]]
    assert " is good" in said[0] and not (site.folder / "new.json").exists()
    assert "shop" in said[1]
    table = (site.folder / "shop.csv").read_text().splitlines()
    assert "shop" in table[1] and table[0].count(",") == table[1].count(",") > 3
    assert (site.folder / "backups/upbeat/state/data.mdb").exists()


def test_the_form_of_status(site):
    """The manual's display of `status --json` names each key that there is, at its level."""
    shape = next(text for page in PAGES for text in displays(page) if '"passes"' in text)
    site.configure({"monitors": {"job": {"type": "heartbeat", "secret": SECRET, "max_age": "5m"}}})
    site.a_pass(check=True)
    report = site.status()
    assert set(report) <= set(re.findall(r'"(\w+)":', shape))
    for part in (report["passes"], report["config"], report["monitors"][0]):
        assert set(part) <= set(re.findall(r'"(\w+)"', shape)), part
