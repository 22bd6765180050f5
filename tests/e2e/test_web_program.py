# SPDX-License-Identifier: ISC
"""The life of the web program, and what a web server, a client or an attacker may do to it: spoken to directly."""
import hashlib
import hmac
import json
import os
import random
import signal
import struct
import time

import pytest

import fastcgi
from fastcgi import Program, begin, environment, params, record, whole
from upbeat import wait_for

SECRET = "a secret of the robot"
CONFIG = {"monitors": {"robot": {"type": "heartbeat", "secret": SECRET, "max_age": "5m"}}}


@pytest.fixture
def program(site):
    site.configure(CONFIG)
    site.a_pass(check=True)
    return Program(site)


def signed(body, secret=SECRET):
    return {"HTTP_X_HUB_SIGNATURE_256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def beat(program, moment=None):
    body = json.dumps({"time": time.time() if moment is None else moment}).encode()
    return program.ask("POST", "/beat/robot", body, **signed(body))


def open_request(program, body, sent=0, path="/beat/robot"):
    """A POST whose body has only begun."""
    s = program.connect()
    s.sendall(begin() + params(environment("POST", path, len(body), **signed(body))) +
              (record(fastcgi.STDIN, body[:sent]) if sent else b""))
    return s


def finish_request(s, body, sent=0):
    s.sendall(record(fastcgi.STDIN, body[sent:]) + record(fastcgi.STDIN))
    return Program.answer(s)


# ---- the end

def test_sigterm_ends_all_threads_and_answers_what_is_in_hand(program):
    body = json.dumps({"time": time.time()}).encode()
    hand = [open_request(program, body if i == 0 else body + b" " * i) for i in range(3)]
    wait_for(lambda: program.threads() == 8)  # three are in hand, and were replaced
    program.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert program.alive(), "requests in hand are waited for"
    answers = [finish_request(s, body if i == 0 else body + b" " * i) for i, s in enumerate(hand)]
    assert sorted(a.status for a in answers) == [200, 400, 400]
    assert program.ended() == 0


def test_sigterm_ends_an_idle_program_at_once_and_leaves_the_socket_to_others(program):
    assert program.ask(path="/healthz").status == 200
    began = fastcgi.now()
    program.process.send_signal(signal.SIGTERM)
    assert program.ended() == 0 and fastcgi.now() - began < 2
    waiting = program.connect()  # the next process, started on the same socket, takes it
    waiting.sendall(whole(path="/beat/robot"))
    import subprocess
    following = subprocess.Popen([program.binary], stdin=program.listener,
                                 env={"UPBEAT_STORE": str(program.site.store)})
    program.site.processes.append(following)
    assert Program.answer(waiting).status == 404


def test_a_new_binary_in_its_place_is_noticed(program):
    assert beat(program).status == 200
    program.place(fastcgi.PROGRAM)
    time.sleep(0.3)  # it looks some times a second
    assert program.ask(path="/beat/robot").status == 200
    assert program.ended() == 0


def test_an_unfinished_copy_of_a_binary_changes_nothing(program):
    assert beat(program).status == 200
    os.rename(program.binary, program.binary.with_suffix(".old"))
    time.sleep(0.3)
    for _ in range(3):
        assert program.ask(path="/beat/robot").status == 200
        time.sleep(0.25)
    assert program.alive()


def test_over_tcp_only_the_named_web_servers_are_heard(site):
    site.configure(CONFIG)
    site.a_pass(check=True)
    for servers, heard in (("192.0.2.1,127.0.0.1", True), ("192.0.2.1", False)):
        program = Program(site, tcp=True, FCGI_WEB_SERVER_ADDRS=servers)
        answer = program.ask(path="/beat/robot")
        assert (answer is not None and answer.status == 404) is heard
        site.stop(program.process)


# ---- slow clients

def test_slow_bodies_do_not_stop_beats(program):
    body = json.dumps({"time": time.time()}).encode()
    slow = [open_request(program, body, sent=1) for _ in range(20)]
    began = fastcgi.now()
    assert beat(program).status == 200
    assert fastcgi.now() - began < 2
    for s in slow:
        s.close()
    assert beat(program).status == 200


def test_a_body_has_ten_seconds_however_it_drips(program):
    body = json.dumps({"time": time.time()}).encode() + b" " * 50
    s, began, answer = open_request(program, body), fastcgi.now(), None
    for i in range(len(body) - 1):
        try:
            s.sendall(record(fastcgi.STDIN, body[i:i + 1]))
        except ConnectionError:
            break
        s.settimeout(0.5)
        try:
            if s.recv(1, 2):  # 2: MSG_PEEK
                s.settimeout(5)
                answer = Program.answer(s)
                break
        except TimeoutError:
            pass
    assert answer is not None and answer.status == 408
    assert 9 < fastcgi.now() - began < 13


def test_spare_threads_are_not_started_for_nothing(program):
    for _ in range(50):
        program.ask(path="/beat/robot")
    assert program.threads() == 5  # the main one, and as many as were asked for


# ---- lengths (T5)

@pytest.mark.parametrize("length,sent,status", [
    ("-1", 5, 400), ("1e3", 5, 400), (" 5", 5, 400), ("5x", 5, 400), ("0x5", 5, 400), ("2147483648", 5, 413),
    ("9223372036854775808", 5, 413), ("99999999999999999999", 5, 413), ("65537", 5, 413), ("5", 4, 400), ("5", 0, 400),
    ("5", 5, 403), ("5", 6, 403), ("", 5, 403), ("0", 5, 403)])
def test_lengths_that_do_not_fit(program, length, sent, status):
    with program.connect() as s:
        s.sendall(begin() + params({**environment("POST", "/beat/robot"), "CONTENT_LENGTH": length}) +
                  (record(fastcgi.STDIN, b"x" * sent) if sent else b"") + record(fastcgi.STDIN))
        assert Program.answer(s).status == status
    assert beat(program).status == 200


def test_a_chunked_body_without_a_length_is_read_to_its_end(program):
    body = json.dumps({"time": time.time()}).encode()
    with program.connect() as s:
        s.sendall(begin() + params({**environment("POST", "/beat/robot"), "HTTP_TRANSFER_ENCODING": "chunked",
                                    **signed(body)}) +
                  record(fastcgi.STDIN, body[:5]) + record(fastcgi.STDIN, body[5:]) + record(fastcgi.STDIN))
        assert Program.answer(s).status == 200


# ---- FastCGI records, well and badly (T18)

def hostile():
    good = whole(path="/beat/robot")
    yield "nothing", b""
    yield "half a header", good[:5]
    yield "no parameters", begin()
    yield "parameters without end", begin() + record(fastcgi.PARAMS, b"\x01\x01ab")
    for name, value in ((0x7fffffff, 0x7fffffff), (0x7fffffff, 1), (1, 0x7fffffff), (0x40000000, 0x40000000),
                        (0x7ffffff0, 0x1f)):
        lengths = struct.pack(">II", name | 0x80000000, value | 0x80000000)
        yield f"lengths {name:x} {value:x}", begin() + record(fastcgi.PARAMS, lengths + b"ab") + record(fastcgi.PARAMS)
    yield "a name longer than the record", begin() + record(fastcgi.PARAMS, b"\x20\x20ab") + record(fastcgi.PARAMS)
    yield "wrong version", b"\x07" + good[1:]
    yield "wrong request id", begin() + params(environment(), request_id=9) + record(fastcgi.STDIN)
    yield "unknown role", begin(role=9) + params(environment()) + record(fastcgi.STDIN)
    yield "unknown type", record(99, b"x") + good
    yield "abort", begin() + record(fastcgi.ABORT)
    yield "abort in the body", begin() + params(environment("POST", "/beat/robot", 9)) + record(fastcgi.ABORT)
    yield "two begins", begin() + begin() + good
    yield "a length that lies", begin() + record(fastcgi.PARAMS, b"\x01\x01ab", length=60000)
    yield "an HTTP request", b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
    yield "zeros", b"\0" * 4096
    yield "no method", begin() + params({"REQUEST_URI": "/"}) + record(fastcgi.STDIN)
    yield "no variables at all", begin() + params({}) + record(fastcgi.STDIN)
    yield "a thousand headers", whole(path="/beat/robot", **{f"HTTP_X_{i}": "v" * 50 for i in range(1000)})
    yield "a megabyte of a header", whole(path="/beat/robot", HTTP_COOKIE="v" * 1000000)


@pytest.mark.parametrize("what,data", list(hostile()), ids=lambda v: v if isinstance(v, str) else "")
def test_a_bad_connection_harms_no_other(program, what, data):
    with program.connect() as s:
        try:
            s.sendall(data)
            s.shutdown(1)  # SHUT_WR
        except ConnectionError:
            pass
        Program.answer(s)
    assert beat(program).status == 200
    assert program.alive()


def test_random_damage_to_records_harms_nobody(program):
    seed = random.Random(20260501)
    body = json.dumps({"time": 1}).encode()
    good = whole("POST", "/beat/robot", body, **signed(body))
    for _ in range(400):
        data = bytearray(good)
        for _ in range(seed.randint(1, 6)):
            data[seed.randrange(len(data))] = seed.randrange(256)
        if seed.random() < 0.3:
            del data[seed.randrange(len(data)):]
        with program.connect() as s:
            try:
                s.sendall(data)
                s.shutdown(1)
                s.settimeout(0.05)
                s.recv(4096)
            except (ConnectionError, TimeoutError):
                pass
    assert program.alive()
    assert beat(program).status == 200


def test_1100_silent_connections_stop_nobody(program):
    """More than select() could watch."""
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
                                                resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    silent = [program.connect() for _ in range(1100)]
    began = fastcgi.now()
    assert beat(program).status == 200
    assert fastcgi.now() - began < 5
    assert program.threads() < 40
    silent[7].sendall(whole(path="/beat/robot"))
    assert Program.answer(silent[7]).status == 200, "whoever speaks after all is answered"
    for s in silent:
        s.close()
    assert beat(program).status == 200


# ---- input in other places (T2, T3, T4, T6)

def test_long_and_odd_addresses_and_queries(program):
    for n in (0, 1, 63, 64, 65, 127, 128, 129, 4096, 65536):
        for path in ("/beat/" + "a" * n, "/" + "a" * n, "/ping/" + "a" * n, "/m/" + "a" * n, "/up/" + "%41" * n):
            assert program.ask(path=path).status in (200, 400, 404, 405), (path[:10], n)
    for query in ("a", "=", "&", "a&b=", "%", "%4", "%zz", "%00", "rid=%", "a=1&" * 10000, "=&=&=", "lang=%0d%0aX:1"):
        answer = program.ask(path="/ping/0123456789abcdef?" + query, QUERY_STRING=query)
        assert answer.status == 404 and set(answer.headers) <= HEADERS, query
    assert beat(program).status == 200


HEADERS = {"Status", "Content-Type", "X-Content-Type-Options", "Referrer-Policy", "Cache-Control", "Content-Length",
           "Retry-After", "Allow", "Access-Control-Allow-Origin", "Ping-Body-Limit"}


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a%0d%0aX-Evil:%201", "\r\n\r\n<script>"])
def test_nothing_that_was_sent_becomes_a_header(program, value):
    for path in ("/beat/robot", "/nowhere", "/ping/0123456789abcdef"):
        answer = program.ask(path=path + "?lang=" + value, QUERY_STRING="lang=" + value, HTTP_COOKIE="lang=" + value,
                             HTTP_ACCEPT_LANGUAGE=value, HTTP_HOST=value, REMOTE_USER=value, SCRIPT_NAME=value)
        assert set(answer.headers) <= HEADERS and "X-Evil" not in str(answer.headers)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "get", "", "\x01", "G" * 5000])
def test_other_methods(program, method):
    answer = program.ask(method, "/beat/robot")
    assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD, POST"


def test_shell_and_proxy_payloads_are_only_text(program):
    """T10, T11: in every header; the program executes nothing and connects to nothing."""
    payload = "() { :;}; echo vulnerable"
    answer = program.ask(path="/beat/robot", HTTP_USER_AGENT=payload, HTTP_PROXY="http://192.0.2.1:1/",
                         HTTP_REFERER=payload, HTTP_COOKIE=payload)
    assert answer.status == 404 and b"vulnerable" not in answer.body


# ---- cheap refusals (T25, L7)

def syncs(program, act):
    import subprocess
    trace = program.site.folder / "trace"
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=fdatasync,fsync,pwrite64,writev", "-o", trace,
                               "-p", str(program.process.pid)], stderr=subprocess.PIPE)
    tracer.stderr.read(0)
    wait_for(lambda: f"TracerPid:\t{tracer.pid}" in open(f"/proc/{program.process.pid}/status").read())
    act()
    tracer.send_signal(signal.SIGINT)
    tracer.wait()
    return [line for line in trace.read_text().splitlines() if "sync" in line or "data" in line]


def test_a_bad_signature_is_refused_without_a_sync(program):
    assert beat(program).status == 200

    def forge():
        for i in range(200):
            assert program.ask("POST", "/beat/robot", b"{}", HTTP_X_HUB_SIGNATURE_256="0" * 64).status == 403
    assert syncs(program, forge) == []
    log = (program.site.store / "inbox" / "web.log").read_text()
    assert log.count("signature") == 1, "one line a minute for each reason"


def test_a_replay_is_refused_without_a_write_each(program):
    moment = time.time()
    assert beat(program, moment).status == 200

    def replay():
        for _ in range(100):
            assert beat(program, moment).status == 400
    assert len(syncs(program, replay)) < 30, "kept at most once a second"


def test_beats_that_come_together_share_a_commit(program):
    """Sixteen clients at once: their verdicts are their own, their syncs are not."""
    import concurrent.futures
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        base = time.time()
        answers = list(pool.map(lambda i: beat(program, base + i / 1e5), range(400)))
    assert all(a.status in (200, 400) for a in answers)
    assert sum(a.status == 200 for a in answers) > 0
