# SPDX-License-Identifier: ISC
"""The other ends of the line: a web site to be watched, and those who are told."""
import email
import email.policy
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller


class _Server:
    """An HTTP server on a free port, in a thread of its own."""

    def __init__(self, address="127.0.0.1"):
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                owner.answer(self, self.rfile.read(length))

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = handle_any

        self.server = ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://{address}:{self.port}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @staticmethod
    def reply(handler, status, body, headers=()):
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)


class Target(_Server):
    """A web site: `status` and `body` are what it answers, `hits` how often it was asked."""

    def __init__(self, *address):
        super().__init__(*address)
        self.status, self.body, self.hits = 200, b"<title>shop</title>", 0

    def answer(self, handler, _):
        self.hits += 1
        self.reply(handler, self.status, self.body)


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.method} {self.path} {self.body[:300]!r}>"


class Catcher(_Server):
    """Takes messages. `script` maps a path to what it answers: (status, body); what is not there gets 200 ok."""

    def __init__(self, *address):
        super().__init__(*address)
        self.received, self.script = [], {}

    def answer(self, handler, body):
        status, text, *headers = self.script.get(handler.path, (200, b"ok"))
        self.received.append(Request(handler.command, handler.path, handler.headers, body))
        self.reply(handler, status, text, headers)

    def at(self, path):
        return [r for r in self.received if r.path == path]


class Mailbox:
    """An SMTP server; `mails` are parsed messages with their envelope in .envelope_from and .envelope_to."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, _server, _session, envelope):
        mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        mail.raw, mail.envelope_from, mail.envelope_to = envelope.original_content, envelope.mail_from, envelope.rcpt_tos
        self.mails.append(mail)
        return "250 OK"

    def __enter__(self):
        self.controller = Controller(self, hostname="127.0.0.1", port=0)
        # Controller wants to know its port beforehand; let the kernel choose one.
        from upbeat import free_port
        self.controller.port = free_port()
        self.controller.start()
        self.port = self.controller.port
        return self

    def __exit__(self, *_):
        self.controller.stop()
