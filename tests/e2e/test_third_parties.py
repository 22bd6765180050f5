# SPDX-License-Identifier: ISC
"""Third parties as further eyes, with the messages that they send; and services that watch us, with what they poll."""
import json
import socket
import time
import urllib.parse

import pytest

from upbeat import Site, Lighttpd, wait_for

KEY, READER = "hook-key_0123456789abcdef", "reader-key-0123456789"


def robot(kind, name="My shop", **more):
    return json.dumps({"monitorID": "777", "monitorFriendlyName": name, "monitorURL": "https://shop.example.com/",
                       "alertType": kind, "alertDetails": "HTTP 502 - Bad Gateway", "alertDuration": "*alertDuration*",
                       "alertDateTime": str(int(time.time())), **more}).encode()


def cake(status, code):
    return urllib.parse.urlencode({"Token": "8db9fb234595dfa33b276cdd3d6ef6ab", "Status": status, "StatusCode": code,
                                   "URL": "https://shop.example.com/", "IP": "192.0.2.1", "Tags": "", "Name": "Shop",
                                   "CheckRate": "300"}).encode()


def pingdom(state):
    return json.dumps({"check_id": 12345, "check_name": "Shop", "check_type": "HTTP", "check_params": {"port": 443},
                       "tags": [], "previous_state": "UP", "current_state": state, "importance_level": "HIGH",
                       "state_changed_timestamp": int(time.time()), "long_description": "HTTP Server Error 503",
                       "description": "HTTP Server Error 503", "first_probe": {"ip": "192.0.2.1"}, "version": 1}).encode()


def set_up(site, front, target, catcher):
    site.configure({
        "channels": {"hook": {"type": "webhook", "url": catcher.url + "/hook"}}, "anonymous": "all",
        "api_keys": {"eyes": {"key": KEY, "may": "hook"}, "reader": {"key": READER}},
        "defaults": {"interval": "1s", "timeout": "2s", "notify": ["hook"], "confirm_waits": ["200ms"] * 4,
                     "recover_wait": "200ms"},
        "monitors": {"shop": {"type": "http", "url": target.url + "/", "sources": {
            "uptimerobot": "My shop", "statuscake": ["Shop"], "pingdom": ["12345", "Old name"]}}}})
    site.start_prober("watch")
    wait_for(lambda: front.get("/healthz").status == 200, 30)
    wait_for(lambda: site.status("shop")["state"] == "up", 30)
    site.front = front
    return site


@pytest.fixture
def world(site, lighttpd, target, catcher):
    return set_up(site, lighttpd, target, catcher)


def places(front):
    return {p["name"]: (p["sees"], p["cause"], p["counts"])
            for p in front.get("/api/v1/monitors/shop", **{"X-Api-Key": READER}).json["places"]}


def told(catcher, event):
    return [r for r in catcher.at("/hook") if r.json["event"] == event]


def test_what_most_of_them_see_is_told_once(world, catcher):
    front = world.front
    assert front.post(f"/hook/uptimerobot/{KEY}", robot("1"), **{"Content-Type": "application/json"}).status == 200
    wait_for(lambda: places(front) == {"uptimerobot": ("down", "HTTP 502 - Bad Gateway", True)})
    time.sleep(2)
    assert world.status("shop")["state"] == "up", "one of two is not most of them"

    assert front.post(f"/hook/pingdom/{KEY}", pingdom("DOWN"), **{"Content-Type": "application/json"}).json == {"ok": True}
    wait_for(lambda: told(catcher, "down"), 30)
    assert world.status("shop")["cause"] == "pingdom: HTTP Server Error 503"
    incident = front.get(f"/api/v1/incidents/{world.status('shop')['incident']}", **{"X-Api-Key": READER}).json
    assert {e["who"] for e in incident["entries"] if e["kind"] == "attempt"} >= {"pingdom", "uptimerobot", None}
    page = front.get("/m/shop", Accept="text/html").text
    assert "Seen from elsewhere" in page and "uptimerobot: HTTP 502 - Bad Gateway" in page
    assert "pingdom sees it down: HTTP Server Error 503" in front.get(f"/i/{incident['id']}", Accept="text/html").text

    assert front.post(f"/hook/statuscake/{KEY}", cake("Up", 200),
                      **{"Content-Type": "application/x-www-form-urlencoded"}).status == 200
    assert front.post(f"/hook/uptimerobot/{KEY}?" + urllib.parse.urlencode(json.loads(robot("2")))).status == 200
    wait_for(lambda: told(catcher, "up"), 30)
    assert (len(told(catcher, "down")), len(told(catcher, "up"))) == (1, 1)


def test_what_is_not_ours_or_not_theirs_changes_nothing_but_is_shown(world):
    """Refused, it would be repeated, and some day the webhook would be switched off; so it is taken, and told here."""
    front, json_type = world.front, {"Content-Type": "application/json"}

    def post(path, body):
        return front.post(path, body, **json_type)

    assert post(f"/hook/uptimerobot/{KEY}", robot("1", "Somebody else's", monitorID="1")).json == {"ok": True}
    assert post(f"/hook/uptimerobot/{KEY}", robot("3")).json == {"ok": True}, "a certificate's end"
    assert post(f"/hook/uptimerobot/{KEY}", robot("9")).status == 200
    broken = post(f"/hook/pingdom/{KEY}", b'{"nonsense": <u>')
    assert broken.status == 200 and broken.json["ok"] is False
    assert post(f"/hook/statuscake/{KEY}", b"").status == 200
    assert front.request("HEAD", f"/hook/statuscake/{KEY}").status == 200
    assert post(f"/hook/uptimerobot/{READER}", robot("1")).status == 404
    assert post(f"/hook/nobody/{KEY}", robot("1")).status == 404
    assert post(f"/hook/pingdom/{KEY}", b" " * 70_000).status == 413

    expected = ['uptimerobot reports "Somebody else\'s", which no monitor has among its sources',
                "a message of uptimerobot cannot be understood: its state is none that we know",
                'a message of pingdom cannot be understood', 'a message of statuscake cannot be understood']

    def problems():
        return [p["text"] for p in front.get("/api/v1/monitors", **{"X-Api-Key": READER}).json["config"]["problems"]]
    wait_for(lambda: all(any(e in p for p in problems()) for e in expected))
    page = front.get("/", Accept="text/html").text
    assert "which no monitor has among its sources" in page and "<u>" not in page
    log = (world.store / "prober.log").read_text()
    said = world.prober("doctor").stdout
    for one in expected:
        assert one in log and one in said, one
    assert places(front) == {} and world.status("shop")["state"] == "up"


def test_each_web_server_lets_a_webhook_through(site, front, target):
    site.configure({"api_keys": {"eyes": {"key": KEY, "may": "hook"}, "reader": {"key": READER}},
                    "monitors": {"shop": {"type": "http", "url": target.url + "/", "interval": "1h", "sources": {
                        "uptimerobot": "777", "statuscake": "https://shop.example.com/", "pingdom": "Shop"}}}})
    site.a_pass(check=True)
    for service, body, kind in (("uptimerobot", robot("2"), "application/json"), ("pingdom", pingdom("UP"), "application/json"),
                                ("statuscake", cake("Up", 200), "application/x-www-form-urlencoded")):
        assert front.post(f"/hook/{service}/{KEY}", body, **{"Content-Type": kind}).json == {"ok": True}, service
    query = urllib.parse.urlencode({"name": "Shop", "status": "Up", "statuscode": "200", "url": "https://shop.example.com/"})
    assert front.get(f"/hook/statuscake/{KEY}?{query}").json == {"ok": True}
    site.a_pass(check=True)
    assert {name: sees for name, (sees, _, _) in places(front).items()} == {
        "uptimerobot": "up", "statuscake": "up", "pingdom": "up"}


def test_report_to_our_own_ping_and_what_they_poll(open_folder, target):
    """Two installations: the second hears of each good pass of the first, and misses it when it stops."""
    sites = []
    for name in ("first", "second"):
        folder = open_folder / name
        folder.mkdir()
        sites.append(Site(folder))
    first, second = sites
    try:
        token = "report-token-0123456789"
        second.configure({"monitors": {"first": {"type": "heartbeat", "token": token, "max_age": "70s"}}})
        second_front, first_front = Lighttpd(second), Lighttpd(first)
        second.a_pass(check=True)
        first.configure({"report_to": f"{second_front.url}/ping/{token}", "monitors": {
            "shop": {"type": "http", "url": target.url + "/", "public": True},
            "job": {"type": "heartbeat", "secret": "job's secret", "max_age": "5m"}}})
        assert second_front.get("/beat/first").status == 404
        first.a_pass(check=True)
        assert second_front.get("/beat/first").status == 200
        first_front.beat("job", "job's secret")
        for path in ("/healthz", "/up/shop", "/beat/job"):
            assert first_front.get(path).status == 200 and first_front.get(path).body, path
            assert first_front.request("HEAD", path).status == 200, path
        second_front.stop()
        second.offset_ms = 80_000
        second_front = Lighttpd(second)
        assert second_front.get("/beat/first").status == 404, "the first has not passed for 80 seconds"
    finally:
        for one in sites:
            one.close()


def test_report_to_is_tried_twice_logged_once_and_never_holds_up_a_pass(site, target, catcher):
    """Whatever the other service does; a redirection is followed, as from http:// to https:// it must be."""
    hits = lambda path: len(catcher.at(path))  # noqa: E731
    log = lambda: (site.store / "prober.log").read_text()  # noqa: E731

    def configure(report_to):
        site.configure({"report_to": report_to, "monitors": {"shop": {"type": "http", "url": target.url + "/", "interval": "1h"}}})

    def a_pass():
        begun = time.monotonic()
        done = site.a_pass(check=True)
        return time.monotonic() - begun, done.stdout + done.stderr

    catcher.script["/gone"] = (404, b"")
    configure(catcher.url + "/gone")
    said = a_pass()[1] + a_pass()[1]
    assert hits("/gone") == 4 and log().count("report_to: HTTP 404") == 1 and said.count("report_to") <= 1

    catcher.script["/old"] = (301, b"", ("Location", catcher.url + "/new"))
    configure(catcher.url + "/old")
    a_pass()
    assert hits("/new") == 1 and "report_to: it is answered again" in log()

    with socket.socket() as silent:  # accepts, and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        configure(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        seconds, _ = a_pass()
        assert seconds < 20 and log().count("report_to:") == 3
        assert site.status()["passes"]["fresh"] and site.status("shop")["state"] == "up"

    # A pass that cannot store is not reported.
    catcher.received.clear()
    configure(catcher.url + "/beat")
    a_pass()
    assert hits("/beat") == 1
    site.config_file.write_text(site.config_file.read_text().replace('"interval"', '"intervall"'))
    assert site.a_pass().returncode == 1
    assert hits("/beat") == 1


def test_a_busy_pass_reports_before_its_minute_is_over(site, target, catcher):
    site.configure({"report_to": catcher.url + "/beat", "monitors": {"shop": {"type": "http", "url": target.url + "/", "interval": "1s"}}})
    while time.time() % 60 > 45:  # there must be something left of the minute
        time.sleep(0.5)
    left, begun = 60 - time.time() % 60, time.monotonic()
    process = site.start_prober("run")
    wait_for(lambda: catcher.at("/beat"), left)
    assert time.monotonic() - begun < left * 0.6 and process.poll() is None
