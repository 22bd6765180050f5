# SPDX-License-Identifier: ISC
"""The mission, told as one story: monitoring that survives its own failures.

Two Upbeats on two hosts, one behind Apache and one behind lighttpd; Hubot in the team's room; UptimeRobot, StatusCake
and Pingdom somewhere far away. All of them look at things and at each other. Then each of them dies in turn, and each
time whoever is left tells the room, the mailbox and the phone: once.

    who dies              who notices                               who tells the room, the mailbox, the phone
    the shop              the first, UptimeRobot                    the first, all three
    Hubot                 the first (no beats), StatusCake          the first, mailbox and phone
    the first's host      the second, Hubot, UptimeRobot            Hubot the room, the second the others
    the second's host     the first, Pingdom                        the first, all three
    the first's cron      the second, Hubot, UptimeRobot            Hubot the room, the second the others
    a third party         nobody: it speaks only when it sees       nobody

Here a stand-in plays Hubot; tests/extra has the same story with the real one.
"""
import signal

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
        self.start_web()
        self.start_cron()

    def die(self):
        self.stop_cron()
        self.front.stop()

    def hook(self, service):
        return f"{self.url}/hook/{service}/{HOOK_KEY}"

    def sees(self, slug, state):
        wait_for(lambda: (slug, state) in [(m["slug"], m["state"]) for m in self.site.status()["monitors"]], 45)

    def testimony(self, slug):
        """Who has a say in the incident that is open for this monitor, and what they said."""
        incident = self.site.status(slug)["incident"]
        entries = self.front.get(f"/api/v1/incidents/{incident}").json["entries"]
        return {e["who"]: e["text"] for e in entries if e["kind"] == "attempt" and e["who"]}


class World:
    def __init__(self, first, second, shop, hubot, mailbox, phone):
        self.first, self.second, self.shop, self.hubot = first, second, shop, hubot
        self.mailbox, self.phone, self.told = mailbox, phone, cast.Told(hubot, mailbox, phone)
        self.uptimerobot, self.statuscake, self.pingdom = cast.UptimeRobot(), cast.StatusCake(), cast.Pingdom()

    def configure(self, host, name, monitors):
        """`name` is who signs the mails and the pushes, so that one sees who told."""
        host.site.configure({
            "anonymous": "all", "self_check": False, "api_keys": {"eyes": {"key": HOOK_KEY, "may": "hook"}},
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
        for host in (first, second):  # each has made a pass before anybody looks at it
            self.configure(host, "nobody", {})
            host.site.a_pass(check=True)
        self.configure(first, "first", {
            "shop": {"type": "http", "name": "The shop", "url": self.shop.url + "/", "public": True,
                     "sources": {"uptimerobot": "The shop"}},
            "hubot": {"type": "heartbeat", "name": "Hubot", "secret": BEAT_SECRET, "max_age": "8s",
                      "sources": {"statuscake": "Hubot"}, "notify": ["mailbox", "phone"]},
            "second": {"type": "http", "name": "The second Upbeat", "url": second.url + "/healthz",
                       "sources": {"pingdom": "12345"}}})
        self.configure(second, "second", {
            "first": {"type": "http", "name": "The first Upbeat", "url": first.url + "/healthz",
                      "sources": {"uptimerobot": "The first Upbeat"}, "notify": ["mailbox", "phone"]}})
        self.uptimerobot.watch("The shop", self.shop.url + "/", first.hook("uptimerobot"))
        self.uptimerobot.watch("The first Upbeat", first.url + "/healthz", second.hook("uptimerobot"))
        self.statuscake.watch("Hubot", first.url + "/beat/hubot", first.hook("statuscake"))
        self.statuscake.watch("The shop, as Upbeat sees it", first.url + "/up/shop")
        self.pingdom.watch("The second Upbeat", second.url + "/healthz", first.hook("pingdom"))
        for host in (first, second):
            host.start_cron()
        self.hubot.start(first.url)
        for slug in ("shop", "hubot", "second"):
            first.sees(slug, "up")
        second.sees("first", "up")
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
def world(open_folder, target, mailbox, catcher, hubot, request):
    first, second = Host(open_folder / "first", Apache), Host(open_folder / "second", Lighttpd)
    it = World(first, second, target, hubot, mailbox, catcher)
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

    # The shop breaks. The first Upbeat tells everybody; UptimeRobot saw it too, and its word is in the evidence.
    world.shop.status = 502
    told.exactly(room="The shop is down", mailbox="first: The shop is down", phone="first: The shop is down")
    wait_for(lambda: first.testimony("shop") == {"uptimerobot": "HTTP 502"})
    assert world.statuscake.sees["The shop, as Upbeat sees it"] == "down"
    world.shop.status = 200
    told.exactly(room="The shop is up", mailbox="first: The shop is up", phone="first: The shop is up")

    # Hubot dies, and cannot say so. It is missed: by its beats, and by StatusCake, who asks for them.
    hubot.kill()
    told.exactly(mailbox="first: Hubot is down", phone="first: Hubot is down")
    wait_for(lambda: first.testimony("hubot") == {"statuscake": "HTTP 404"})
    hubot.start(first.url)
    told.exactly(mailbox="first: Hubot is up", phone="first: Hubot is up")

    # The first Upbeat's host dies. Hubot sees it and says it in the room; the second writes to the others, and
    # UptimeRobot bears it witness.
    first.die()
    told.exactly(room="DOWN, as Hubot sees it: Upbeat itself", mailbox="second: The first Upbeat is down",
                 phone="second: The first Upbeat is down")
    wait_for(lambda: "uptimerobot" in second.testimony("first"))
    first.start()
    told.exactly(room="UP again: Upbeat itself", mailbox="second: The first Upbeat is up",
                 phone="second: The first Upbeat is up")

    # The second Upbeat's host dies. The first tells everybody; Pingdom has seen it too.
    second.die()
    told.exactly(room="The second Upbeat is down", mailbox="first: The second Upbeat is down",
                 phone="first: The second Upbeat is down")
    wait_for(lambda: first.testimony("second") == {"pingdom": "Connection refused"})
    second.start()
    told.exactly(room="The second Upbeat is up", mailbox="first: The second Upbeat is up",
                 phone="first: The second Upbeat is up")

    # A third party cries wolf, and then dies with its "down" still standing. The others see better: no word.
    world.pingdom.tell("The second Upbeat", second.url, first.hook("pingdom"), "down", 500)
    world.pingdom.leave()
    told.exactly()

    # Last, only the first's cron stops. Its web server lives, and does not pretend: four minutes later /healthz is 503,
    # which is what everybody looks at.
    first.stop_cron()
    first.front.stop()
    first.site.offset_ms = 4 * 60_000
    first.start_web()
    assert first.front.get("/healthz").status == 503
    assert first.front.get("/up/shop").json == {"ok": False, "state": "unknown"}
    told.exactly(room="DOWN, as Hubot sees it: Upbeat itself", mailbox="second: The first Upbeat is down",
                 phone="second: The first Upbeat is down")

    # And whatever the third parties told was taken, but for what StatusCake said of Hubot to a host that was dead.
    assert set(world.uptimerobot.answers) == set(world.pingdom.answers) == {200}
    assert set(world.statuscake.answers) <= {200, 0}
