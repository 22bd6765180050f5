# SPDX-License-Identifier: ISC
"""Cables between installations: a TCP relay on a port of its own that a test can cut or slow down."""
import selectors
import socket
import threading
import time


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

    def __init__(self, folder, make_site, make_front, names):
        self.names, self.sites, self.fronts, self.probers = names, {}, {}, {}
        for name in names:
            (folder / name).mkdir()
            self.sites[name] = make_site(folder / name)
        self.make_front = make_front
        self.between, self.to_target, self.to_people = {}, {}, {}

    def start(self, target, catcher, offsets=(), **more):
        for name, ms in dict(offsets).items():
            self.sites[name].offset_ms = ms
        for name in self.names:
            self.fronts[name] = self.make_front(self.sites[name])
            self.to_target[name], self.to_people[name] = Link(target.port), Link(catcher.port)
        for a in self.names:
            for b in self.names:
                if a != b:
                    self.between[a, b] = Link(self.fronts[b].port)
        for name in self.names:
            self.configure(name, **more)
            self.begin(name)

    def configure(self, name, **more):
        self.sites[name].configure({
            "me": name, "peer_every": "1s", "peer_wait": "4s", "anonymous": "all",
            "peers": {other: {"url": self.between[name, other].url + self.fronts[other].mount,
                              "secret": "the secret between " + " and ".join(sorted([name, other]))}
                      for other in self.names if other != name},
            "channels": {"ops": {"type": "webhook", "url": f"{self.to_people[name].url}/{name}"}},
            "defaults": {"interval": "1s", "timeout": "2s", "notify": ["ops"], "confirm_waits": ["300ms"] * 4,
                         "recover_wait": "300ms"},
            "monitors": {"shop": {"type": "http", "url": self.to_target[name].url + "/"}}, **more})

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

    def close(self):
        for site in self.sites.values():
            site.close()
        for link in [*self.between.values(), *self.to_target.values(), *self.to_people.values()]:
            link.close()
