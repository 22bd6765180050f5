# SPDX-License-Identifier: ISC
"""The cast of the story in test_parallel_eyes.py: services that look at us from outside and tell what they see,
each in its own way, and a stand-in for Hubot where npm has not brought the real one."""
import hashlib
import hmac
import json
import threading
import time
import urllib.parse

import catchers
from upbeat import fetch, sign, wait_for

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def outcome(url, method="GET", **headers):
    """What a watcher sees of a URL: ("up", 200) or ("down", 503); the status is 0 when nothing answers."""
    try:
        answer = fetch(url, method, headers=headers, timeout=5)
    except OSError:
        return "down", 0
    good = 200 <= answer.status < 400 and (method == "HEAD" or answer.body)
    return "up" if good else "down", answer.status


class Service(threading.Thread):
    """A third party: looks at each of its checks three times a second, believes what it sees twice in a row, and
    then calls the check's webhook, if it has one, once. `sees` says what it believes now, `answers` what the webhooks
    were answered: 0 where nobody was there to take it."""

    method, agent = "GET", ""

    def __init__(self):
        super().__init__(daemon=True)
        self.checks, self.sees, self.answers, self.over = {}, {}, [], threading.Event()

    def watch(self, name, url, hook=None):
        self.checks[name] = (url, hook)
        self.sees[name] = "up"

    def run(self):
        last = {}
        while not self.over.wait(0.3):
            for name, (url, hook) in list(self.checks.items()):
                seen, status = outcome(url, self.method, **{"User-Agent": self.agent})
                if seen != self.sees[name] and last.get(name) == seen:
                    self.sees[name] = seen
                    if hook:
                        self.tell(name, url, hook, seen, status)
                last[name] = seen

    def tell(self, name, url, hook, seen, status):
        body, headers = self.message(name, url, seen, status)
        try:
            self.answers.append(fetch(hook, "POST", body, headers).status)
        except OSError:
            self.answers.append(0)

    def message(self, name, url, seen, status):
        raise NotImplementedError

    def leave(self):
        self.over.set()
        if self.is_alive():
            self.join()


class UptimeRobot(Service):
    """Asks with HEAD, and tells with JSON whose values are all strings."""

    method, agent = "HEAD", "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)"

    def message(self, name, url, seen, status):
        return json.dumps({
            "monitorID": "777810874", "monitorURL": url, "monitorFriendlyName": name,
            "alertType": {"down": "1", "up": "2"}[seen], "alertTypeFriendlyName": seen.title(),
            "alertDetails": f"HTTP {status}" if status else "Connection Timeout",
            "alertDuration": "*alertDuration*", "alertDateTime": str(int(time.time()))}).encode(), JSON


class StatusCake(Service):
    """Asks with GET, and tells with a form."""

    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) StatusCake"

    def message(self, name, url, seen, status):
        return urllib.parse.urlencode({
            "Token": hashlib.md5(b"aliceKEY123").hexdigest(), "Status": seen.title(), "StatusCode": status, "URL": url,
            "IP": "192.0.2.1", "Tags": "", "Name": name, "CheckRate": "60"}).encode(), FORM


class Pingdom(Service):
    """Asks with GET, and tells with JSON that has numbers and objects in it."""

    agent = "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)"

    def message(self, name, url, seen, status):
        words = f"HTTP Server Error {status}" if status else "Connection refused"
        return json.dumps({
            "check_id": 12345, "check_name": name, "check_type": "HTTP",
            "check_params": {"full_url": url, "hostname": "127.0.0.1", "port": 80, "encryption": False},
            "tags": [], "previous_state": {"down": "UP", "up": "DOWN"}[seen], "current_state": seen.upper(),
            "importance_level": "HIGH", "state_changed_timestamp": int(time.time()), "long_description": words,
            "description": words, "first_probe": {"ip": "192.0.2.1", "location": "Somewhere"}, "version": 1}).encode(), JSON


class StandIn(catchers.Catcher):
    """What contrib/hubot/upbeat.js does, in Python: takes signed alerts and says them in the room, beats, and looks at
    Upbeat's /healthz by itself. The real one plays this part in tests/extra."""

    def __init__(self, secret, beat_secret):
        super().__init__()
        self.heard, self.secret, self.beat_secret = [], secret, beat_secret
        self.alerts, self.alive, self.thread_over = self.url + "/hubot/upbeat", False, threading.Event()

    def start(self, upbeat):
        self.upbeat, self.alive = upbeat, True
        threading.Thread(target=self.live, daemon=True).start()

    def kill(self):
        self.alive = False

    def live(self):
        failures = 0
        while self.alive and not self.thread_over.wait(0.4):
            try:
                body = json.dumps({"time": time.time()}).encode()
                fetch(self.upbeat + "/beat/hubot", "POST", body,
                      {"X-Hub-Signature-256": sign(self.beat_secret, body)}, timeout=5)
            except OSError:
                pass
            seen, status = outcome(self.upbeat + "/healthz")
            if seen == "up" and failures > 1:
                self.heard.append(("#ops", "UP again: Upbeat itself, after a while"))
            failures = failures + 1 if seen == "down" else 0
            if failures == 2:
                self.heard.append(("#ops", f"DOWN, as Hubot sees it: Upbeat itself - HTTP {status}"))

    def answer(self, handler, body):
        payload = dict(urllib.parse.parse_qsl(body.decode())).get("payload", "")
        mine = "sha256=" + hmac.new(self.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
        if not self.alive:
            return self.reply(handler, 502, b"")
        if not hmac.compare_digest(mine, handler.headers.get("X-Hub-Signature-256", "")):
            return self.reply(handler, 403, b"")
        self.heard.append(("#ops", json.loads(payload)["text"]))
        return self.reply(handler, 200, b"ok")

    def __exit__(self, *_):
        self.alive = False
        self.thread_over.set()
        super().__exit__()


class Told:
    """Who was told what, in the order in which it came: `(way, teller, words)`."""

    def __init__(self, hubot, mailbox, phone, seconds=45):
        self.hubot, self.mailbox, self.phone, self.seconds = hubot, mailbox, phone, seconds
        self.past = {"room": [], "mailbox": [], "phone": []}

    def now(self):
        return {
            "room": [text.splitlines()[0] for _, text in self.hubot.heard],
            "mailbox": [f"{m['from'].addresses[0].username}: {m['subject']}" for m in self.mailbox.mails],
            "phone": [f"{r.headers['Access-Token']}: {r.json['title']}" for r in self.phone.at("/v2/pushes")]}

    def new(self):
        return {way: words[len(self.past[way]):] for way, words in self.now().items()}

    def exactly(self, room=(), mailbox=(), phone=(), quiet=1.0):
        """Waits until all of that is told since the last call, and a little longer to see that nothing else is. Each
        is the beginning of what is said."""
        wanted = {way: [one] if isinstance(one, str) else list(one) for way, one in
                  {"room": room, "mailbox": mailbox, "phone": phone}.items()}

        def fits():
            new = self.new()
            return all(len(new[way]) == len(wanted[way]) and all(
                any(said.startswith(one) for said in new[way]) for one in wanted[way]) for way in wanted)

        try:
            wait_for(fits, self.seconds)
        except AssertionError:
            assert self.new() == wanted, "told in vain"
        time.sleep(quiet)
        assert fits(), (self.new(), wanted)
        self.past = self.now()
