# SPDX-License-Identifier: ISC
"""The prober as cron runs it: Debian's real cron, in a mount namespace of its own so that the machine's own
crontabs are neither read nor written."""
import os
import subprocess

import pytest

from upbeat import AS_ROOT, PROBER, wait_for

pytestmark = pytest.mark.skipif(not AS_ROOT, reason="a cron daemon of one's own needs root")


def start_cron(site, line):
    """cron -f that knows nothing but this line, which it runs each minute."""
    tables = site.folder / "crontabs"
    tables.mkdir()
    (tables / "root").write_text(line + "\n")
    (tables / "root").chmod(0o600)
    (site.folder / "empty").mkdir()
    script = (f"mount --bind {tables} /var/spool/cron/crontabs && mount --bind {site.folder}/empty /etc/cron.d && "
              "mount --bind /dev/null /etc/crontab && mount -t tmpfs tmpfs /run && exec cron -f")
    return site.start(["unshare", "--mount", "--propagation", "private", "sh", "-c", script], "cron",
                      env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})


def can_unshare():
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not can_unshare(), reason="mount namespaces are not permitted here")
def test_a_crontab_line_is_all_it_takes(site, lighttpd, target, catcher):
    os.makedirs("/var/spool/cron/crontabs", exist_ok=True)
    site.configure({
        "channels": {"hook": {"type": "webhook", "url": catcher.url + "/hook", "secret": "x"}},
        "defaults": {"interval": "5s", "notify": ["hook"], "confirm_waits": ["1s", "1s", "1s", "1s"]},
        "monitors": {"shop": {"type": "http", "url": target.url + "/"}}})
    assert lighttpd.get("/healthz").status == 503
    start_cron(site, f"* * * * * {PROBER} -c {site.config_file}")
    wait_for(lambda: lighttpd.get("/healthz").status == 200, 75, every=0.2)
    wait_for(lambda: site.status("shop")["state"] == "up", 30)
    hits = target.hits
    wait_for(lambda: target.hits >= hits + 2, 30)  # intervals below a minute, from a one-minute cron
    target.status = 503
    wait_for(lambda: [r for r in catcher.at("/hook") if r.json["event"] == "down"], 60)
    assert len(catcher.at("/hook")) == 1
