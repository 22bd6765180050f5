# SPDX-License-Identifier: ISC
"""Several installations, each with its own web server and prober, that watch the same things and each other."""
import time

import pytest

from links import Trio
from upbeat import Lighttpd, Site, wait_for


@pytest.fixture
def trio(open_folder, request):
    made = []

    def make(*names):
        made.append(Trio(open_folder, Site, Lighttpd, names))
        return made[-1]
    yield make
    for one in made:
        one.close()
        failed = getattr(request.node, "report_call", None)
        if failed is not None and failed.failed:
            for name, site in one.sites.items():
                print("========", name, site.logs())


def state(trio, name, slug="shop"):
    answer = trio.fronts[name].get(f"/api/v1/monitors/{slug}")
    return answer.json["state"] if answer.status == 200 else None


def views(trio, name, slug="shop"):
    answer = trio.fronts[name].get(f"/api/v1/monitors/{slug}")
    return {p["name"]: p["sees"] for p in answer.json["places"]} if answer.status == 200 else None


def told(catcher, event=None, monitor="shop"):
    """(who, event id) of every message about it, in order."""
    messages = [(r.path.strip("/"), r.json) for r in catcher.received]
    return [(who, m["id"]) for who, m in messages if m.get("monitor") == monitor and event in (None, m["event"])]


def all_up(trio):
    """Everybody sees the target, and hears everybody."""
    for name in trio.names:
        others = {other for other in trio.names if other != name}
        wait_for(lambda: state(trio, name) == "up", 30)
        wait_for(lambda: views(trio, name) == dict.fromkeys(others, "up"), 30)
        wait_for(lambda: all(state(trio, name, "peer." + other) == "up" for other in others), 30)


def test_two_show_each_others_view(trio, target, catcher):
    two = trio("a", "b")
    two.start(target, catcher)
    all_up(two)
    target.status = 500
    wait_for(lambda: views(two, "a") == {"b": "down"} and views(two, "b") == {"a": "down"}, 30)
    wait_for(lambda: state(two, "a") == state(two, "b") == "down", 30)
    wait_for(lambda: told(catcher, "down"), 30)
    time.sleep(4)
    assert [who for who, _ in told(catcher, "down")] == ["a"]
    target.status = 200
    wait_for(lambda: state(two, "a") == state(two, "b") == "up", 30)
    wait_for(lambda: told(catcher, "up"), 30)
    time.sleep(4)
    assert [who for who, _ in told(catcher, "up")] == ["a"]
