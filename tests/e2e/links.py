# SPDX-License-Identifier: ISC
"""Cables between installations: a TCP relay on a port of its own that a test can cut or slow down."""
import selectors
import socket
import threading
import time

from upbeat import Lighttpd, Site, wait_for


class Link:
    """Relays to 127.0.0.1:port. cut: connections are dropped, new ones swallowed. delay: seconds that every
    piece takes, each way."""

    def __init__(self, port):
        self.to, self.cut, self.delay = port, False, 0.0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        self.closed = True
        self.listener.close()

    def _accept(self):
        while not self.closed:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def _relay(self, near):
        with near:
            if self.cut:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.to), 5)
            except OSError:
                return
            with far, selectors.DefaultSelector() as ready:
                ready.register(near, selectors.EVENT_READ, far)
                ready.register(far, selectors.EVENT_READ, near)
                while not (self.cut or self.closed):
                    for key, _ in ready.select(0.1):
                        if not self._pass_on(key.fileobj, key.data):
                            return

    def _pass_on(self, source, sink):
        try:
            piece = source.recv(65536)
            if not piece:
                return False
            time.sleep(self.delay)
            if self.cut:
                return False
            sink.sendall(piece)
        except OSError:
            return False
        return True


class Trio:
    """Installations that watch one target, and each other, over links: self.between[a, b] is how a reaches b."""

    make_site, make_front = Site, Lighttpd

    def __init__(self, folder, *names):
        self.names, self.sites, self.fronts, self.probers = names, {}, {}, {}
        for name in names:
            (folder / name).mkdir()
            self.sites[name] = self.make_site(folder / name)
        self.between, self.to_target, self.to_people = {}, {}, {}

    def start(self, target, catcher, offsets=(), **more):
        for name, ms in dict(offsets).items():
            self.sites[name].offset_ms = ms
        for name in self.names:
            self.fronts[name] = self.make_front(self.sites[name])
        self.connect(target, catcher)
        for name in self.names:
            self.configure(name, **more)
            self.begin(name)

    def connect(self, target, catcher):
        for name in self.names:
            self.to_target[name], self.to_people[name] = Link(target.port), Link(catcher.port)
            for other in self.names:
                if other != name:
                    self.between[name, other] = Link(self.fronts[other].port)

    def way(self, name, to):
        """The URL at which it finds another one, "target" or "people"."""
        if to in self.fronts:
            return self.between[name, to].url + self.fronts[to].mount
        return {"target": self.to_target, "people": self.to_people}[to][name].url

    def configure(self, name, **more):
        self.sites[name].configure({
            "me": name, "peer_every": "1s", "peer_wait": "4s", "anonymous": "all",
            "peers": {other: {"url": self.way(name, other),
                              "secret": "the secret between " + " and ".join(sorted([name, other]))}
                      for other in self.names if other != name},
            "channels": {"ops": {"type": "webhook", "url": f"{self.way(name, 'people')}/{name}"}},
            "defaults": {"interval": "1s", "timeout": "2s", "notify": ["ops"], "confirm_waits": ["300ms"] * 4,
                         "recover_wait": "300ms"},
            "monitors": self.monitors(name), **more})

    def monitors(self, name):
        return {"shop": {"type": "http", "url": self.way(name, "target") + "/"}}

    def begin(self, name):
        self.probers[name] = self.sites[name].start_prober("watch")

    def kill(self, name):
        """As when the power goes: nothing of it is left."""
        self.probers[name].kill()
        self.probers[name].wait()
        self.cut(name)

    def cut(self, name, cut=True):
        """Its network cable."""
        for pair, link in self.between.items():
            if name in pair:
                link.cut = cut
        self.to_target[name].cut = self.to_people[name].cut = cut

    def split(self, name, cut=True):
        """Between it and the other installations only."""
        for pair, link in self.between.items():
            if name in pair:
                link.cut = cut

    def slow(self, name, seconds):
        """What it and another say to each other takes so long, there and back."""
        for pair, link in self.between.items():
            if name in pair:
                link.delay = seconds / 2

    def outside(self, kind):
        """A server that everybody reaches: a target, a catcher."""
        return kind()

    def end(self, request):
        """Shows what they saw and logged when the test has failed."""
        failed = getattr(request.node, "report_call", None)
        if failed is not None and failed.failed:
            for name, site in self.sites.items():
                print("========", name, site.prober("status").stdout, [state(self, name, s) for s in ("shop", "peer.a")], site.logs())
        self.close()

    def close(self):
        for site in self.sites.values():
            site.close()
        for link in [*self.between.values(), *self.to_target.values(), *self.to_people.values()]:
            link.close()


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
        wait_for(lambda: state(trio, name) == "up", 60)
        wait_for(lambda: views(trio, name) == dict.fromkeys(others, "up"), 60)
        wait_for(lambda: all(state(trio, name, "peer." + other) == "up" for other in others), 60)


def told_names(catcher, event=None, monitor="shop"):
    return [who for who, _ in told(catcher, event, monitor)]
