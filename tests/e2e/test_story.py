# SPDX-License-Identifier: ISC
"""The story of the mission, told once, through the real parts: a program beats, stops, is missed, beats again;
a site breaks and is mended; and people are told each thing once, in each of their ways."""
import hashlib
import hmac
import threading
import time

import pytest

from upbeat import wait_for

SECRET, HOOK_SECRET = "robot's secret", "hook's secret"
MAX_AGE = 3


@pytest.fixture
def world(site, front, target, catcher, mailbox):
    """The whole installation, with a prober that keeps passing."""
    site.configure({
        "url": "https://status.example.com/upbeat",
        "channels": {
            "chat": {"type": "slack", "webhook": catcher.url + "/services/T0/B0/x"},
            "post": {"type": "mail", "to": ["ops@example.com"], "from": "upbeat@example.com",
                     "smtp": f"smtp://127.0.0.1:{mailbox.port}"},
            "hook": {"type": "webhook", "url": catcher.url + "/hook", "secret": HOOK_SECRET}},
        "defaults": {"interval": "1s", "timeout": "2s", "notify": ["chat", "post", "hook"],
                     "confirm_waits": ["200ms", "200ms", "200ms", "200ms"], "recover_wait": "200ms"},
        "monitors": {
            "robot": {"type": "heartbeat", "name": "The robot", "secret": SECRET, "max_age": f"{MAX_AGE}s"},
            "shop": {"type": "http", "name": "The shop", "url": target.url + "/"}}})
    site.start_prober("watch")
    wait_for(lambda: front.get("/healthz").status == 200, 30)
    wait_for(lambda: site.status("shop")["state"] == "up", 30)
    site.front, site.target, site.catcher, site.mailbox = front, target, catcher, mailbox
    return site


class Robot(threading.Thread):
    """The program that beats twice a second while `beating`."""

    def __init__(self, front):
        super().__init__(daemon=True)
        self.front, self.beating, self.over = front, True, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.5):
            if self.beating:
                self.front.beat("robot", SECRET)


def told(world, event, monitor):
    """What each of the three ways has received of this event: (chat, mail, hook)."""
    hooks = [r for r in world.catcher.at("/hook") if (r.json["event"], r.json["monitor"]) == (event, monitor)]
    ids = {r.json["id"] for r in hooks}
    name = {"robot": "The robot", "shop": "The shop"}[monitor]
    is_up = event == "up"
    chats = [r for r in world.catcher.at("/services/T0/B0/x") if name in r.json["text"] and (" up" in r.json["text"]) == is_up]
    mails = [m for m in world.mailbox.mails if name in m["subject"] and (" up" in m["subject"]) == is_up]
    assert len(ids) <= 1
    return len(chats), len(mails), len(hooks)


def test_the_story(world):
    front = world.front
    assert front.beat("robot", SECRET).status == 200
    assert front.get("/beat/robot").status == 200
    robot = Robot(front)
    wait_for(lambda: world.status("robot")["state"] == "up")

    # It stops. A third party sees it at once, people are told once.
    robot.beating, began = False, time.time()
    wait_for(lambda: front.get("/beat/robot").status == 404)
    wait_for(lambda: told(world, "down", "robot") == (1, 1, 1), 30)
    assert world.status("robot")["state"] == "down"

    # It beats again, and they hear how long it was.
    robot.beating = True
    wait_for(lambda: front.get("/beat/robot").status == 200)
    wait_for(lambda: told(world, "up", "robot") == (1, 1, 1), 30)
    recovery = next(r.json for r in world.catcher.at("/hook") if r.json["event"] == "up")
    assert recovery["previous"] == "down" and recovery["state"] == "up"
    assert 0 < recovery["duration"] <= time.time() - began + 1

    # The shop answers 500, then is mended.
    world.target.status = 500

    def shop_is_missed():
        front.beat("robot", SECRET)
        return told(world, "down", "shop") == (1, 1, 1)
    wait_for(shop_is_missed, 30, every=0.5)
    outage = next(r for r in world.catcher.at("/hook") if r.json["monitor"] == "shop")
    assert outage.json["cause"] == "HTTP 500" and outage.json["incident"]
    assert outage.json["url"] == f"https://status.example.com/upbeat/i/{outage.json['incident']}"
    world.target.status = 200
    wait_for(lambda: told(world, "up", "shop") == (1, 1, 1), 30)

    # Every hook is signed, over the bytes as they came.
    for request in world.catcher.at("/hook"):
        mac = hmac.new(HOOK_SECRET.encode(), request.body, hashlib.sha256).hexdigest()
        assert request.headers["X-Hub-Signature-256"] == "sha256=" + mac
        assert request.headers["webhook-id"] == request.json["id"]

    # Nothing is told twice: some more passes change nothing.
    hits = world.target.hits
    wait_for(lambda: world.target.hits >= hits + 4, 30)
    assert [told(world, e, m) for e in ("down", "up") for m in ("robot", "shop")] == [(1, 1, 1)] * 4
    robot.over.set()
    robot.join()
