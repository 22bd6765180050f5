# SPDX-License-Identifier: ISC
"""The prober as cron runs it: Debian's real cron, in a mount namespace of its own so that the machine's own
crontabs are neither read nor written."""
import json
import os
import socket
import subprocess
import time

import pytest

from upbeat import AS_ROOT, PROBER, wait_for

pytestmark = pytest.mark.skipif(not AS_ROOT, reason="a cron daemon of one's own needs root")


NIGHTLY = os.environ.get("UPBEAT_NIGHTLY") == "1"


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


@pytest.mark.skipif(not can_unshare(), reason="mount namespaces are not permitted here")
@pytest.mark.skipif(not NIGHTLY, reason="takes four minutes: make nightly")
def test_over_several_minutes_every_slot_has_one_result(site, catcher):
    """Good ones, such that never answer, and such that trickle: each slot is answered once, on the wall clock."""
    os.makedirs("/var/spool/cron/crontabs", exist_ok=True)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(1000)
        urls = {"good": catcher.url + "/good", "mute": f"http://127.0.0.1:{mute.getsockname()[1]}/"}
        seconds = {"5s": 5, "10s": 10, "15s": 15, "30s": 30, "1m": 60}
        site.configure({
            "defaults": {"notify": [], "timeout": "4s"}, "witnesses": [catcher.url + "/witness"],
            "monitors": {f"{kind}-{interval}": {"type": "http", "url": url, "interval": interval}
                         for kind, url in urls.items() for interval in seconds}})
        cron = start_cron(site, f"* * * * * {PROBER} -c {site.config_file}")
        time.sleep(240)
        site.stop(cron)
        wait_for(lambda: site.status()["passes"]["last"] < time.time() - 5, 70, every=1)
    for slug in (m["slug"] for m in site.status()["monitors"]):
        lines = site.prober("export", "samples", "--monitor", slug, check=True).stdout.splitlines()
        every = seconds[slug.split("-")[1]]
        slots = [int(json.loads(line)["time"] // every) for line in lines]
        assert slots == list(range(slots[0], slots[0] + len(slots))) and len(slots) >= 180 // every, (slug, lines)
        if slug.startswith("good"):
            assert {json.loads(line)["outcome"] for line in lines} == {"up"}
            assert max(json.loads(line)["time"] % every for line in lines[1:]) < 2.5, lines


def test_a_busy_pass_copies_its_books_while_it_looks(site, target):
    """Else nobody would look from the minute's end on until a slow disk has them."""
    site.offset_ms = int((48 - time.time() % 60) * 1000)
    site.configure({"monitors": {"shop": {"type": "http", "url": target.url + "/", "interval": "1s"}}})
    process = site.start_prober("run")
    wait_for(lambda: list(site.store.glob("copies/*/inbox/data.sum")), 12)
    assert process.poll() is None
    hits = target.hits
    wait_for(lambda: target.hits > hits, 5)
    assert process.wait(30) == 0 and "copy" not in site.logs()
