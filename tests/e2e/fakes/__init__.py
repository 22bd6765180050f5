# SPDX-License-Identifier: ISC
"""Strict fakes of the services that messages go to.

A fake checks what the real service checks, and some things that the real one does not say: method, path,
headers, the body's shape to the last key, limits, ids. What is wrong is kept in `wrong` and answered as the
service would, so that a test fails on either. `mode` makes a fake misbehave: see Fake.misbehave().
"""
import base64
import datetime
import email.utils
import hashlib
import hmac
import json
import re
import time
import urllib.parse

from catchers import _Server


class Bad(Exception):
    """Not what the service takes."""


def need(condition, what):
    if not condition:
        raise Bad(what)


def keys(value, required, optional=()):
    need(isinstance(value, dict), f"an object is needed, not {value!r}")
    need(not set(required) - set(value), f"missing {sorted(set(required) - set(value))}")
    need(not set(value) - set(required) - set(optional), f"unknown {sorted(set(value) - set(required) - set(optional))}")


def text(value, limit, what, empty=False):
    need(isinstance(value, str), f"{what} is no string")
    need(empty or value, f"{what} is empty")
    need(len(value) <= limit, f"{what} has {len(value)} characters, over {limit}")
    need("\ufffd" not in value, f"{what} has a broken character")


class Message:
    """One accepted message: the whole of its words, its id, and what else the fake found worth keeping."""

    def __init__(self, words, **more):
        self.words, self.at = words, time.time()
        self.id = self.thread = self.kind = self.url = None
        self.before_kill = False
        vars(self).update(more)

    def __repr__(self):
        return f"<{self.id} {self.words[:120]!r}>"


class Fake(_Server):
    """`config` is the channel's object in upbeat.json, `messages` what the service has taken."""
    name, success, secret = None, (200, b"ok"), "secret-canary-0123456789"
    failure = (400, b"bad request")         # the service's own way of saying never
    failure_in_200 = None                   # and of saying no with a 200, where it does that
    headers = ()

    def __init__(self):
        super().__init__()
        self.messages, self.wrong, self.attempts, self.mode = [], [], [], "ok"

    def __repr__(self):
        return self.name

    def misbehave(self, handler):
        """True when the answer was given (or withheld) already."""
        later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
        answers = {
            "500": (500, b"oops", ()), "503": (503, b"busy", (("Retry-After", "2"),)),
            "429": (429, b"slow down", (("Retry-After", "2"),)),
            "429 date": (429, b"slow down", (("Retry-After", email.utils.format_datetime(later, usegmt=True)),)),
            "redirect": (302, b"", (("Location", self.url + "/elsewhere"),)),
            "refuse": (*self.failure, ()), "200 with error": (*(self.failure_in_200 or self.failure), ()),
        }
        if self.mode in answers:
            self.reply(handler, *answers[self.mode])
        elif self.mode == "reset":
            handler.close_connection = True
            handler.connection.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0: a reset, not an end
            handler.connection.close()
        elif self.mode == "hang":
            while self.mode == "hang":
                time.sleep(0.1)
            handler.close_connection = True  # who waited is gone
        else:
            return False
        return True

    def answer(self, handler, body):
        self.attempts.append((time.time(), handler.command, handler.path))
        if self.misbehave(handler):
            return
        try:
            need("Expect" not in handler.headers, "Expect is sent")
            message = self.take(handler.command, handler.path, handler.headers, body)
            status, reply = self.reply_to(message)
        except (Bad, ValueError, KeyError, TypeError) as error:
            self.wrong.append(f"{self.name}: {error} in {handler.command} {handler.path} {body[:600]!r}")
            status, reply = self.failure
        else:
            if message is not None:
                self.messages.append(message)
        self.reply(handler, status, reply, (("Content-Type", "application/json"), *self.headers))

    def reply_to(self, _message):
        return self.success

    def take(self, method, path, headers, body):
        raise NotImplementedError

    @staticmethod
    def is_json(headers):
        need(headers["Content-Type"].split(";")[0] == "application/json", "Content-Type is not application/json")

    def json(self, headers, body):
        self.is_json(headers)
        return json.loads(body)

    @staticmethod
    def form(headers, body):
        need(headers["Content-Type"] == "application/x-www-form-urlencoded", "not a form")
        pairs = urllib.parse.parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
        need(len(dict(pairs)) == len(pairs), "a field twice")
        return dict(pairs)


def attachments(items):
    need(len(items) == 1, "one attachment is enough")
    keys(items[0], ["color", "blocks"])
    need(items[0]["color"] in ("#2eb886", "#e01e5a"), "neither red nor green")
    need(len(items[0]["blocks"]) <= 50, "too many blocks")
    words = ""
    for block in items[0]["blocks"]:
        if block["type"] == "section":
            keys(block, ["type", "text"])
            keys(block["text"], ["type", "text"])
            text(block["text"]["text"], 3000, "section")
            need(not re.search(r"[<>]|&(?!amp;|lt;|gt;)", block["text"]["text"]), "mrkdwn is not escaped")
            words += block["text"]["text"]
        else:
            keys(block, ["type", "elements"])
            button, = block["elements"]
            keys(button, ["type", "text", "url"])
            need(button["text"]["type"] == "plain_text", "a button's text is plain")
            text(button["text"]["text"], 75, "button")
            text(button["url"], 3000, "button's url")
    return words


class SlackWebhook(Fake):
    name, failure = "slack", (404, b"no_service")
    failure_in_200 = (200, b"invalid_token")

    @property
    def config(self):
        return {"type": "slack", "webhook": f"{self.url}/services/T0/B0/{self.secret}"}

    def take(self, method, path, headers, body):
        need((method, path) == ("POST", f"/services/T0/B0/{self.secret}"), "not the webhook")
        value = self.json(headers, body)
        keys(value, ["text"], ["attachments"])
        text(value["text"], 40000, "text")
        return Message(value["text"] + "\n" + attachments(value["attachments"]))


class SlackBot(Fake):
    name, failure = "slack-bot", (200, b'{"ok":false,"error":"channel_not_found"}')
    failure_in_200 = (200, b'{"ok":false,"error":"ratelimited"}')

    @property
    def config(self):
        return {"type": "slack", "token": "xoxb-" + self.secret, "channel": "C0123456789", "api": self.url}

    def take(self, method, path, headers, body):
        need((method, path) == ("POST", "/api/chat.postMessage"), "not chat.postMessage")
        need(headers["Authorization"] == "Bearer xoxb-" + self.secret, "no authorization")
        value = self.json(headers, body)
        keys(value, ["channel", "text"], ["attachments", "thread_ts"])
        need(value["channel"] == "C0123456789", "another channel")
        need("thread_ts" not in value or value["thread_ts"] in [m.ts for m in self.messages], "no such thread")
        return Message(value["text"] + "\n" + attachments(value["attachments"]), thread=value.get("thread_ts"),
                       ts=f"1777600800.{len(self.messages):06d}")

    def reply_to(self, message):
        return 200, json.dumps({"ok": True, "channel": "C0123456789", "ts": message.ts, "message": {}}).encode()


PAYLOAD = "id event monitor name state previous since at duration cause incident url text".split()


def payload(value):
    """The payload of webhook and hubot, as design §3 lists it."""
    keys(value, PAYLOAD)
    need(re.fullmatch(r"[A-Za-z0-9_-]{8,48}", value["id"]), "a strange id")
    need(value["event"] in "down up unknown slow certificate flapping maintenance test digest".split(), "a strange event")
    for key in ("since", "at", "duration"):
        need(value[key] is None or isinstance(value[key], (int, float)), f"{key} is no number")
    need(abs(value["at"] - time.time()) < 2 * 86400, "at is not now")
    text(value["text"], 100000, "text")
    return Message(value["text"], id=value["id"], kind=value["event"], json=value)


def standard_webhook(headers, content, secret):
    """webhook-id, -timestamp and -signature as the Standard Webhooks specification has them."""
    need(abs(int(headers["webhook-timestamp"]) - time.time()) < 300, "webhook-timestamp is not now")
    need("." not in headers["webhook-id"], "a dot in webhook-id")
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + content
    mac = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    need(mac in headers["webhook-signature"].split(" "), "webhook-signature is wrong")


def hub(headers, content, secret):
    mac = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    need(headers["X-Hub-Signature-256"] == "sha256=" + mac, "X-Hub-Signature-256 is wrong")


class Webhook(Fake):
    name, success, failure = "webhook", (204, b""), (410, b"gone")
    secret = "whsec_" + base64.b64encode(b"a secret canary of 24 bytes and more").decode()

    @property
    def config(self):
        return {"type": "webhook", "url": f"{self.url}/hook", "secret": self.secret}

    def take(self, method, path, headers, body):
        need((method, path) == ("POST", "/hook"), "not the hook")
        value = self.json(headers, body)
        hub(headers, body, self.secret)
        standard_webhook(headers, body, self.secret)
        message = payload(value)
        need(headers["webhook-id"] == message.id, "webhook-id is another id")
        return message


class Hubot(Fake):
    name, failure = "hubot", (403, b"bad signature")

    @property
    def config(self):
        return {"type": "hubot", "url": f"{self.url}/hubot/upbeat", "secret": self.secret, "room": "#ops room"}

    def take(self, method, path, headers, body):
        need((method, path) == ("POST", "/hubot/upbeat/%23ops%20room"), "not the room's route")
        form = self.form(headers, body)
        keys(form, ["payload"])
        decoded = form["payload"].encode()  # what a script sees; the raw body is lost
        hub(headers, decoded, self.secret)
        standard_webhook(headers, decoded, self.secret)
        return payload(json.loads(decoded))


class Pushbullet(Fake):
    name, failure = "pushbullet", (401, b'{"error":{"type":"invalid_access_token","message":"no","cat":"~"}}')
    failure_in_200 = (200, b'{"error":{"type":"invalid_request","message":"no","cat":"~"}}')

    @property
    def config(self):
        return {"type": "pushbullet", "token": "o." + self.secret, "device": "ujpah72o0", "api": self.url}

    def take(self, method, path, headers, body):
        need((method, path) == ("POST", "/v2/pushes"), "not /v2/pushes")
        need(headers["Access-Token"] == "o." + self.secret, "no token")
        value = self.json(headers, body)
        need(value["type"] in ("note", "link"), "a strange type")
        keys(value, ["type", "title", "body", "guid", "device_iden"] + (["url"] if value["type"] == "link" else []))
        need(value["device_iden"] == "ujpah72o0", "another device")
        text(value["title"], 250, "title")
        text(value["body"], 4000, "body", empty=True)
        return Message(value["title"] + "\n" + value["body"], id=value["guid"], body=value)

    def reply_to(self, message):
        return 200, json.dumps({"active": True, "iden": "ujpah72o0sjAoRtnM0jc", "created": 1777600800.1,
                                "modified": 1777600800.1, **message.body}).encode()


class Twilio(Fake):
    name, failure = "twilio", (400, b'{"code":21211,"message":"not a number","more_info":"","status":400}')
    account = "AC" + "0" * 32

    @property
    def config(self):
        return {"type": "twilio", "account": self.account, "token": self.secret, "from": "+15005550006",
                "to": "+15005550009", "api": self.url}

    def take(self, method, path, headers, body):
        need((method, path) == ("POST", f"/2010-04-01/Accounts/{self.account}/Messages.json"), "not Messages.json")
        basic = base64.b64encode(f"{self.account}:{self.secret}".encode()).decode()
        need(headers["Authorization"] == "Basic " + basic, "no authorization")
        form = self.form(headers, body)
        keys(form, ["To", "From", "Body"])
        need((form["To"], form["From"]) == ("+15005550009", "+15005550006"), "wrong numbers")
        text(form["Body"], 1600, "Body")
        return Message(form["Body"])

    success = (201, b'{"sid":"SM0123","status":"queued"}')


class Telegram(Fake):
    name, failure = "telegram", (403, b'{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}')
    success = (200, b'{"ok":true,"result":{"message_id":1}}')
    failure_in_200 = (200, b'{"ok":false,"error_code":429,"description":"Too Many","parameters":{"retry_after":2}}')
    secret = "123456:ABC-canary-0123456789"

    @property
    def config(self):
        return {"type": "telegram", "token": self.secret, "chat_id": "-100123", "topic": 7, "silent": True, "api": self.url}

    def take(self, method, path, headers, body):
        need((method, path) == ("POST", f"/bot{self.secret}/sendMessage"), "not sendMessage")
        value = self.json(headers, body)
        keys(value, ["chat_id", "text"], ["message_thread_id", "disable_notification", "link_preview_options"])
        need((value["chat_id"], value["message_thread_id"]) == ("-100123", 7), "another chat")
        need(value["disable_notification"] is True, "it sounds")
        text(value["text"], 4096, "text")
        return Message(value["text"])


class Discord(Fake):
    name, failure = "discord", (404, b'{"message":"Unknown Webhook","code":10015}')
    success = (200, b'{"id":"1234","type":0}')
    failure_in_200 = (200, b'{"message":"not saved"}')

    @property
    def config(self):
        return {"type": "discord", "webhook": f"{self.url}/api/webhooks/1/{self.secret}"}

    def take(self, method, path, headers, body):
        need((method, path) == ("POST", f"/api/webhooks/1/{self.secret}?wait=true"), "not the webhook")
        value = self.json(headers, body)
        keys(value, ["embeds", "allowed_mentions"], ["username", "content"])
        need(value["allowed_mentions"] == {"parse": []}, "it could ping everyone")
        embed, = value["embeds"]
        keys(embed, ["title", "color", "timestamp"], ["description", "url"])
        text(embed["title"], 256, "title")
        text(embed.get("description", "x"), 4096, "description")
        need(isinstance(embed["color"], int), "color is no number")
        datetime.datetime.fromisoformat(embed["timestamp"].replace("Z", "+00:00"))
        return Message(embed["title"] + "\n" + embed.get("description", ""))


class Teams(Fake):
    name, success, failure = "teams", (202, b""), (400, b"bad card")
    failure_in_200 = (200, b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429")

    @property
    def config(self):
        return {"type": "teams", "webhook": f"{self.url}/workflows/{self.secret}"}

    def take(self, method, path, headers, body):
        need((method, path) == ("POST", f"/workflows/{self.secret}"), "not the workflow")
        need(len(body) <= 28 * 1024, "over 28 KB")
        value = self.json(headers, body)
        keys(value, ["type", "attachments"], ["summary"])
        need(value["type"] == "message", "not a message")
        item, = value["attachments"]
        keys(item, ["contentType", "contentUrl", "content"])
        need(item["contentType"] == "application/vnd.microsoft.card.adaptive", "not a card")
        card = item["content"]
        keys(card, ["type", "$schema", "version", "body"])
        need((card["type"], card["version"]) == ("AdaptiveCard", "1.5"), "not a card of 1.5")
        words = []

        def walk(part):
            need(part["type"] in ("Container", "TextBlock", "ActionSet"), "a strange part")
            if part["type"] == "TextBlock":
                words.append(part["text"])
            for inner in part.get("items", []):
                walk(inner)
            for action in part.get("actions", []):
                keys(action, ["type", "title", "url"])
        for part in card["body"]:
            walk(part)
        return Message("\n".join(words))


class Ntfy(Fake):
    name, success, failure = "ntfy", (200, b'{"id":"x","event":"message"}'), (403, b'{"code":40301,"http":403}')

    @property
    def config(self):
        return {"type": "ntfy", "topic": "ops-topic", "token": "tk_" + self.secret, "api": self.url}

    def take(self, method, path, headers, body):
        need((method, path) == ("POST", "/"), "not the root")
        need(headers["Authorization"] == "Bearer tk_" + self.secret, "no authorization")
        value = self.json(headers, body)
        keys(value, ["topic", "message"], ["title", "priority", "tags", "click"])
        need(value["topic"] == "ops-topic", "another topic")
        need(value["priority"] in (1, 2, 3, 4, 5) and isinstance(value["tags"], list), "priority or tags")
        text(value["title"], 250, "title")
        need(len(value["message"].encode()) <= 4096, "over 4096 bytes: it would become an attachment")
        return Message(value["title"] + "\n" + value["message"])


class Gotify(Fake):
    name, success, failure = "gotify", (200, b'{"id":1}'), (401, b'{"error":"Unauthorized"}')

    @property
    def config(self):
        return {"type": "gotify", "token": self.secret, "api": self.url + "/sub/"}

    def take(self, method, path, headers, body):
        need((method, path) == ("POST", "/sub/message"), "not /message")
        need(headers["X-Gotify-Key"] == self.secret, "no key")
        value = self.json(headers, body)
        keys(value, ["message", "title", "priority"], ["extras"])
        need(isinstance(value["priority"], int), "priority is no number")
        text(value["message"], 10000, "message")
        return Message(value["title"] + "\n" + value["message"])


class Pushover(Fake):
    name, success = "pushover", (200, b'{"status":1,"request":"647d2300"}')
    failure = (400, b'{"user":"invalid","errors":["user identifier is invalid"],"status":0,"request":"5042"}')
    failure_in_200 = (200, b'{"status":0,"request":"5042"}')

    @property
    def config(self):
        return {"type": "pushover", "token": self.secret, "user": "u" + self.secret, "priority": 2, "api": self.url}

    def take(self, method, path, headers, body):
        need((method, path) == ("POST", "/1/messages.json"), "not messages.json")
        form = self.form(headers, body)
        keys(form, ["token", "user", "message"],
             "title device priority sound url url_title timestamp ttl html retry expire".split())
        need((form["token"], form["user"]) == (self.secret, "u" + self.secret), "wrong keys")
        text(form["message"], 1024, "message")
        text(form["title"], 250, "title")
        text(form.get("url", "x"), 512, "url")
        text(form.get("url_title", "x"), 100, "url_title")
        if form.get("priority") == "2":
            need(int(form["retry"]) >= 30 and int(form["expire"]) <= 10800, "retry and expire")
        return Message(form["title"] + "\n" + form["message"])


class PagerDuty(Fake):
    name, success, failure = "pagerduty", (202, b'{"status":"success","dedup_key":"x"}'), (400, b'{"status":"invalid event"}')
    key = "0123456789abcdef0123456789abcdef"

    @property
    def config(self):
        return {"type": "pagerduty", "routing_key": self.key, "api": self.url}

    def take(self, method, path, headers, body):
        need((method, path) == ("POST", "/v2/enqueue"), "not /v2/enqueue")
        value = self.json(headers, body)
        keys(value, ["routing_key", "event_action", "dedup_key"], ["payload", "client", "client_url", "links", "images"])
        need(value["routing_key"] == self.key, "wrong key")
        need(value["event_action"] in ("trigger", "acknowledge", "resolve"), "a strange action")
        text(value["dedup_key"], 255, "dedup_key")
        words = ""
        if value["event_action"] == "trigger":
            inner = value["payload"]
            keys(inner, ["summary", "source", "severity"], ["timestamp", "component", "group", "class", "custom_details"])
            text(inner["summary"], 1024, "summary")
            text(inner["source"], 255, "source")
            need(inner["severity"] in ("critical", "error", "warning", "info"), "a strange severity")
            datetime.datetime.fromisoformat(inner["timestamp"].replace("Z", "+00:00"))
            words = inner["summary"]
        return Message(words, id=value["dedup_key"], kind=value["event_action"])


class Statuspage(Fake):
    """Keeps components and incidents, and the service's limit of a request a second."""
    name, failure = "statuspage", (422, b'{"error":["Status is invalid"]}')

    def __init__(self):
        super().__init__()
        self.component, self.incidents, self.points, self.times = "operational", {}, [], []

    @property
    def config(self):
        return {"type": "statuspage", "token": self.secret, "page": "page1", "components": {"shop": "comp1"},
                "metrics": {"shop": "metric1"}, "api": self.url + "/v1"}

    def take(self, method, path, headers, body):
        need(headers["Authorization"] == "OAuth " + self.secret, "no authorization")
        self.times.append(time.time())
        need(len(self.times) < 2 or self.times[-1] - self.times[-2] > 0.95, "more than one request a second")
        value = self.json(headers, body) if method != "GET" else None
        if (method, path) == ("PATCH", "/v1/pages/page1/components/comp1"):
            keys(value, ["component"])
            keys(value["component"], ["status"])
            self.set(value["component"]["status"])
            return Message(self.component, reply=(200, b'{"id":"comp1"}'))
        if (method, path) == ("POST", "/v1/pages/page1/metrics/data"):
            keys(value, ["data"])
            for metric, points in value["data"].items():
                need(metric == "metric1", "another metric")
                for point in points:
                    keys(point, ["timestamp", "value"])
                    need(isinstance(point["timestamp"], int), "timestamp is no number")
                self.points += points
            return Message("points", reply=(202, b"{}"))
        return self.incident(method, path, value)

    def set(self, status):
        need(status in "operational degraded_performance partial_outage major_outage under_maintenance".split(), status)
        self.component = status

    def incident(self, method, path, value):
        base = "/v1/pages/page1/incidents"
        if (method, path) == ("GET", base + "/unresolved"):
            still = [i for i in self.incidents.values() if i["status"] != "resolved"]
            return Message("unresolved", reply=(200, json.dumps(still).encode()))
        keys(value, ["incident"])
        inner = value["incident"]
        keys(inner, ["status", "body"], ["name", "component_ids", "components", "metadata", "impact_override"])
        need(inner["status"] in ("investigating", "identified", "monitoring", "resolved"), "a strange status")
        text(inner["body"], 25000, "body")
        for component, status in inner["components"].items():
            need(component == "comp1", "another component")
            self.set(status)
        if (method, path) == ("POST", base):
            text(inner["name"], 255, "name")
            ident = f"inc{len(self.incidents)}"
            self.incidents[ident] = {"id": ident, **inner}
            return Message(inner["name"], reply=(201, json.dumps(self.incidents[ident]).encode()))
        need(method == "PATCH" and path.startswith(base + "/"), "no such route")
        self.incidents[path.rsplit("/", 1)[1]].update(inner)
        return Message(inner["body"], reply=(200, b"{}"))

    def reply_to(self, message):
        return message.reply


class Own(Fake):
    """The user's own row of data."""
    name, success, failure = "http", (200, b'{"result":{"id":17}}'), (400, b"no")
    failure_in_200 = (200, b'{"result":{}}')

    @property
    def config(self):
        return {"type": "http", "method": "PUT", "url": self.url + "/notify/{{monitor}}?what={{title}}",
                "secret": self.secret, "headers": {"X-Key": "{{secret}}", "X-Title": "{{title}}"},
                "body": '{"say":"{{full}}","id":"{{id}}","sure":{{#good}}true{{/good}}{{^good}}false{{/good}}}',
                "success": ".result.id=17"}

    def take(self, method, path, headers, body):
        place, query = path.split("?")
        need(method == "PUT" and re.fullmatch(r"/notify/[a-z0-9._-]*", place), "not the address")
        what, = urllib.parse.parse_qs(query, strict_parsing=True)["what"]
        need(headers["X-Key"] == self.secret, "no key")
        value = self.json(headers, body)
        keys(value, ["say", "id", "sure"])
        need(what in value["say"], "another title")
        return Message(value["say"], id=value["id"])


SERVICES = [SlackWebhook, SlackBot, Webhook, Hubot, Pushbullet, Twilio, Telegram, Discord, Teams, Ntfy, Gotify,
            Pushover, PagerDuty, Statuspage, Own]
