# SPDX-License-Identifier: ISC
"""What the small script adds, in a real browser and under our own content security policy: search while one types,
without loading anew and without losing focus or folds; the day under the pointer and the arrow keys; local times."""
import json
import pathlib
import subprocess

import pytest

from upbeat import wait_for


@pytest.fixture
def seen(site, lighttpd, target, modules):
    site.configure({
        "anonymous": "all", "title": "Example", "timezone": "UTC", "defaults": {"confirm_waits": ["50ms"] * 4},
        "monitors": {
            "shop": {"type": "http", "name": "The shop", "group": "Web", "url": target.url + "/"},
            "gone": {"type": "http", "name": "It is gone", "group": "Web", "url": "http://127.0.0.1:1/"},
            "robot": {"type": "heartbeat", "name": "Robot", "group": "Programs", "secret": "a secret", "max_age": "5m"}}})
    site.a_pass(check=True)
    wait_for(lambda: site.status("gone")["state"] == "down")
    script = pathlib.Path(__file__).with_name("live.js")
    done = subprocess.run(["node", script, lighttpd.url + "/"], cwd=modules, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_dashboard_is_alive_without_loading_anew(seen):
    assert seen["errors"] == [] and seen["loads"] == 1
    assert len(seen["all"]) == 3 and seen["found"] == ["It is gone"]
    assert "q=gone" in seen["query"] and seen["typed"] == "gone" and seen["stillFocused"] == "q"
    assert seen["folded"], "a fold that a person made was undone"
    assert "Asia/Taipei" in seen["zone"], "times are not in the visitor's zone"
    assert seen["tip"] and seen["today"] and seen["today"] != seen["yesterday"]
