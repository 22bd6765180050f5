# SPDX-License-Identifier: ISC
"""Installations that are apart as hosts are: each in a network namespace of its own, with two cables to switches in
another namespace. Nothing is left of it when the test's process has closed it or is gone: a namespace lives as long as
its descriptor and those who are inside.

    192.0.2.0/25    the world: the target, people's channels, and everybody
    192.0.2.128/25  between the installations only: what a split cuts
"""
import collections
import contextlib
import ctypes
import functools
import os
import select
import socket
import subprocess
import threading
import time

from links import Trio
from upbeat import Lighttpd, Site

OWN = "/proc/thread-self/ns/net"
CLONE_NEWNET = 0x40000000
SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING, ETH_P_ALL = 263, 15, 23, 3
libc = ctypes.CDLL(None, use_errno=True)


def enter(what, *arguments):
    if what(*arguments):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class Place:
    """A network namespace. `with place:` what this thread opens or starts is inside."""

    def __init__(self):
        self.ways_back = []
        with self._and_back():
            enter(libc.unshare, CLONE_NEWNET)
            self.inside = os.open(OWN, os.O_RDONLY)
            self.ip("link", "set", "lo", "up")

    @staticmethod
    @contextlib.contextmanager
    def _and_back():
        back = os.open(OWN, os.O_RDONLY)
        try:
            yield
        finally:
            enter(libc.setns, back, CLONE_NEWNET)
            os.close(back)

    def __enter__(self):
        way_back = self._and_back()
        way_back.__enter__()
        enter(libc.setns, self.inside, CLONE_NEWNET)
        self.ways_back.append(way_back)
        return self

    def __exit__(self, *what):
        self.ways_back.pop().__exit__(*what)

    @property
    def path(self):
        return f"/proc/{os.getpid()}/fd/{self.inside}"

    @staticmethod
    def ip(*arguments):
        """The command, in the namespace of who calls."""
        done = subprocess.run(["ip", *map(str, arguments)], capture_output=True, text=True)
        if done.returncode:
            raise OSError(f"ip {' '.join(map(str, arguments))}: {done.stderr.strip()}")

    def close(self):
        os.close(self.inside)


class Switches(Place):
    """The namespace in the middle: two switches, `world` and `peers`, and the address of who is not an installation."""

    ADDRESS = "192.0.2.1"

    def __init__(self):
        super().__init__()
        with self:
            for switch in ("world", "peers"):
                self.ip("link", "add", switch, "type", "bridge", "forward_delay", 0)
                self.ip("link", "set", switch, "up")
            self.ip("address", "add", self.ADDRESS + "/25", "dev", "world")

    def cable(self, switch, place, name, address):
        """From the switch's port `switch-name` to the place, whose end is called as the switch is."""
        port = f"{switch}-{name}"
        with self:
            self.ip("link", "add", port, "type", "veth", "peer", "name", switch, "netns", place.path)
            self.ip("link", "set", port, "master", switch, "up")
        with place:
            self.ip("address", "add", address + "/25", "dev", switch)
            self.ip("link", "set", switch, "up")

    def plug(self, switch, name, plugged):
        with self:
            self.ip("link", "set", f"{switch}-{name}", "up" if plugged else "down")

    def lengthen(self, switch, name, seconds):
        """Between the port and its switch comes what takes so long, each way."""
        with self:
            self.ip("link", "set", f"{switch}-{name}", "nomaster")
            self.ip("link", "add", "far-" + name, "type", "veth", "peer", "name", "near-" + name)
            self.ip("link", "set", "near-" + name, "master", switch, "up")
            self.ip("link", "set", "far-" + name, "up")
            return LongWire(f"{switch}-{name}", "far-" + name, seconds)


class LongWire(threading.Thread):
    """Takes frames from one interface to another one, later: as tc-netem does where the kernel has it."""

    def __init__(self, one, other, seconds):
        super().__init__(daemon=True)
        self.ends, self.seconds, self.over = [self._end(one), self._end(other)], seconds, False
        self.start()

    @staticmethod
    def _end(name):
        end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        end.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)  # with what is not done yet: checksums, segments
        end.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        end.bind((name, ETH_P_ALL))
        return end

    def run(self):
        under_way = collections.deque()
        while not self.over:
            left = under_way[0][0] - time.monotonic() if under_way else 0.1
            for end in select.select(self.ends, [], [], max(0, min(left, 0.1)))[0]:
                with contextlib.suppress(OSError):  # an end was pulled out
                    under_way.append((time.monotonic() + self.seconds, self.ends[end is self.ends[0]], end.recv(1 << 17)))
            while under_way and under_way[0][0] <= time.monotonic():
                _, end, frame = under_way.popleft()
                with contextlib.suppress(OSError):  # lost, as on any wire
                    end.send(frame)

    def close(self):
        self.over = True
        self.join()
        for end in self.ends:
            end.close()


class FarSite(Site):
    """A site whose programs run in a place of their own."""

    def __init__(self, folder):
        super().__init__(folder)
        self.place = Place()

    def start(self, *arguments, **options):
        with self.place:
            return super().start(*arguments, **options)

    def prober(self, *arguments, **options):
        with self.place:
            return super().prober(*arguments, **options)

    def close(self):
        super().close()
        self.place.close()


class FarFront(Lighttpd):
    """Listens on all addresses of its place, and is asked there."""

    def __init__(self, site):
        with site.place:
            super().__init__(site, address="0.0.0.0")

    def request(self, *arguments, **options):
        with self.site.place:
            return super().request(*arguments, **options)


class Apart(Trio):
    """Installations that watch one target, and each other, from hosts of their own."""

    make_site, make_front = FarSite, FarFront

    def __init__(self, folder, *names):
        self.switches, self.wires = Switches(), []
        super().__init__(folder, *names)

    def connect(self, target, catcher):
        self.urls = {"target": target.url, "people": catcher.url}
        for n, (name, site) in enumerate(self.sites.items(), 11):
            self.switches.cable("world", site.place, name, f"192.0.2.{n}")
            self.switches.cable("peers", site.place, name, f"192.0.2.{128 + n}")
            self.urls[name] = f"http://192.0.2.{128 + n}:{self.fronts[name].port}{self.fronts[name].mount}"

    def outside(self, kind):
        with self.switches:
            return kind(self.switches.ADDRESS)

    def way(self, _name, to):
        return self.urls[to]

    def monitors(self, name):
        """And something on its own host: that answers also when nothing else does."""
        here = {"type": "port", "host": "127.0.0.1", "port": self.fronts[name].port}
        return {**super().monitors(name), "here-" + name: here}

    def cut(self, name, cut=True):
        with self.sites[name].place as place:
            for cable in ("world", "peers"):
                place.ip("link", "set", cable, "down" if cut else "up")

    def split(self, name, cut=True):
        self.switches.plug("peers", name, not cut)

    def slow(self, name, seconds):
        """Two ways to connect, and two for the message and its answer."""
        self.wires.append(self.switches.lengthen("peers", name, seconds / 4))

    def close(self):
        for wire in self.wires:
            wire.close()
        super().close()
        self.switches.close()


@functools.cache
def refused():
    """Why there are no namespaces to be had here, or None."""
    try:
        switches, place = Switches(), Place()
        switches.cable("world", place, "x", "192.0.2.11")
    except OSError as error:
        return str(error)
    place.close()
    switches.close()
    return None
