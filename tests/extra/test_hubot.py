# SPDX-License-Identifier: ISC
"""contrib/hubot/upbeat.js in real Hubots of three generations, before a real Upbeat: the room is told what Upbeat
tells and what Hubot sees itself, Upbeat is told that Hubot lives, and a person operates Upbeat from the room."""
import json
import signal
import time
import urllib.parse

import pytest

import catchers
from hubot import PLAIN, SECRET, make_hubot  # noqa: F401
from upbeat import ROOT, fetch, sign, wait_for

BEAT_SECRET, KEY = "robot's secret", "key-0123456789abcdef"


@pytest.fixture(params=PLAIN)
def hubot(request, make_hubot):
    return make_hubot(request.param)


@pytest.fixture
def world(site, lighttpd, target):
    """An Upbeat that keeps passing, and tells the room that `configure` is given."""
    def configure(room_url):
        site.configure({
            "url": "https://status.example.com/upbeat",
            "channels": {"room": {"type": "hubot", "url": room_url, "secret": SECRET, "room": "#web"}},
            "api_keys": {"hubot": {"key": KEY, "may": "write"}, "reader": {"key": "reader-" + KEY}},
            "defaults": {"interval": "1s", "timeout": "2s", "notify": ["room"],
                         "confirm_waits": ["200ms"] * 4, "recover_wait": "200ms"},
            "monitors": {
                "hubot": {"type": "heartbeat", "name": "Hubot", "secret": BEAT_SECRET, "max_age": "4s"},
                "shop": {"type": "http", "name": "The shop", "url": target.url + "/"}}})
        site.prober_process = site.start_prober("watch")
        wait_for(lambda: lighttpd.get("/healthz").status == 200, 30)
        wait_for(lambda: site.status("shop")["state"] == "up", 30)

    site.front, site.target, site.set_up = lighttpd, target, configure
    return site


def test_the_room_is_told_and_upbeat_knows_that_hubot_lives(world, hubot):
    world.set_up(hubot.url)
    hubot.start(URL=world.front.url, SECRET=SECRET, KEY=KEY, BEAT="hubot", BEAT_SECRET=BEAT_SECRET, BEAT_EVERY=1, EVERY=1)
    wait_for(lambda: world.front.get("/beat/hubot").status == 200)
    wait_for(lambda: world.status("hubot")["state"] == "up")
    assert hubot.say("hubot status") == "All 2 are up."
    assert hubot.say("@hubot: status the shop").startswith("UP: The shop [shop] for")

    # (a) An alert, in the room that the channel names.
    world.target.status = 502
    wait_for(lambda: hubot.lines("The shop", "#web"), 30)
    incident = world.status("shop")["incident"]
    said = hubot.say("hubot status")
    assert said.splitlines()[0] == "1 of 2 are up." and "DOWN: The shop" in said and f"(incident {incident})" in said

    # (d) The person answers it.
    assert hubot.say(f"hubot ack {incident} on it") == f"Incident {incident} (The shop) is acknowledged."
    shown = world.front.get(f"/api/v1/incidents/{incident}", **{"X-Api-Key": KEY}).json
    assert shown["acknowledged"] and shown["acknowledged_by"] == "hubot"
    assert any(e["text"] == "ann: on it" for e in shown["entries"])
    assert hubot.say("hubot maintenance shop 30m") == "The shop is in maintenance for 30 min."
    asked = lambda: world.front.get("/api/v1/monitors/shop", **{"X-Api-Key": KEY}).json  # noqa: E731
    assert "maintenance" in asked()["marks"]
    assert hubot.say("hubot maintenance The shop off") == "The shop is no longer in maintenance."
    assert "maintenance" not in asked()["marks"]

    # It is up again, and the room hears it once.
    world.target.status = 200
    wait_for(lambda: hubot.lines("The shop is up", "#web"), 30)
    time.sleep(1)
    assert [len(hubot.lines(f"The shop is {state}", "#web")) for state in ("down", "up")] == [1, 1]
    first = hubot.lines("The shop is down", "#web")[0]
    assert "/upbeat/i/1" in first and first.endswith(f"\n(hubot ack {incident})"), "what one may answer is there"
    assert "ack" not in hubot.lines("The shop is up", "#web")[0]

    # (b) Hubot dies: a third party sees it, and it is news.
    hubot.stop(signal.SIGKILL)
    wait_for(lambda: world.front.get("/beat/hubot").status == 404)
    wait_for(lambda: world.status("hubot")["state"] == "down", 30)


def test_hubot_sees_upbeat_die_and_other_addresses_too(world, hubot):
    """(c) without any package beside the script."""
    world.set_up(hubot.url)
    with catchers.Target() as other:
        hubot.start(URL=world.front.url, EVERY=1, WATCH=f"{other.url}/ http://127.0.0.1:1/", TIMEOUT=2)
        wait_for(lambda: hubot.lines("http://127.0.0.1:1/ - connection refused"))
        other.status = 500
        wait_for(lambda: hubot.lines(f"DOWN, as Hubot sees it: {other.url}/ - HTTP 500"))
        other.status = 200
        wait_for(lambda: hubot.lines(f"UP again: {other.url}/, after"))
    assert not hubot.lines("Upbeat itself")
    world.front.stop()
    wait_for(lambda: hubot.lines("Upbeat itself - connection refused"))
    time.sleep(3)
    assert len(hubot.lines("Upbeat itself")) == 1 and len(hubot.lines("127.0.0.1:1/")) == 1, "said once"


@pytest.mark.parametrize("version", ["3-cronjob", "14-cronjob", "14-cron"])
def test_cron_patterns_where_a_package_knows_them(make_hubot, target, version):
    hubot = make_hubot(version).start(WATCH=target.url + "/", EVERY="* * * * * *")
    wait_for(lambda: target.hits >= 3, 10)
    target.status = 404
    wait_for(lambda: hubot.lines("HTTP 404"))


def test_a_failure_is_looked_at_again_within_seconds(make_hubot, target):
    """However seldom it looks: here once a minute, by a clock that is not the minute's."""
    hubot = make_hubot("14-cron").start(WATCH=target.url + "/", EVERY="0 * * * * *" if time.time() % 60 < 45 else "30 * * * * *")
    target.status = 500
    wait_for(lambda: target.hits == 1, 70)
    began = time.monotonic()
    wait_for(lambda: hubot.lines("HTTP 500"), 15)
    assert target.hits == 2 and time.monotonic() - began < 12


def test_a_pattern_that_nobody_understands_does_not_stop_the_looking(make_hubot, target):
    wrong = make_hubot("3-cronjob").start(WATCH=target.url + "/", EVERY="* * * * * nonsense")
    alone = make_hubot("14").start(WATCH=target.url + "/", EVERY="* * * * * *")
    for one in (wrong, alone):
        wait_for(lambda: "HUBOT_UPBEAT_EVERY" in one.log_text())  # noqa: B023
        assert one.process.poll() is None
    assert target.hits == 0, "not before the first minute is over"


ALERT = {"id": "evt_1", "event": "down", "monitor": "shop", "text": "DOWN: Der Laden ✗ 100% a&b=c+d", "url": "https://status.example.com/i/1"}


def test_alerts_that_are_not_upbeats_are_refused(hubot):
    hubot.start(SECRET=SECRET)
    text = json.dumps(ALERT)
    assert hubot.alert(ALERT, secret=None).status == 403
    assert hubot.alert(ALERT, secret="another").status == 403
    assert hubot.alert(ALERT, secret=None, **{"X-Hub-Signature-256": "sha256="}).status == 403
    assert hubot.alert(text.replace("evt_1", "evt_2"), None, **{"X-Hub-Signature-256": sign(SECRET, text.encode())}).status == 403
    for nonsense in ("", "[]", "null", "{}", '{"id": 1, "text": "x"}', '{"id": "x"', '"x"'):
        assert hubot.alert(nonsense).status == 400, nonsense
    json_body = fetch(hubot.url, "POST", text.encode(), {"Content-Type": "application/json", "X-Hub-Signature-256": sign(SECRET, text.encode())})
    assert json_body.status == 400, "what is signed cannot be seen there"
    twice = urllib.parse.urlencode([("payload", text), ("payload", text)]).encode()
    assert fetch(hubot.url, "POST", twice, {"Content-Type": "application/x-www-form-urlencoded"}).status == 400
    assert hubot.heard == []
    assert hubot.alert(ALERT).status == 200
    hubot.stop()
    assert hubot.heard == [("#ops", ALERT["text"] + "\n" + ALERT["url"])]


def test_without_a_secret_nothing_is_taken(hubot):
    hubot.start()
    assert hubot.alert(ALERT, secret="").status == 403
    hubot.stop()
    assert hubot.heard == []


def test_an_alert_is_said_once_and_not_lost_when_the_room_is_closed(hubot):
    hubot.start(SECRET=SECRET)
    hubot.tell(broken=True)
    wait_for(lambda: hubot.broken)
    assert hubot.alert(ALERT, room="/%23web").status == 503, "Upbeat has to come again"
    hubot.tell(broken=False)
    wait_for(lambda: not hubot.broken)
    assert [hubot.alert(ALERT, room="/%23web").status for _ in range(3)] == [200] * 3
    assert [hubot.alert(ALERT).status for _ in range(2)] == [200] * 2
    hubot.stop()
    assert len(hubot.lines("Der Laden", "#web")) == 1
    assert len(hubot.lines("Der Laden")) == 1, "another room is told, too"


def test_commands_say_what_is_wrong(world, hubot):
    world.set_up(hubot.url)
    hubot.start(URL=world.front.url, KEY="reader-" + KEY, SECRET=SECRET)
    assert hubot.say("hubot status nothing") == 'Upbeat: there is no "nothing"'
    assert hubot.say("hubot status h") == "Upbeat: which one? hubot, shop"
    assert hubot.say("hubot ack 99") == "Upbeat: there is no incident 99"
    assert "no length of time" in hubot.say("hubot maintenance shop soon")
    assert hubot.say("hubot maintenance shop 1h").startswith("Upbeat: "), "this key may only read"
    world.front.stop()
    assert hubot.say("hubot status") == "Upbeat: connection refused"


@pytest.mark.parametrize("version", PLAIN[-1:])
def test_of_thousands_none_is_left_out(site, lighttpd, make_hubot, version):
    site.configure({"anonymous": "all", "monitors": {
        f"m{n:04}": {"type": "heartbeat", "name": f"Job {n}", "token": f"token-of-job-{n:04}", "max_age": "1h"} for n in range(1300)}})
    site.a_pass(check=True)
    hubot = make_hubot(version).start(URL=lighttpd.url)
    said = hubot.say("hubot status").splitlines()
    assert said[0] == "0 of 1300 are up." and said[-1] == "… and 1270 more"
    assert "[m1299]" in hubot.say("hubot status job 1299") and "m1299" in hubot.say("hubot status M1299")
    lighttpd.get("/ping/token-of-job-1299")
    site.a_pass(check=True)
    assert hubot.say("hubot status").startswith("1 of 1300 are up.")


def test_help_lists_the_commands(hubot):
    hubot.start()
    (hubot.folder / "scripts/listing.js").write_text(
        "module.exports = (robot) => robot.respond(/listing$/i, (res) => res.send(robot.helpCommands().join('\\n')))")
    hubot.stop()
    hubot.heard.clear()
    hubot.start()
    said = hubot.say("hubot listing")
    for command in ("status -", "status NAME -", "ack ID [TEXT] -", "maintenance NAME 30m -"):
        assert "hubot " + command in said


def test_it_reads_well_in_an_old_node_too():
    """Hubot 3 runs on Node 8 and later: nothing newer is in the script, and nothing but Node's own modules."""
    text = (ROOT / "contrib/hubot/upbeat.js").read_text()
    code = "\n".join(line.split("//")[0] if line.lstrip().startswith("//") else line for line in text.splitlines())
    for newer in ("?.", "??", "async ", "await ", "import ", "Object.fromEntries", ".flatMap(", ".replaceAll("):
        assert newer not in code, newer
    assert sorted(set(w.split("')")[0] for w in code.split("require('")[1:])) == ["crypto", "http", "https", "path"]
