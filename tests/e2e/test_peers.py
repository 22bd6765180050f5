# SPDX-License-Identifier: ISC
"""Several installations, each with its own web server and prober, that watch the same things and each other."""
import json
import os
import shutil
import time

import pytest

from links import Trio, all_up, state, told, told_names, views
from upbeat import Lighttpd, Site, sign, wait_for


@pytest.fixture
def trio(open_folder, request):
    made = []

    def make(*names):
        made.append(Trio(open_folder, *names))
        return made[-1]
    yield make
    for one in made:
        one.end(request)


def test_two_show_each_others_view_and_one_tells(trio, target, catcher):
    two = trio("a", "b")
    two.start(target, catcher)
    all_up(two)
    target.status = 500
    wait_for(lambda: views(two, "a") == {"b": "down"} and views(two, "b") == {"a": "down"}, 60)
    wait_for(lambda: state(two, "a") == state(two, "b") == "down", 60)
    wait_for(lambda: told(catcher, "down"), 60)
    page = two.fronts["b"].get("/m/shop", Accept="text/html").text
    assert "Seen from elsewhere" in page and "a: HTTP 500" in page
    assert "a: down, HTTP 500" in two.sites["b"].prober("status", "shop").stdout
    incident = two.fronts["b"].get("/api/v1/monitors/shop").json["incident"]
    wait_for(lambda: "a sees it down" in two.fronts["b"].get(f"/i/{incident}", Accept="text/html").text)
    time.sleep(5)
    assert told_names(catcher, "down") == ["a"]
    assert "another Upbeat has told it" in two.fronts["b"].get(f"/i/{incident}", Accept="text/html").text
    target.status = 200
    wait_for(lambda: state(two, "a") == state(two, "b") == "up", 60)
    wait_for(lambda: told(catcher, "up"), 60)
    time.sleep(5)
    assert told_names(catcher, "up") == ["a"]


def test_what_only_one_sees_is_not_down(trio, target, catcher):
    three = trio("a", "b", "c")
    three.start(target, catcher)
    all_up(three)
    three.to_target["c"].cut = True
    wait_for(lambda: state(three, "c") == "suspect", 60)
    wait_for(lambda: views(three, "a")["c"] == "down", 60)
    time.sleep(6)
    assert [state(three, name) for name in "abc"] == ["up", "up", "suspect"]
    three.to_target["b"].cut = True
    for name in "abc":
        wait_for(lambda: state(three, name) == "down", 60)
    wait_for(lambda: told(catcher, "down"), 60)
    three.to_target["b"].cut = False
    for name in "ab":
        wait_for(lambda: state(three, name) == "up", 60)
    wait_for(lambda: state(three, "c") in ("up", "suspect"), 60)
    three.to_target["c"].cut = False
    all_up(three)
    time.sleep(5)
    assert (told_names(catcher, "down"), told_names(catcher, "up")) == (["a"], ["a"])


def test_who_took_it_in_hand_is_known_to_all(trio, target, catcher):
    two = trio("a", "b")
    two.start(target, catcher, api_keys={"op": {"key": "operator-key-0123456789", "may": "write"}},
              monitors={"shop": {"type": "http", "url": target.url + "/",
                                 "notify": ["ops", {"channel": "late", "after": "6s"}]}},
              channels={"ops": {"type": "webhook", "url": catcher.url + "/ops"},
                        "late": {"type": "webhook", "url": catcher.url + "/late"}})
    all_up(two)
    target.status = 500
    wait_for(lambda: told(catcher, "down"), 60)
    wait_for(lambda: state(two, "b") == "down", 60)
    done = two.fronts["a"].post("/api/v1/monitors/shop/acknowledge", b"{}", **{
        "X-Api-Key": "operator-key-0123456789", "Content-Type": "application/json"})
    assert done.status < 300, done
    time.sleep(12)
    assert told_names(catcher) == ["ops"], "nor does b escalate what was acknowledged with a"


def test_the_next_tells_when_the_first_cannot_and_who_forgot_all_is_told_again(trio, target, catcher):
    two = trio("a", "b")
    two.start(target, catcher)
    all_up(two)
    catcher.script["/a"] = (500, b"out of order")
    target.status = 500
    wait_for(lambda: "b" in told_names(catcher, "down"), 60)
    assert len({event for _, event in told(catcher, "down")}) == 1
    wait_for(lambda: views(two, "a") == {"b": "down"}, 60)
    tries = told_names(catcher, "down").count("a")
    catcher.script.clear()
    two.sites["b"].stop(two.probers["b"])
    shutil.rmtree(two.sites["b"].store / "state")
    two.begin("b")
    wait_for(lambda: views(two, "b") == {"a": "down"}, 60)
    time.sleep(13)  # longer than the first wait of a's own second try
    assert told_names(catcher, "down").count("a") == tries, "b has told it"


def test_a_storm_is_told_by_one_of_them(trio, target, catcher):
    """The first message goes at once; the others are gathered for half a minute, and become a digest."""
    if not os.environ.get("UPBEAT_NIGHTLY"):
        pytest.skip("takes a minute and a half: nightly")
    two = trio("a", "b")
    monitors = {f"m{n}": {"type": "http", "url": target.url + "/"} for n in range(9)}
    slack = {"ops": {"type": "slack", "webhook": catcher.url + "/slack"}}
    two.start(target, catcher, peer_wait="40s", monitors=monitors, channels=slack)
    for name in "ab":
        wait_for(lambda: state(two, name, "m0") == "up", 60)
        wait_for(lambda: views(two, name, "m8") == {("b" if name == "a" else "a"): "up"}, 60)
    target.status = 500
    time.sleep(55)
    assert len(catcher.at("/slack")) == 2, [r.body for r in catcher.received]
    time.sleep(35)
    assert len(catcher.at("/slack")) == 2, [r.body for r in catcher.received]


# ---- messages written by hand

def message(**more):
    return {"version": 1, "from": "d", "to": "a", "time": time.time(), "every": 600, "monitors": [], **more}


def say(front, body, secret="between a and d", name="d"):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return front.post(f"/peer/{name}", body, **{"X-Hub-Signature-256": sign(secret, body)})


@pytest.fixture
def one(site, lighttpd, target):
    site.configure({
        "me": "a", "anonymous": "all",
        "peers": {"d": {"url": "http://127.0.0.1:9/", "secret": "between a and d"}},
        "defaults": {"interval": "1s", "confirm_waits": ["300ms"] * 4},
        "monitors": {"shop": {"type": "http", "url": target.url + "/"}}})
    site.start_prober("watch")
    site.front = lighttpd
    wait_for(lambda: lighttpd.get("/api/v1/monitors").status == 200, 60)
    return site


def test_refusals_in_their_order(one):
    front = one.front
    assert front.get("/peer/d").status == 405
    assert say(front, b"x" * 65537).status == 413
    assert say(front, b"{}", "another secret").status == 403
    assert say(front, b"{}", name="nobody").status == 403
    assert front.post("/peer/d", b"{}").status == 403
    assert front.post("/peer/d", b"{}", **{"X-Hub-Signature": sign("between a and d", b"{}", "sha1")}).status == 403
    for bad in (b"", b"[]", b"{", b"{}", b'{"from":"d","from":"d","to":"a","time":1}', message(to="b"), message(**{"from": "c"}),
                message(time="now"), message(monitors=[{}]), message(monitors={}), message(time=time.time() + 1000),
                message(time=time.time() - 1000)):
        assert say(front, bad).status == 400, bad
    first = message()
    assert say(front, first).json["ok"] is True
    again = say(front, first)
    assert again.status == 400 and "not newer" in again.json["error"]
    assert say(front, message(time=first["time"] - 1)).status == 400
    assert say(front, message(time=time.time() + 120)).status == 200, "clocks two minutes apart"
    one.store.joinpath("state").rename(one.store / "elsewhere")
    assert say(front, b"x" * 65537).status == 413
    wait_for(lambda: say(front, b"{}", "another secret").status == 503)


def test_older_and_newer_versions_are_understood(one):
    front = one.front
    say(front, {"from": "d", "to": "a", "time": time.time(), "monitors": [{"slug": "shop", "sees": "up"}]})
    wait_for(lambda: front.get("/api/v1/monitors/shop").json["places"], 60)
    place, = front.get("/api/v1/monitors/shop").json["places"]
    assert (place["name"], place["sees"], place["counts"]) == ("d", "up", True)
    say(front, message(version=7, mood={"deep": ["x"]}, monitors=[
        {"slug": "shop", "sees": "down", "cause": "HTTP 503", "state": "sleeping", "colour": [1, {"a": None}]},
        {"slug": "other", "sees": "sideways", "told": [{"id": "x", "who": "y"}, {}]}]))
    wait_for(lambda: front.get("/api/v1/monitors/shop").json["places"][0]["cause"] == "HTTP 503", 60)
    assert front.get("/api/v1/monitors/shop").json["places"][0]["sees"] == "down"
    say(front, message(offline=True))
    wait_for(lambda: front.get("/api/v1/monitors/shop").json["places"][0]["sees"] == "unknown", 60)
    say(front, message(gone=["shop", "never there"]))
    wait_for(lambda: front.get("/api/v1/monitors/shop").json["places"] == [], 60)


def test_one_that_takes_messages_and_sends_none_is_missed_at_once(site, lighttpd, catcher):
    """Its web server is there, its passes are not. Nothing else is looked at here that would show that we see."""
    site.configure({"me": "a", "peer_every": "1s", "anonymous": "all",
                    "peers": {"d": {"url": catcher.url + "/there/", "secret": "between a and d"}},
                    "monitors": {"job": {"type": "heartbeat", "token": "token-of-a-job", "max_age": "1h"}}})
    site.start_prober("watch")
    wait_for(lambda: catcher.at("/there/peer/a"), 60)
    assert say(lighttpd, message(every=1)).status == 200
    seen = {}
    wait_for(lambda: seen.setdefault(site.status("peer.d")["state"]) or "down" in seen, 60)
    assert "unknown" not in seen, "that would be: it may be us who are cut off"


def test_who_writes_all_the_time_keeps_no_pass_from_ending(site, lighttpd, target):
    """One of two passes is over at its minute's end: with messages still coming the next could not begin."""
    site.offset_ms = int((56 - time.time() % 60) * 1000)
    site.configure({
        "me": "a", "anonymous": "all",
        "peers": {"d": {"url": "http://127.0.0.1:9/", "secret": "between a and d"}},
        "defaults": {"interval": "1s"}, "monitors": {"shop": {"type": "http", "url": target.url + "/"}}})
    one_pass = site.start_prober("run")
    wait_for(lambda: lighttpd.get("/api/v1/monitors").status == 200)
    end = time.monotonic() + 20
    while one_pass.poll() is None:
        assert time.monotonic() < end, "the pass is still there, many seconds after its minute"
        say(lighttpd, message(time=time.time() + site.offset_ms / 1000))
        time.sleep(0.2)
    assert one_pass.returncode == 0


def test_thousands_of_rows_come_in_one_go_and_go_in_one_message(site, lighttpd, catcher):
    """What comes in several messages is not asked for anew before the last; what is taken out fills a message."""
    def configure(count, every="1m"):
        slugs = [f"one-of-many-with-a-name-that-is-long-{n:04}" for n in range(count)]
        site.configure({"me": "a", "peer_every": every, "anonymous": "all",
                        "peers": {"d": {"url": catcher.url + "/there/", "secret": "between a and d"}},
                        "monitors": {slug: {"type": "heartbeat", "token": slug, "max_age": "1h"} for slug in slugs}})

    def told(first):
        """Messages from the first-th on."""
        messages = [r.json for r in catcher.received if r.path == "/there/peer/a"][first:]
        return messages, [m for message in messages for m in message["monitors"]]

    def all_told(first):
        """Of a pass, or of two where the first had only what was left of a minute."""
        while not told(first)[0] or "more" in told(first)[0][-1]:
            assert site.a_pass(timeout=200).returncode == 0
        return told(first)
    configure(900)
    messages, rows = all_told(0)
    assert len({m["slug"] for m in rows}) == 901 and any("more" in m for m in messages)
    assert messages[0]["full"] and "more" not in messages[-1]
    assert all(len(r.body) <= 65536 for r in catcher.received)
    configure(1)
    before = len(messages)
    messages, rows = all_told(before)
    assert [len(m["gone"]) for m in messages if m["gone"]] == [899] and not any("again" in m for m in messages)

    before += len(messages)
    configure(1, "1s")
    watching = site.start_prober("watch")
    assert say(lighttpd, message(monitors=[{"slug": "one", "sees": "up"}], full=True, more=True)).status == 200
    wait_for(lambda: len(told(before)[0]) > 3)
    assert not any("again" in m for m in told(before)[0]), "the rest is still to come"
    assert say(lighttpd, message(monitors=[{"slug": "two", "sees": "up"}], digest="0123456789abcdef")).status == 200
    wait_for(lambda: any("again" in m for m in told(before)[0]))
    site.stop(watching)
