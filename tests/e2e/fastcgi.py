# SPDX-License-Identifier: ISC
"""The web program without a web server: started on a socket of ours, spoken to in FastCGI records, well or badly."""
import os
import socket
import struct
import time

from upbeat import PROGRAM, Answer, wait_for

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = range(1, 8)


def record(kind, content=b"", request_id=1, length=None, padding=0):
    """One record; `length` lies about its content's."""
    size = len(content) if length is None else length
    return struct.pack(">BBHHBx", 1, kind, request_id, size, padding) + content + b"\0" * padding


def begin(role=1, flags=0, request_id=1):
    return record(BEGIN, struct.pack(">HB5x", role, flags), request_id)


def size_of(n):
    return struct.pack(">B", n) if n < 128 else struct.pack(">I", n | 0x80000000)


def params(pairs, request_id=1):
    data = b"".join(size_of(len(k)) + size_of(len(v)) + k + v
                    for k, v in ((k.encode(), v.encode()) for k, v in pairs.items()))
    out = b"".join(record(PARAMS, data[i:i + 60000], request_id) for i in range(0, len(data), 60000))
    return out + record(PARAMS, b"", request_id)


def environment(method="GET", path="/", length=None, **more):
    pairs = {"REQUEST_METHOD": method, "REQUEST_URI": path, "SCRIPT_NAME": "", "QUERY_STRING": ""}
    if length is not None:
        pairs["CONTENT_LENGTH"] = str(length)
    return {**pairs, **more}


def whole(method="GET", path="/", body=b"", **more):
    """A request as a web server sends it, in one piece."""
    stdin = b"".join(record(STDIN, body[i:i + 60000]) for i in range(0, len(body), 60000))
    return begin() + params(environment(method, path, len(body), **more)) + stdin + record(STDIN)


def parse(raw):
    """The answer within the records that came; None when it is not whole."""
    out, at = b"", 0
    while at + 8 <= len(raw):
        _, kind, _, size, padding = struct.unpack(">BBHHBx", raw[at:at + 8])
        if kind == END and out:
            head, _, body = out.partition(b"\r\n\r\n")
            lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            return Answer(int(lines["Status"].split()[0]), lines, body)
        if kind == STDOUT:
            out += raw[at + 8:at + 8 + size]
        at += 8 + size + padding
    return None


class Program:
    """upbeat.fcgi with its listening socket; `binary` is where it was copied to."""

    def __init__(self, site, threads=4, backlog=2048, tcp=False, **env):
        self.site = site
        self.path = str(site.folder / "socket")
        self.binary = site.folder / "upbeat.fcgi"
        self.place(PROGRAM)
        listener = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
        listener.bind(("127.0.0.1", 0) if tcp else self.path)
        self.address = listener.getsockname()
        listener.listen(backlog)
        log = open(site.folder / "web-stderr.log", "ab")
        variables = {**site.environment(), "UPBEAT_STORE": str(site.store), "UPBEAT_THREADS": str(threads),
                     "ASAN_OPTIONS": "allocator_may_return_null=1", **env}
        import subprocess
        self.process = subprocess.Popen([self.binary], stdin=listener, stdout=log, stderr=log, env=variables)
        site.processes.append(self.process)
        self.listener = listener

    def place(self, source):
        """Puts a binary there as an upgrade does: beside, then renamed."""
        import shutil
        beside = self.binary.with_suffix(".new")
        shutil.copy2(source, beside)
        os.utime(beside)
        os.replace(beside, self.binary)

    def connect(self, timeout=15):
        s = socket.socket(self.listener.family)
        s.settimeout(timeout)
        s.connect(self.address)
        return s

    def ask(self, method="GET", path="/", body=b"", **more):
        with self.connect() as s:
            s.sendall(whole(method, path, body, **more))
            return self.answer(s)

    @staticmethod
    def answer(s):
        """Reads to the end; None when the connection ended without a whole answer."""
        raw = b""
        try:
            while chunk := s.recv(65536):
                raw += chunk
        except ConnectionError:
            pass
        return parse(raw)

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def alive(self):
        return self.process.poll() is None

    def ended(self, seconds=10):
        wait_for(lambda: not self.alive(), seconds)
        return self.process.returncode


def now():
    return time.monotonic()
