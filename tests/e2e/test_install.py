# SPDX-License-Identifier: ISC
"""make install puts each thing where its kind belongs, and nothing but upbeat.fcgi where programs are run."""
import os
import subprocess

from upbeat import BUILD, ROOT


def test_install_into_a_folder(tmp_path):
    done = subprocess.run(["make", "-s", "-C", ROOT, "install", f"BUILD={BUILD}", f"DESTDIR={tmp_path}", "PREFIX=/opt/up"],
                          capture_output=True, text=True, env={**os.environ, "MAKEFLAGS": ""}, timeout=300)
    assert done.returncode == 0, done.stderr
    base = tmp_path / "opt/up"
    assert [p.name for p in (base / "lib/upbeat/cgi-bin").iterdir()] == ["upbeat.fcgi"]
    assert os.access(base / "bin/upbeat-prober", os.X_OK)
    assert {"upbeat-prober.8", "upbeat.fcgi.8", "upbeat.json.5"} <= {p.name for p in (base / "share/man").rglob("*.[58]")}
    documents = base / "share/doc/upbeat"
    for server in ("apache", "lighttpd", "nginx"):
        assert "/opt/up/lib/upbeat/cgi-bin" in (documents / f"{server}-example.conf").read_text()
    assert "/opt/up/bin/upbeat-prober -c" in (documents / "upbeat.cron").read_text()
