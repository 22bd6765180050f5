# SPDX-License-Identifier: ISC
"""make install puts each thing where its kind belongs, and nothing but upbeat.fcgi where programs are run; done
twice it is as done once, and make uninstall leaves nothing."""
import fcntl
import os
import re
import subprocess

import pytest

from upbeat import BUILD, ROOT


def make(target, folder, **settings):
    with open(BUILD / "install.lock", "w", encoding="ascii") as lock:  # its crontab file is made in the build folder
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(["make", "-s", "-C", ROOT, target, f"BUILD={BUILD}", f"DESTDIR={folder}",
                               *(f"{k}={v}" for k, v in settings.items())],
                              capture_output=True, text=True, env={**os.environ, "MAKEFLAGS": ""}, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


def tree(folder):
    return {str(p.relative_to(folder)): (oct(p.stat().st_mode & 0o7777), p.read_bytes()) for p in folder.rglob("*") if p.is_file()}


# prefix, where programs of web servers go, where settings are
PLACES = [("/usr/local", None, "/etc"), ("/usr", None, "/etc"), ("/opt/up", None, "/etc"),
          ("/home/me/up", "/home/me/cgi-bin", "/home/me/up/etc")]


@pytest.mark.parametrize("prefix, cgi, etc", PLACES)
def test_each_thing_is_where_its_kind_belongs(tmp_path, prefix, cgi, etc):
    make("install", tmp_path, PREFIX=prefix, **({"CGIDIR": cgi} if cgi else {}))
    base, cgi = tmp_path / prefix[1:], cgi or f"{prefix}/lib/upbeat/cgi-bin"
    assert [p.name for p in (tmp_path / cgi[1:]).iterdir()] == ["upbeat.fcgi"]
    modes = {path: mode for path, (mode, _) in tree(tmp_path).items()}
    programs = {path for path, mode in modes.items() if mode == "0o755"}
    assert {f"{prefix}/bin/upbeat-prober"[1:], f"{cgi}/upbeat.fcgi"[1:]} <= programs
    assert set(modes.values()) == {"0o755", "0o644"}
    for page in ROOT.glob("docs/*.[158]"):
        installed = (base / "share/man" / f"man{page.suffix[1:]}" / page.name).read_text()
        assert prefix == "/usr/local" or "/usr/local/bin/upbeat-prober" not in installed
    documents = base / "share/doc/upbeat"
    for server in ("apache", "lighttpd", "nginx"):
        example = (documents / f"{server}-example.conf").read_text()
        assert f"{cgi}/upbeat.fcgi" in example and f"{etc}/upbeat/staff.htpasswd" in example
        for path in re.findall(r"[/\w.-]*/upbeat\.fcgi\b", example):
            assert path.startswith("/upbeat/") or (tmp_path / path[1:]).exists()
    assert (documents / "clients/beat.sh").exists() and (documents / "hubot/upbeat.js").exists()
    assert (documents / "upbeat.schema.json").exists() and (documents / "htaccess-example").exists()


def test_the_crontab_file_waits_for_a_configuration(tmp_path):
    make("install", tmp_path, PREFIX=tmp_path / "up", DESTDIR="", CRON_USER="upbeat")
    text = (tmp_path / "up/etc/cron.d/upbeat").read_text()
    line = next(line for line in text.splitlines() if not line.startswith("#"))
    when_who = re.match(r"\* \* \* \* \* upbeat (.*)$", line)
    silent = subprocess.run(["/bin/sh", "-c", when_who[1]], capture_output=True, text=True)
    assert (silent.returncode, silent.stdout, silent.stderr) == (0, "", "")
    prober, config = tmp_path / "up/bin/upbeat-prober", tmp_path / "up/etc/upbeat/upbeat.json"
    said = subprocess.run([prober, "-c", config, "init"], capture_output=True, text=True, check=True).stdout
    assert f"{tmp_path}/up/lib/upbeat/cgi-bin/upbeat.fcgi" in said  # what init says about servers is true here
    config.write_text('{ "store": "store", "monitors": {} }')
    passed = subprocess.run(["/bin/sh", "-c", when_who[1]], capture_output=True, text=True)
    assert (passed.returncode, passed.stdout, passed.stderr) == (0, "", "")
    status = subprocess.run([prober, "-c", config, "status", "--json"], capture_output=True, text=True, check=True)
    assert '"fresh":true' in status.stdout.replace(" ", "").replace("\t", "")


def test_twice_is_as_once_and_uninstall_leaves_only_what_is_its_owners(tmp_path):
    make("install", tmp_path)
    once = tree(tmp_path)
    make("install", tmp_path)
    assert tree(tmp_path) == once
    cron = tmp_path / "etc/cron.d/upbeat"
    cron.write_text(cron.read_text() + "# mine\n")
    (tmp_path / "etc/upbeat").mkdir()
    (tmp_path / "etc/upbeat/upbeat.json").write_text("{}")
    make("install", tmp_path)
    assert cron.read_text().endswith("# mine\n")
    make("uninstall", tmp_path)
    assert set(tree(tmp_path)) == {"etc/cron.d/upbeat", "etc/upbeat/upbeat.json"}
    cron.unlink()
    make("install", tmp_path)
    make("uninstall", tmp_path)
    assert set(tree(tmp_path)) == {"etc/upbeat/upbeat.json"}
    assert not (tmp_path / "usr/local/lib/upbeat").exists()
    make("uninstall", tmp_path)


def test_root_may_have_any_umask(tmp_path):
    """What everybody reads and runs can be read and run by everybody."""
    before = os.umask(0o077)
    try:
        make("install", tmp_path, PREFIX="/opt/up")
    finally:
        os.umask(before)
    assert {mode for mode, _ in tree(tmp_path).values()} == {"0o755", "0o644"}
    assert {oct(p.stat().st_mode & 0o777) for p in tmp_path.rglob("*") if p.is_dir()} == {"0o755"}


def test_a_running_program_can_be_replaced(tmp_path):
    """Never written into: what runs goes on with the old file."""
    make("install", tmp_path)
    program = tmp_path / "usr/local/lib/upbeat/cgi-bin/upbeat.fcgi"
    before = program.stat().st_ino
    with open(program, "rb"):
        make("install", tmp_path)
    assert program.stat().st_ino != before
