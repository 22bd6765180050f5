# SPDX-License-Identifier: ISC
"""hostile.py FOLDER: servers that do everything wrong that a target of a monitor can do wrong: HTTP, TLS, DNS.

It lives in a network of its own (the test starts it through unshare), in which 192.0.2.10 is one of our
addresses, so that there is something public to redirect from. It prints one line of JSON, {"pid", "http", "dns",
"mute", "tls": {class: port}}, and serves until its standard input ends. Certificates are made in FOLDER; ca.pem is
the authority that a prober should trust.

An HTTP class is a path below /; the ways to misbehave are the functions and byte strings of HTTP. A TLS class is
a port of its own. A DNS class is the first label of a name below example.com.
"""
import gzip
import itertools
import json
import os
import pathlib
import re
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

PUBLIC = "192.0.2.10"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
TICK = 0.05


# ---- HTTP

def reset(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def then_reset(data):
    def act(c, _):
        c.sendall(data)
        time.sleep(TICK)
        reset(c)
    return act


def drip(head, byte=b"x"):
    def act(c, _):
        c.sendall(head)
        while True:
            c.sendall(byte)
            time.sleep(TICK)
    return act


def endless(head, piece):
    def act(c, _):
        c.sendall(head)
        while True:
            c.sendall(piece)
    return act


def silence(c, _):
    while c.recv(1000):
        pass


def slow_header(c, _):
    for byte in itertools.cycle(b"HTTP/1.1 200 OK\r\nX-More: and more\r\n"):
        c.sendall(bytes([byte]))
        time.sleep(TICK)


def half_closed(c, _):
    c.sendall(OK)
    c.shutdown(socket.SHUT_WR)
    silence(c, _)


def split_keyword(c, _):
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for part in (b"HTTP/1.1 200 OK\r\n\r\nAdd t", b"o ca", b"rt"):
        c.sendall(part)
        time.sleep(TICK)


def redirect(to, status=302):
    return f"HTTP/1.1 {status} Moved\r\nContent-Length: 0\r\nLocation: {to}\r\n\r\n".encode()


def to_port(path):
    return lambda c, server: c.sendall(redirect(path.replace("PORT", str(server.port))))


def body(data, *headers):
    lines = "".join(f"{h}\r\n" for h in headers)
    return f"HTTP/1.1 200 OK\r\n{lines}Content-Length: {len(data)}\r\n\r\n".encode() + data


BOMB = gzip.compress(b"\0" * (32 << 20), 9)
HTTP = {
    "ok": OK,
    "reset-request": lambda c, _: reset(c),
    "reset-headers": then_reset(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "reset-body": then_reset(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhel"),
    "nothing": b"",
    "silence": silence,
    "slow-header": slow_header,
    "drip": drip(b"HTTP/1.1 200 OK\r\n\r\n"),
    "endless": endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
    "endless-chunked": endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n"),
    "endless-continue": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "endless-headers": endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n"),
    "header-of-a-mebibyte": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * (1 << 20) + b"\r\n\r\nhello",
    "gzip-bomb": body(BOMB, "Content-Encoding: gzip"),
    "gzip-garbage": body(b"\x1f\x8bgarbage", "Content-Encoding: gzip"),
    "length-too-long": b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nonly this",
    "length-too-short": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello",
    "length-negative": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
    "length-twice": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nhello",
    "http-0.9": b"<h1>hello</h1>",
    "http-9.9": b"HTTP/9.9 200 OK\r\n\r\nhello",
    "status-000": b"HTTP/1.1 000 Zero\r\n\r\nhello",
    "status-999": b"HTTP/1.1 999 Request denied\r\n\r\nhello",
    "status-2OO": b"HTTP/1.1 2OO OK\r\n\r\nhello",
    "nul-in-header": b"HTTP/1.1 200 OK\r\nX-A: b\0c\r\n\r\nhello",
    "cr-only": b"HTTP/1.1 200 OK\rContent-Length: 5\r\rhello",
    "redirect-loop": redirect("/redirect-loop"),
    "redirect-to-file": redirect("file:///etc/passwd"),
    "redirect-to-gopher": redirect("gopher://127.0.0.1:70/"),
    "redirect-to-private": to_port("http://127.0.0.1:PORT/ok"),
    "redirect-to-mapped": to_port("http://[::ffff:127.0.0.1]:PORT/ok"),
    "redirect-to-metadata": redirect("http://169.254.169.254/latest/meta-data/"),
    **{f"redirect-to-lie{kind}": to_port(f"http://inside{kind}.example.com:PORT/ok") for kind in (
        "", "-v6", "-mapped", "-zero", "-metadata", "-too")},
    "redirect-long": redirect("/" + "x" * 10000),
    "redirect-ok": redirect("/ok"),
    "cookies": b"HTTP/1.1 200 OK\r\n" + b"".join(b"Set-Cookie: c%d=%s\r\n" % (i, b"x" * 200) for i in range(200))
    + b"Content-Length: 5\r\n\r\nhello",
    "body-in-204": b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
    "half-closed": half_closed,
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "smtp": b"220 mail.example.com ESMTP\r\n",
    "keyword-split": split_keyword,
    "keyword-at-the-end": body(b"x" * (65536 - 11) + b"Add to cart" + b"x" * 100),
    "keyword-too-late": body(b"x" * (65536 - 10) + b"Add to cart" + b"x" * 100),
}


class Listener:
    """A TCP server, a thread for each connection. Clients that go away are nothing to speak of."""

    def __init__(self, serve, port=0, family=socket.AF_INET, at="0.0.0.0"):
        self.serve, self.socket = serve, socket.socket(family)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((at, port))
        self.socket.listen(100)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        try:
            self.serve(connection, self)
        except (OSError, ssl.SSLError):
            pass
        connection.close()


visited = {}  # first labels of the names that HTTP requests were for: when


def serve_http(c, server):
    request = b""
    while b"\r\n\r\n" not in request:
        piece = c.recv(65536)
        if not piece:
            return
        request += piece
    path = request.split(b" ")[1].decode().lstrip("/")
    visited.update((label.decode(), time.monotonic()) for label in re.findall(rb"Host: ([^.]+)", request))
    act = HTTP.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    if callable(act):
        act(c, server)
    else:
        c.sendall(act)


def reset_at_once(c, _):
    reset(c)


# ---- TLS

def openssl(*arguments, folder, **options):
    return subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True, **options)


class Authority:
    """A certificate authority in a folder, for tests."""

    def __init__(self, folder, name):
        self.folder, self.name = pathlib.Path(folder), name
        self.serial = itertools.count(1000)
        self.make_key(name)
        openssl("req", "-x509", "-new", "-key", f"{name}.key", "-out", f"{name}.pem", "-days", 30, "-subj",
                f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE", folder=folder)
        (self.folder / f"{name}.db").write_text("")
        (self.folder / f"{name}.cnf").write_text(
            f"[ca]\ndefault_ca=own\n[own]\ndatabase={name}.db\nnew_certs_dir=.\ncertificate={name}.pem\n"
            f"private_key={name}.key\npolicy=any\nunique_subject=no\ncopy_extensions=copy\nrand_serial=yes\n"
            "[any]\ncommonName=supplied\n")

    def make_key(self, name, *kind):
        openssl("genpkey", *(kind or ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")), "-out",
                f"{name}.key", folder=self.folder)

    def issue(self, name, host="localhost", since="-1", until="+30", md="sha256", key=()):
        """Makes NAME.pem and NAME.key; since and until are days from now."""
        def stamp(days):
            return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + float(days) * 86400))

        self.make_key(name, *key)
        openssl("req", "-new", "-key", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={host}", "-addext",
                f"subjectAltName=DNS:{host}", folder=self.folder)
        openssl("ca", "-batch", "-notext", "-config", f"{self.name}.cnf", "-in", f"{name}.csr", "-out", f"{name}.pem",
                "-startdate", stamp(since), "-enddate", stamp(until), "-md", md, folder=self.folder)
        return name


def nul_in_name(authority):
    """A certificate for "localhost\\0.example.com", signed by the authority: patched, and signed anew."""
    folder = authority.folder
    authority.issue("nul", "localhostX.example.com")
    der = openssl("x509", "-in", "nul.pem", "-outform", "DER", folder=folder).stdout
    der = der.replace(b"localhostX.example", b"localhost\0.example")
    start = 4                                              # SEQUENCE with two bytes of length, then the part that is signed
    length = 4 + struct.unpack(">H", der[start + 2:start + 4])[0]
    signed, rest = der[start:start + length], der[start + length:]
    signature = openssl("dgst", "-sha256", "-sign", f"{authority.name}.key", folder=folder, input=signed).stdout
    algorithm = rest[:2 + rest[1]]
    whole = signed + algorithm + b"\x03" + bytes([len(signature) + 1, 0]) + signature
    der = b"\x30\x82" + struct.pack(">H", len(whole)) + whole
    openssl("x509", "-inform", "DER", "-out", "nul.pem", folder=folder, input=der)


def make_certificates(folder):
    ca, other = Authority(folder, "ca"), Authority(folder, "other")
    rsa = ("-algorithm", "RSA", "-pkeyopt")
    ca.issue("good")
    ca.issue("expired", since="-30", until="-2")
    ca.issue("future", since="+2", until="+30")
    ca.issue("wrong-host", host="other.example.com")
    ca.issue("sha1", md="sha1")
    ca.issue("short-key", key=(*rsa, "rsa_keygen_bits:1024"))
    other.issue("unknown-ca")
    nul_in_name(ca)
    ca.make_key("self-signed")
    openssl("req", "-x509", "-new", "-key", "self-signed.key", "-out", "self-signed.pem", "-days", 30, "-subj",
            "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", folder=folder)
    good = (folder / "good.pem").read_text()
    for name, n in (("chain-of-100", 100), ("chain-too-long", 400)):
        (folder / f"{name}.pem").write_text(good + (folder / "ca.pem").read_text() * n)
        (folder / f"{name}.key").write_text((folder / "good.key").read_text())


def context(folder, name):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.set_ciphers("ALL:@SECLEVEL=0")
    tls.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return tls


def over(tls, serve=serve_http):
    def act(c, server):
        c.settimeout(10)
        with tls.wrap_socket(c, server_side=True) as secured:
            serve(secured, server)
    return act


def old_only(folder):
    tls = context(folder, "good")
    tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1
    return tls


def by_name(folder):
    """Shows the right certificate only to those who ask for the name."""
    right, wrong = context(folder, "good"), context(folder, "wrong-host")

    def choose(connection, name, _):
        if name == "localhost":
            connection.context = right
    wrong.sni_callback = choose
    return wrong


def stall_after(n, port):
    """Lets through only the first n bytes that a good server says."""
    def act(c, _):
        with socket.create_connection(("127.0.0.1", port)) as real:
            threading.Thread(target=pump, args=(c, real, 1 << 30), daemon=True).start()
            pump(real, c, n)
            time.sleep(20)
    return act


def pump(source, sink, n):
    try:
        while n > 0 and (piece := source.recv(min(n, 65536))):
            sink.sendall(piece)
            n -= len(piece)
    except OSError:
        pass


def frames(c, _):
    """HTTP/2, which nobody agreed to."""
    c.recv(65536)
    c.sendall(b"\0\0\0\4\0\0\0\0\0")


def start_tls(folder):
    ports = {name: Listener(over(context(folder, name))).port for name in (
        "good", "expired", "future", "wrong-host", "sha1", "short-key", "unknown-ca", "self-signed", "nul",
        "chain-of-100", "chain-too-long")}
    ports["tls-1.0"] = Listener(over(old_only(folder))).port
    ports["by-name"] = Listener(over(by_name(folder))).port
    ports["http-2"] = Listener(over(context(folder, "good"), frames)).port
    ports["plain"] = Listener(lambda c, _: c.recv(9999) and c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\nno")).port
    ports["silent"] = Listener(silence).port
    for n in (1, 5, 90, 300, 600):
        ports[f"stall-{n}"] = Listener(stall_after(n, ports["good"])).port
    return ports


# ---- DNS

A, CNAME, AAAA = 1, 5, 28


def name_of(labels):
    return b"".join(bytes([len(x)]) + x.encode() for x in labels.split(".")) + b"\0"


def record(kind, data, name=b"\xc0\x0c"):
    return name + struct.pack(">HHIH", kind, 1, 0, len(data)) + data


def v4(*addresses):
    return [record(A, socket.inet_aton(a)) for a in addresses]


def v6(*addresses):
    return [record(AAAA, socket.inet_pton(socket.AF_INET6, a)) for a in addresses]


class Lies:
    """The DNS server. A class gives, for a type of record, (rcode, records), or None for silence."""

    def __init__(self):
        self.port = Listener(self.over_tcp, at="127.0.0.1").port
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.rows = {
            "good": lambda kind: (0, v4("127.0.0.1") if kind == A else []),
            "public": lambda kind: (0, v4(PUBLIC) if kind == A else []),
            "nx": lambda _: (3, []),
            "servfail": lambda _: (2, []),
            "refused": lambda _: (5, []),
            "mute": lambda _: None,
            "wrong-id": lambda kind: (0, v4("127.0.0.1") if kind == A else []),
            "truncated": lambda kind: (0, []),
            "cname-loop": lambda _: (0, [record(CNAME, b"\xc0\x0c")]),
            "cname-chain": lambda kind: (0, [record(CNAME, name_of("b.example.com")),
                                             record(CNAME, name_of("cname-chain.example.com"), name_of("b.example.com"))]),
            "many": lambda kind: (0, v4(*["127.0.0.1"] * 200) if kind == A else []),
            "inside": lambda kind: (0, v4("127.0.0.1") if kind == A else []),
            "inside-v6": lambda kind: (0, v6("::1") if kind == AAAA else []),
            "inside-mapped": lambda kind: (0, v6("::ffff:127.0.0.1") if kind == AAAA else []),
            "inside-zero": lambda kind: (0, v4("0.0.0.0") if kind == A else []),
            "inside-metadata": lambda kind: (0, v4("169.254.169.254") if kind == A else []),
            "inside-too": lambda kind: (0, v4(PUBLIC, "127.0.0.1") if kind == A else []),
            "zero": lambda kind: (0, v4("0.0.0.0") if kind == A else []),
            "v6-only": lambda kind: (0, v6("2001:db8::1") if kind == AAAA else []),
            "garbled": lambda kind: (0, [b"\xc0"]),
            "bad-pointer": lambda kind: (0, [b"\xc0\xff" + record(A, b"\x7f\0\0\1")[2:]]),
            "long-data": lambda kind: (0, [b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 0, 60000) + b"\x7f\0\0\1"]),
        }
        threading.Thread(target=self.run, daemon=True).start()

    @staticmethod
    def rebind(label, kind):
        """Public, but private right after a visit. (Each test has a number of its own behind the word.)"""
        inside = time.monotonic() - visited.get(label, -1) < 0.7
        return 0, v4("127.0.0.1" if inside else PUBLIC) if kind == A else []

    def run(self):
        while True:
            question, client = self.udp.recvfrom(2000)
            answer = self.answer(question)
            if answer:
                self.udp.sendto(answer, client)

    def over_tcp(self, c, _):
        """What does not fit into a datagram; nothing for the name whose server refuses that."""
        while len(head := c.recv(2)) == 2:
            answer = self.answer(c.recv(struct.unpack(">H", head)[0]), 65535)
            if not answer or answer[2] & 2:
                return reset(c)
            c.sendall(struct.pack(">H", len(answer)) + answer)

    def answer(self, question, room=512):
        label = question[13:13 + question[12]].decode().lower()
        end = 12 + question[12:].index(b"\0") + 1
        kind = struct.unpack(">H", question[end:end + 2])[0]
        row = self.rebind(label, kind) if label.startswith("rebind") else self.rows.get(label, lambda _: (3, []))(kind)
        if row is None:
            return None
        number = bytes([question[0] ^ 255, question[1]]) if label == "wrong-id" else question[:2]
        records = row[1] if label != "truncated" and 100 + sum(map(len, row[1])) <= room else []
        flags = 0x8180 | (0x0200 if label == "truncated" or len(records) < len(row[1]) else 0) | row[0]
        return number + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + question[12:end + 4] + b"".join(records)


# ---- all of it

def main():
    folder = pathlib.Path(sys.argv[1])
    for command in ("ip link set lo up", f"ip addr add {PUBLIC}/32 dev lo"):
        subprocess.run(command.split(), check=True)
    make_certificates(folder)
    http = Listener(serve_http)
    mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # a resolver that never answers
    mute.bind(("127.0.0.1", 0))
    print(json.dumps({"pid": os.getpid(), "http": http.port, "reset": Listener(reset_at_once).port,
                      "dns": Lies().port, "mute": mute.getsockname()[1], "tls": start_tls(folder)}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
