# SPDX-License-Identifier: ISC
"""Heartbeats between two slots: nobody waits a minute to hear of a first beat, a failure or a missed deadline."""
import time

import pytest

from upbeat import Lighttpd

SECRET = "a secret"


@pytest.fixture
def watched(site, catcher):
    """A heartbeat of two seconds, looked at once and pending, early in a minute of its own clock."""
    site.offset_ms = int((5 - time.time() % 60) * 1000)
    site.configure({
        "channels": {"hook": {"type": "webhook", "url": catcher.url + "/hook", "secret": "x"}},
        "defaults": {"interval": "5m", "notify": ["hook"]},
        "monitors": {"robot": {"type": "heartbeat", "secret": SECRET, "max_age": "2s"},
                     "job": {"type": "heartbeat", "secret": SECRET + "2", "max_age": "1h"}}})
    site.a_pass(check=True)
    site.front = Lighttpd(site)
    assert [m["state"] for m in site.status()["monitors"]] == ["pending", "pending"]
    return site


def beat(site, slug="robot", signal_name="", **more):
    secret = SECRET if slug == "robot" else SECRET + "2"
    assert site.front.beat(slug, secret, signal_name, time_=time.time() + site.offset_ms / 1000, **more).status == 200


def test_a_heartbeat_is_judged_at_its_deadline_while_a_pass_is_there(watched, catcher):
    beat(watched)
    beaten = time.time() + watched.offset_ms / 1000
    watched.a_pass(check=True)
    told = [r.json for r in catcher.at("/hook")]
    assert [(t["event"], t["monitor"]) for t in told] == [("down", "robot")]
    assert 2 <= told[0]["at"] - beaten < 3
    assert watched.status("robot")["state"] == "down"
    # It beats again while a pass is there: that is heard within seconds, and its next deadline is kept, too.
    beat(watched)
    began = time.monotonic()
    watched.a_pass(check=True)
    assert 2 <= time.monotonic() - began < 6
    assert watched.status("robot")["incident"] == 2


def test_our_own_absence_is_no_recovery_of_who_was_down_before(watched, catcher):
    beat(watched)
    watched.a_pass(check=True)
    for _ in range(3):
        watched.offset_ms += 1800_000
        watched.a_pass(check=True)
        assert watched.status("robot")["state"] == "down"
    assert [r.json["event"] for r in catcher.at("/hook")] == ["down"]
    watched.front.stop()
    watched.front = Lighttpd(watched)
    beat(watched)
    watched.a_pass(check=True)
    assert [(r.json["event"], r.json["incident"]) for r in catcher.at("/hook")][:2] == [("down", 1), ("up", 1)]


def test_what_a_job_reports_is_known_to_the_next_pass_whatever_its_slot(watched, catcher):
    for signal_name, state in (("start", "pending"), ("0", "up"), ("log", "up"), ("3", "down"), ("", "up"), ("fail", "down")):
        beat(watched, "job", signal_name)
        watched.a_pass(check=True)
        assert watched.status("job")["state"] == state, signal_name
    assert [r.json["cause"] for r in catcher.at("/hook")][:1] == ["it reported failure, exit status 3"]


def test_a_run_that_takes_too_long_is_told_in_time_though_the_last_beat_is_still_good(watched, catcher):
    watched.config_file.write_text(watched.config_file.read_text().replace('"max_age": "1h"', '"max_age": "1h", "grace": "2s"'))
    beat(watched, "job")
    beat(watched, "job", "start")
    begun = time.time() + watched.offset_ms / 1000
    watched.a_pass(check=True)
    told = [r.json for r in catcher.at("/hook")]
    assert [(t["event"], t["monitor"], t["cause"]) for t in told] == [("down", "job", "it started and did not finish")]
    assert 2 <= told[0]["at"] - begun < 3
    assert watched.front.get("/beat/job").status == 200, "a start does not count there"
    beat(watched, "job")
    watched.a_pass(check=True)
    assert watched.status("job")["state"] == "up" and watched.front.get("/beat/job").status == 200
