# SPDX-License-Identifier: ISC
"""The mission, told as one story: monitoring that survives its own failures.

Two Upbeats on two hosts, one behind Apache and one behind lighttpd, peers of each other; Hubot in the team's room;
UptimeRobot, StatusCake and Pingdom somewhere far away. All of them look at things and at each other. Then each of them
dies in turn, and each time whoever is left tells the room, the mailbox and the phone: once.

    who dies              who notices                               who tells the room, the mailbox, the phone
    the shop              both Upbeats, UptimeRobot                 the first, all three
    Hubot                 the first (no beats), StatusCake          the first, mailbox and phone
    the first's host      the second, Hubot, UptimeRobot            Hubot the room, the second the others
      and then the office the second                                the second, all three
    the second's host     the first, Pingdom                        the first, all three
    the first's cron      the second at once, Hubot when            the second the mailbox and the phone,
                          /healthz no longer believes it            Hubot the room
    a third party         nobody: it speaks only when it sees       nobody

Here a stand-in plays Hubot; tests/extra has the same story with the real one.
"""
import signal
import time

import pytest

import cast
import catchers
from upbeat import Apache, Lighttpd, Site, wait_for

ROOM_SECRET, BEAT_SECRET, HOOK_KEY = "room's secret", "robot's secret", "hook-key_0123456789abcdef"


class Host:
    """A machine with an Upbeat on it: its web server and its cron live and die together, or one by one."""

    def __init__(self, folder, server):
        folder.mkdir()
        self.site, self.server, self.port = Site(folder), server, None
        self.start_web()

    def start_web(self):
        self.front = self.server(self.site, port=self.port)
        self.port, self.url = self.front.port, self.front.url

    def start_cron(self):
        self.cron = self.site.start_prober("watch")

    def stop_cron(self):
        self.site.stop(self.cron, signal.SIGKILL)

    def start(self):
        """As after a reboot: the web server is there at once, cron when its minute comes."""
        self.start_web()
        time.sleep(2.5)
        self.start_cron()

    def die(self):
        self.stop_cron()
        self.front.stop()

    def hook(self, service):
        return f"{self.url}/hook/{service}/{HOOK_KEY}"

    def sees(self, slug, state):
        wait_for(lambda: (slug, state) in [(m["slug"], m["state"]) for m in self.site.status()["monitors"]], 45)

    def view(self, slug):
        """What each of the others says of it now."""
        return {p["name"]: p["sees"] for p in self.front.get(f"/api/v1/monitors/{slug}").json["places"]}

    def testimony(self, slug):
        """Who has a say in the incident that is open for this monitor, and what they said."""
        incident = self.site.status(slug)["incident"]
        entries = self.front.get(f"/api/v1/incidents/{incident}").json["entries"]
        return {e["who"]: e["text"] for e in entries if e["kind"] == "attempt" and e["who"]}


class World:
    def __init__(self, first, second, shop, office, hubot, mailbox, phone):
        self.first, self.second, self.shop, self.office, self.hubot = first, second, shop, office, hubot
        self.mailbox, self.phone, self.told = mailbox, phone, cast.Told(hubot, mailbox, phone)
        self.uptimerobot, self.statuscake, self.pingdom = cast.UptimeRobot(), cast.StatusCake(), cast.Pingdom()

    def configure(self, host, name, monitors):
        """`name` is what the other calls it, and who signs the mails and the pushes, so that one sees who told."""
        other = self.second if host is self.first else self.first
        host.site.configure({
            "anonymous": "all", "self_check": False, "api_keys": {"eyes": {"key": HOOK_KEY, "may": "hook"}},
            "me": name, "peer_every": "2s", "peer_wait": "10s",
            "peers": {"second" if name == "first" else "first": {"url": other.url, "secret": "between the two"}},
            "channels": {
                "room": {"type": "hubot", "url": self.hubot.alerts, "secret": ROOM_SECRET},
                "mailbox": {"type": "mail", "to": ["ops@example.com"], "from": f"{name}@example.com",
                            "smtp": f"smtp://127.0.0.1:{self.mailbox.port}"},
                "phone": {"type": "pushbullet", "token": name, "api": self.phone.url}},
            "defaults": {"interval": "1s", "timeout": "2s", "notify": ["room", "mailbox", "phone"],
                         "confirm_waits": ["300ms"] * 4, "recover_wait": "300ms"},
            "monitors": monitors})

    def begin(self):
        """What each is told to look at, and to whom the third parties tell it."""
        first, second = self.first, self.second
        shop = {"type": "http", "name": "The shop", "url": self.shop.url + "/", "public": True}
        office = {"type": "http", "name": "The office", "url": self.office.url + "/"}
        self.configure(first, "first", {
            "shop": {**shop, "sources": {"uptimerobot": "The shop", "statuscake": "The shop"}}, "office": office,
            "hubot": {"type": "heartbeat", "name": "Hubot", "secret": BEAT_SECRET, "max_age": "8s",
                      "sources": {"statuscake": "Hubot"}, "notify": ["mailbox", "phone"]},
            "peer.second": {"type": "peer", "peer": "second", "name": "The second Upbeat",
                            "sources": {"pingdom": "12345"}}})
        self.configure(second, "second", {
            "shop": shop, "office": office,
            "peer.first": {"type": "peer", "peer": "first", "name": "The first Upbeat", "notify": ["mailbox", "phone"],
                           "sources": {"uptimerobot": "The first Upbeat"}}})
        self.uptimerobot.watch("The shop", self.shop.url + "/", first.hook("uptimerobot"))
        self.uptimerobot.watch("The first Upbeat", first.url + "/healthz", second.hook("uptimerobot"))
        self.statuscake.watch("Hubot", first.url + "/beat/hubot", first.hook("statuscake"))
        self.statuscake.watch("The shop, as Upbeat sees it", first.url + "/up/shop")
        self.pingdom.watch("The second Upbeat", second.url + "/healthz", first.hook("pingdom"))
        for host in (first, second):
            host.start_cron()
        for host in (first, second):
            wait_for(lambda: host.front.get("/healthz").status == 200, 30)  # noqa: B023
        self.hubot.start(first.url)
        for slug in ("shop", "office", "hubot", "peer.second"):
            first.sees(slug, "up")
        for slug in ("shop", "office", "peer.first"):
            second.sees(slug, "up")
        for service in self.services():
            service.start()

    def services(self):
        return self.uptimerobot, self.statuscake, self.pingdom

    def end(self):
        for service in self.services():
            service.leave()
        for host in (self.first, self.second):
            host.site.close()


@pytest.fixture
def hubot():
    with cast.StandIn(ROOM_SECRET, BEAT_SECRET) as it:
        yield it


@pytest.fixture
def office():
    with catchers.Target() as it:
        yield it


@pytest.fixture
def world(open_folder, target, office, mailbox, catcher, hubot, request):
    first, second = Host(open_folder / "first", Apache), Host(open_folder / "second", Lighttpd)
    it = World(first, second, target, office, hubot, mailbox, catcher)
    try:
        it.begin()
        yield it
    finally:
        it.end()
        if getattr(getattr(request.node, "report_call", None), "failed", True):
            print(it.told.now(), first.site.logs(), second.site.logs())


def test_whoever_is_left_tells_once(world):
    first, second, hubot, told = world.first, world.second, world.hubot, world.told

    # A quiet morning: everything is up, everybody looks, nobody says a word.
    told.exactly()

    # The shop breaks. Both Upbeats see it, and the first tells everybody; UptimeRobot saw it too: evidence.
    world.shop.status = 502
    told.exactly(room="The shop is down", mailbox="first: The shop is down", phone="first: The shop is down")
    first.sees("shop", "down"), second.sees("shop", "down")
    wait_for(lambda: first.testimony("shop").get("uptimerobot") == "HTTP 502")
    wait_for(lambda: world.statuscake.sees["The shop, as Upbeat sees it"] == "down")
    world.shop.status = 200
    told.exactly(room="The shop is up", mailbox="first: The shop is up", phone="first: The shop is up")

    # Hubot dies, and cannot say so. It is missed: by its beats, and by StatusCake, who asks for them.
    hubot.kill()
    told.exactly(mailbox="first: Hubot is down", phone="first: Hubot is down")
    wait_for(lambda: first.testimony("hubot") == {"statuscake": "HTTP 404"})
    hubot.start(first.url)
    told.exactly(mailbox="first: Hubot is up", phone="first: Hubot is up")

    # The first Upbeat's host dies. Hubot sees it and says it in the room, the second writes to the others, and
    # UptimeRobot bears witness.
    first.die()
    told.exactly(room="DOWN, as Hubot sees it: Upbeat itself", mailbox="second: The first Upbeat is down",
                 phone="second: The first Upbeat is down")
    wait_for(lambda: "uptimerobot" in second.testimony("peer.first"))

    # As if that were not enough, the office breaks. The second looks on alone, and tells alone.
    world.office.status = 500
    told.exactly(room="The office is down", mailbox="second: The office is down", phone="second: The office is down")
    world.office.status = 200
    told.exactly(room="The office is up", mailbox="second: The office is up", phone="second: The office is up")
    first.start()
    told.exactly(room="UP again: Upbeat itself", mailbox="second: The first Upbeat is up",
                 phone="second: The first Upbeat is up")

    # The second Upbeat's host dies. The first tells everybody; Pingdom has seen it too.
    second.die()
    told.exactly(room="The second Upbeat is down", mailbox="first: The second Upbeat is down",
                 phone="first: The second Upbeat is down")
    wait_for(lambda: first.testimony("peer.second").get("pingdom") == "Connection refused")
    second.start()
    told.exactly(room="The second Upbeat is up", mailbox="first: The second Upbeat is up",
                 phone="first: The second Upbeat is up")

    # StatusCake cries wolf about the shop, and then dies with its "down" still standing. The others see better: no word.
    world.statuscake.tell("The shop", world.shop.url, first.hook("statuscake"), "down", 500)
    world.statuscake.leave()
    wait_for(lambda: first.view("shop").get("statuscake") == "down")
    told.exactly()

    # Last, only the first's cron stops. The second misses its messages, and says so.
    first.stop_cron()
    told.exactly(mailbox="second: The first Upbeat is down", phone="second: The first Upbeat is down")

    # Its web server lives, and does not pretend: four minutes later /healthz is 503, and nothing is up that nobody looked
    # at. That is what Hubot sees; to the mailbox and the phone it is no news.
    first.front.stop()
    first.site.offset_ms = 4 * 60_000
    first.start_web()
    assert first.front.get("/healthz").status == 503
    assert first.front.get("/up/shop").json == {"ok": False, "state": "unknown"}
    wait_for(lambda: world.uptimerobot.sees["The first Upbeat"] == "down")
    told.exactly(room="DOWN, as Hubot sees it: Upbeat itself")

    # And whatever the third parties told was taken, but for what StatusCake said of Hubot to a host that was dead.
    assert set(world.uptimerobot.answers) == set(world.pingdom.answers) == {200}
    assert set(world.statuscake.answers) <= {200, 0}
