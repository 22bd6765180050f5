# SPDX-License-Identifier: ISC
"""Each channel against a strict fake of its service: what is sent, what counts as sent, what is tried again,
and what never is."""
import email
import email.header
import email.policy
import json
import os
import re
import socket
import ssl
import stat
import subprocess
import time

import pytest

import fakes
from upbeat import free_port, wait_for

NAME = 'The "shop" <b>&amp; caf\u00e9 \U0001f6d2 {{x}} %s'


@pytest.fixture(params=fakes.SERVICES, ids=lambda service: service.name)
def service(request):
    with request.param() as it:
        yield it
        assert it.wrong == []


def with_channel(site, service, monitors=None, **more):
    site.configure({"url": "https://status.example.com/upbeat", "channels": {"it": {**service.config, **more}},
                    "defaults": {"interval": "1s", "timeout": "2s", "notify": ["it"], "confirm_waits": ["200ms", "200ms"],
                                 "recover_wait": "200ms"},
                    "monitors": monitors or {"shop": {"type": "heartbeat", "secret": "s", "max_age": "1h", "notify": ["it"]}}})


EVENTS = "down up unknown slow certificate flapping maintenance test digest".split()


@pytest.mark.parametrize("event", EVENTS)
def test_a_test_message_of_each_kind_is_taken(site, service, event):
    with_channel(site, service)
    done = site.prober("notify", "it", "--event", event)
    assert (done.returncode, done.stderr) == (0, ""), (done, service.wrong)
    assert "it: sent" in done.stdout
    assert service.secret not in done.stdout
    if service.name != "statuspage":  # it has a place only for what happens to its components
        assert len(service.messages) == 1
        if service.name != "pagerduty" or service.messages[0].kind == "trigger":
            assert "[test]" in service.messages[0].words


def test_in_chinese(site, service):
    with_channel(site, service, language="zh-TW")
    assert site.prober("notify", "it", "--event", "down").returncode == 0
    if service.name != "statuspage":
        assert "測試" in service.messages[0].words


@pytest.mark.parametrize("mode, status", [("refuse", 1), ("500", 75), ("503", 75), ("429", 75), ("reset", 75), ("redirect", 1),
                                          ("200 with error", None)])
def test_what_is_not_sent_is_not_called_sent(site, service, mode, status):
    if service.name == "statuspage":
        pytest.skip("a test message of no component sends nothing")
    with_channel(site, service)
    service.mode = mode
    done = site.prober("notify", "it")
    assert done.returncode == status or (status is None and done.returncode in (1, 75)), done
    assert len(service.attempts) == 1, "a redirect was followed, or a request was repeated"
    assert service.secret not in done.stdout + done.stderr


def test_a_hanging_service_is_left_after_15_seconds(site):
    with fakes.Webhook() as service:
        with_channel(site, service)
        service.mode = "hang"
        began = time.time()
        done = site.prober("notify", "it")
        service.mode = "ok"
        assert done.returncode == 75 and 14 < time.time() - began < 18, done


def test_no_proxy_of_the_environment_is_used(site):
    with fakes.Webhook() as service, fakes.Webhook() as proxy:
        with_channel(site, service)
        site.env = {name: proxy.url for name in ("http_proxy", "https_proxy", "ALL_PROXY", "HTTP_PROXY", "all_proxy")}
        assert site.prober("notify", "it").returncode == 0
        assert proxy.attempts == [] and len(service.messages) == 1


def test_the_usage_and_unknown_names(site):
    with fakes.Webhook() as service:
        with_channel(site, service)
        assert site.prober("notify").returncode == 2
        assert site.prober("notify", "it", "--event", "nonsense").returncode == 2
        done = site.prober("notify", "its")
        assert done.returncode == 1 and 'did you mean "it"' in done.stderr


# ---- outages, told for real

def state(site):
    """The shop's state; None before the first pass."""
    done = site.prober("status", "--json")
    shops = json.loads(done.stdout)["monitors"] if done.returncode == 0 else []
    return shops[0]["state"] if shops else None


def outage(site, service, target, name=NAME, **more):
    """The shop breaks and is mended; a watching prober tells."""
    with_channel(site, service, {"shop": {"type": "http", "name": name, "url": target.url + "/",
                                          "runbook": "https://wiki.example.com/shop"}}, **more)
    process = site.start_prober("watch")
    wait_for(lambda: state(site) == "up", 30)
    target.status = 502
    return process


def test_an_outage_and_its_end(site, service, target):
    outage(site, service, target)
    wait_for(lambda: service.messages or service.wrong, 20)
    wait_for(lambda: state(site) == "down")
    assert service.wrong == []
    down = service.messages[0]
    if service.name == "statuspage":
        wait_for(lambda: service.incidents and service.component == "major_outage")
    else:
        assert "caf\u00e9" in down.words and "502" in down.words or service.name in ("pagerduty",)
    target.status = 200
    if service.name == "statuspage":
        wait_for(lambda: [i["status"] for i in service.incidents.values()] == ["resolved"], 45)
        assert service.component == "operational"
        return
    wait_for(lambda: len(service.messages) > 1 or service.wrong, 45)
    up = service.messages[1]
    if service.name == "slack-bot":
        assert up.thread == down.ts
    if service.name == "pagerduty":
        assert (down.kind, up.kind) == ("trigger", "resolve") and up.id == down.id
    elif up.id:
        assert up.id != down.id
    time.sleep(2)
    assert len(service.messages) == 2, "something was told twice"


def test_response_times_become_metrics(site, target):
    with fakes.Statuspage() as service:
        with_channel(site, service, {"shop": {"type": "http", "url": target.url + "/"}})
        site.start_prober("watch")
        wait_for(lambda: service.points, 90)
        assert service.wrong == [] and all(0 < p["value"] < 10000 for p in service.points)


@pytest.mark.parametrize("mode", ["500", "429", "429 date", "reset", "200 with error"])
def test_an_outage_that_could_not_be_told_at_once_is_told_once_with_its_id(site, target, mode):
    with fakes.Pushbullet() as service:
        service.mode = mode
        if mode == "200 with error":
            service.failure_in_200 = (200, b'{"error":{"type":"server","message":"later","cat":"~"}}')
        outage(site, service, target)
        wait_for(lambda: service.attempts, 20)
        service.mode = "ok"
        wait_for(lambda: service.messages, 40)
        time.sleep(3)
        assert len(service.messages) == 1 and service.wrong == []


def test_a_refused_message_is_not_repeated(site, target):
    with fakes.SlackWebhook() as service:
        service.mode = "refuse"
        outage(site, service, target)
        wait_for(lambda: service.attempts, 20)
        time.sleep(15)
        assert len(service.attempts) == 1


def test_down_and_up_told_late_as_one(site, target):
    with fakes.Webhook() as service:
        service.mode = "500"
        outage(site, service, target)
        wait_for(lambda: service.attempts, 20)
        target.status = 200
        wait_for(lambda: state(site) == "up", 20)
        service.mode = "ok"
        wait_for(lambda: service.messages, 40)
        time.sleep(12)
        message, = service.messages
        assert message.kind == "up" and re.search(r"was down \d\d:\d\d-\d\d:\d\d, told late", message.words)


# ---- mail

class Smtp:
    """An SMTP server that refuses and postpones as it is told."""

    def __init__(self, refuse=(), later=()):
        self.mails, self.refuse, self.later = [], set(refuse), set(later)

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address in self.refuse:
            return "550 5.1.1 no such user"
        if address in self.later:
            return "451 4.3.0 try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.original_content))
        return "250 2.0.0 queued as 1234"

    def __enter__(self):
        from aiosmtpd.controller import Controller
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self.controller.start()
        self.port = self.controller.port
        return self

    def __exit__(self, *_):
        self.controller.stop()


def parsed(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)


def mail_channel(port, **more):
    return {"type": "mail", "to": ["ops@example.com", "J\u00f6rg <joerg@example.com>"],
            "from": "Upbeat <upbeat@example.com>", "smtp": f"smtp://127.0.0.1:{port}", **more}


def with_mail(site, channel):
    site.configure({"url": "https://status.example.com/upbeat", "channels": {"post": channel},
                    "monitors": {"shop": {"type": "heartbeat", "secret": "s", "max_age": "1h", "notify": ["post"]}}})


def test_a_mail_is_well_formed(site):
    with Smtp() as smtp:
        with_mail(site, mail_channel(smtp.port, language="zh-TW"))
        done = site.prober("notify", "post", "--event", "down")
        assert done.returncode == 0 and "queued as 1234" in done.stdout, done
        assert [m[:2] for m in smtp.mails] == [("upbeat@example.com", ["ops@example.com"]),
                                               ("upbeat@example.com", ["joerg@example.com"])]
        raw = smtp.mails[1][2]
        assert not re.search(rb"[^\r]\n|\r[^\n]", raw), "a line does not end in CRLF"
        assert max(len(line) for line in raw.split(b"\r\n")) <= 78
        mail = parsed(raw)
        assert mail["From"] == "Upbeat <upbeat@example.com>" and mail["To"] == "J\u00f6rg <joerg@example.com>"
        assert "測試" in mail["Subject"] and "Example" in mail["Subject"]
        assert mail["Auto-Submitted"] == "auto-generated" and mail["MIME-Version"] == "1.0" and mail["Date"]
        assert re.fullmatch(r"<[A-Za-z0-9-]+@example\.com>", mail["Message-ID"])
        assert mail.get_content_type() == "multipart/alternative"
        plain, html = mail.iter_parts()
        assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
        assert "HTTP 502" in plain.get_content() and "HTTP 502" in html.get_content()
        assert '<a href="https://status.example.com/upbeat/' in html.get_content()


def test_long_names_are_folded_as_rfc_2047_says(site):
    """No line with an encoded word is longer than 76 characters, and nothing of the name is lost."""
    name = "Stra\u00dfenbahn-\u904b\u8f38" * 12
    with Smtp() as smtp:
        with_mail(site, mail_channel(smtp.port, to=[f"{name} <ops@example.com>"]))
        config = json.loads(site.config_file.read_text())
        config["title"] = name
        site.configure(config)
        assert site.prober("notify", "post").returncode == 0
        raw = smtp.mails[0][2]
        assert all(len(line) <= 76 for line in raw.split(b"\r\n") if b"=?" in line)
        mail = email.message_from_bytes(raw)
        to, subject = (str(email.header.make_header(email.header.decode_header(mail[h]))) for h in ("To", "Subject"))
        assert to == f"{name} <ops@example.com>" and name in subject


def test_a_refused_recipient_harms_no_other(site):
    with Smtp(refuse=["ops@example.com"]) as smtp:
        with_mail(site, mail_channel(smtp.port))
        done = site.prober("notify", "post")
        assert done.returncode == 0 and "no such user" in done.stdout, done
        assert [m[1] for m in smtp.mails] == [["joerg@example.com"]]


def test_all_recipients_refused(site):
    with Smtp(refuse=["ops@example.com", "joerg@example.com"]) as smtp:
        with_mail(site, mail_channel(smtp.port))
        assert site.prober("notify", "post").returncode == 1


def test_nobody_gets_a_mail_twice_when_another_must_wait(site, target):
    with Smtp(later=["joerg@example.com"]) as smtp:
        site.configure({"channels": {"post": mail_channel(smtp.port)},
                        "defaults": {"interval": "1s", "confirm_waits": ["200ms", "200ms"], "notify": ["post"]},
                        "monitors": {"shop": {"type": "http", "url": target.url + "/"}}})
        target.status = 500
        site.start_prober("watch")
        wait_for(lambda: smtp.mails, 30)
        smtp.later.clear()
        wait_for(lambda: len(smtp.mails) == 2, 40)
        time.sleep(2)
        assert sorted(m[1][0] for m in smtp.mails) == ["joerg@example.com", "ops@example.com"]
        assert len({parsed(m[2])["Message-ID"] for m in smtp.mails}) == 1


def test_the_recovery_is_threaded_under_the_outage(site, target):
    with Smtp() as smtp:
        site.configure({"channels": {"post": mail_channel(smtp.port, to="ops@example.com")},
                        "defaults": {"interval": "1s", "confirm_waits": ["200ms", "200ms"], "recover_wait": "200ms",
                                     "notify": ["post"]},
                        "monitors": {"shop": {"type": "http", "name": "Caf\u00e9", "url": target.url + "/"}}})
        target.status = 500
        site.start_prober("watch")
        wait_for(lambda: smtp.mails, 30)
        target.status = 200
        wait_for(lambda: len(smtp.mails) == 2, 45)
        down, up = (parsed(m[2]) for m in smtp.mails)
        assert up["In-Reply-To"] == up["References"] == down["Message-ID"] != up["Message-ID"]
        assert down["Subject"] == "Caf\u00e9 is down" and up["Subject"].startswith("Caf\u00e9 is up again after")


SENDMAIL = """#!/usr/bin/python3
import json, os, sys
mail = sys.stdin.buffer.read()
folder = os.path.dirname(os.path.abspath(__file__))
with open(folder + "/sent.json", "w") as f:
    json.dump({"argv": sys.argv[1:], "env": dict(os.environ), "mail": mail.decode()}, f)
if os.path.exists(folder + "/status"):
    print("no such user", file=sys.stderr)
    sys.exit(int(open(folder + "/status").read()))
"""


@pytest.fixture
def sendmail(site):
    program = site.folder / "sendmail"
    program.write_text(SENDMAIL)
    program.chmod(stat.S_IRWXU)
    with_mail(site, {"type": "mail", "to": ["ops@example.com", "b@example.com"], "from": "upbeat@example.com",
                     "sendmail": str(program)})
    return program


def test_sendmail(site, sendmail):
    done = site.prober("notify", "post", "--event", "down")
    assert done.returncode == 0, done
    sent = json.loads((site.folder / "sent.json").read_text())
    assert sent["argv"] == ["-i", "-t", "-f", "upbeat@example.com"]
    assert set(sent["env"]) <= {"PATH", "LC_CTYPE"}, "the environment was handed on"
    assert "\r" not in sent["mail"]
    mail = parsed(sent["mail"].encode())
    assert [a.addr_spec for a in mail["To"].addresses] == ["ops@example.com", "b@example.com"]


@pytest.mark.parametrize("status, result", [(75, 75), (64, 1), (67, 1), (70, 75)])
def test_sendmail_says_no(site, sendmail, status, result):
    (site.folder / "status").write_text(str(status))
    done = site.prober("notify", "post")
    assert done.returncode == result and f"status {status}: no such user" in done.stderr, done


@pytest.mark.parametrize("line, words", [("kill -KILL $$", "sendmail was ended by signal 9"),
                                         ("exec sleep 60", "sendmail did not end in time"),
                                         (None, "sendmail cannot be started: No such file or directory")])
def test_sendmail_fails(site, sendmail, line, words):
    """What says nothing of the mail: it is tried again. One that hangs is killed after 15 s, with its children."""
    sendmail.unlink()
    if line:
        sendmail.write_text(f"#!/bin/sh\necho $$ > {site.folder}/pid\n{line}\n")
        sendmail.chmod(stat.S_IRWXU)
    done = site.prober("notify", "post")
    assert done.returncode == 75 and words in done.stderr, done
    if line:
        pid = (site.folder / "pid").read_text().strip()
        wait_for(lambda: not os.path.exists(f"/proc/{pid}") or ") Z " in open(f"/proc/{pid}/stat").read(), 20)


# ---- secrets

def test_secrets_appear_nowhere(site, service, target):
    """The canary: after an outage that a service refused, with its answer quoting what it was sent."""
    secret = getattr(service, "key", service.secret)
    service.failure = (service.failure[0], service.failure[1] + secret.encode())
    service.mode = "refuse"
    process = outage(site, service, target)
    wait_for(lambda: service.attempts, 20)
    time.sleep(1)
    report = site.prober("status", "--json").stdout + site.prober("status").stdout
    assert secret not in report
    with open(f"/proc/{process.pid}/cmdline", "rb") as f:
        assert secret.encode() not in f.read()
    site.stop(process)
    for folder, _, files in os.walk(site.store):
        for name in files:
            if "/private" in folder:
                assert os.stat(os.path.join(folder, name)).st_mode & 0o077 == 0
                continue
            with open(os.path.join(folder, name), "rb") as f:
                assert secret.encode() not in f.read(), os.path.join(folder, name)
    assert secret not in site.logs()


# ---- TLS

@pytest.fixture
def certificate(tmp_path):
    """A self-signed one for localhost: (certificate, key)."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    key, "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   check=True, capture_output=True)
    return cert, key


class SecureSmtp(Smtp):
    """STARTTLS, or TLS from the first byte; and a login that is needed."""

    def __init__(self, certificate, implicit=False, login=True):
        super().__init__()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        self.implicit, self.login, self.over_tls = implicit, login, []

    async def handle_DATA(self, server, session, envelope):
        self.over_tls.append(session.ssl is not None or self.implicit)
        return await super().handle_DATA(server, session, envelope)

    def first_connection(self):
        """The controller's own would want to trust the certificate."""
        with socket.create_connection(("127.0.0.1", self.controller.port)) as plain:
            if self.implicit:
                context = ssl._create_unverified_context()
                context.wrap_socket(plain).recv(100)
            else:
                plain.recv(100)

    def authenticate(self, _server, _session, _envelope, _mechanism, data):
        from aiosmtpd.smtp import AuthResult
        return AuthResult(success=(data.login, data.password) == (b"user@example.com", b"smtp-canary-0123456789"), handled=False)

    def __enter__(self):
        from aiosmtpd.controller import Controller
        options = {"authenticator": self.authenticate, "auth_required": True} if self.login else {}
        if self.implicit:
            options.update(ssl_context=self.context, auth_require_tls=False)
        else:
            options.update(tls_context=self.context)
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port(), server_hostname="localhost", **options)
        self.controller._trigger_server = self.first_connection
        self.controller.start()
        self.port = self.controller.port
        return self


LOGIN = {"user": "user@example.com", "password": "smtp-canary-0123456789"}


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "smtps"])
def test_mail_over_tls_with_a_login(site, certificate, implicit):
    with SecureSmtp(certificate, implicit) as smtp:
        url = f"{'smtps' if implicit else 'smtp'}://localhost:{smtp.port}"
        with_mail(site, {"type": "mail", "to": "ops@example.com", "from": "upbeat@example.com", "smtp": url, **LOGIN})
        site.env = {"SSL_CERT_FILE": str(certificate[0])}
        done = site.prober("notify", "post")
        assert done.returncode == 0, done
        assert len(smtp.mails) == 1 and smtp.over_tls == [True]
        assert "canary" not in done.stdout + done.stderr


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "smtps"])
def test_no_password_is_shown_to_a_server_that_cannot_prove_its_name(site, certificate, implicit):
    with SecureSmtp(certificate, implicit) as smtp:
        url = f"{'smtps' if implicit else 'smtp'}://localhost:{smtp.port}"
        with_mail(site, {"type": "mail", "to": "ops@example.com", "from": "upbeat@example.com", "smtp": url, **LOGIN})
        done = site.prober("notify", "post")
        assert done.returncode == 75 and "certificate" in done.stderr, done
        assert smtp.mails == []


def test_a_wrong_password_is_final(site, certificate):
    with SecureSmtp(certificate) as smtp:
        with_mail(site, {"type": "mail", "to": "ops@example.com", "from": "upbeat@example.com",
                         "smtp": f"smtp://localhost:{smtp.port}", **LOGIN, "password": "another-0123456789"})
        site.env = {"SSL_CERT_FILE": str(certificate[0])}
        done = site.prober("notify", "post")
        assert done.returncode == 1 and "another-0123456789" not in done.stderr, done


def test_the_local_mail_server_may_have_a_certificate_of_its_own_making(site, certificate):
    with SecureSmtp(certificate, login=False) as smtp:
        with_mail(site, {"type": "mail", "to": "ops@example.com", "from": "upbeat@example.com",
                         "smtp": f"smtp://localhost:{smtp.port}"})
        assert site.prober("notify", "post").returncode == 0
        assert len(smtp.mails) == 1


def test_a_webhook_over_tls_must_prove_its_name(site, certificate):
    with fakes.Webhook() as service:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        service.server.socket = context.wrap_socket(service.server.socket, server_side=True)
        service.url = f"https://localhost:{service.port}"
        with_channel(site, service)
        assert site.prober("notify", "it").returncode == 75
        assert service.attempts == []
        site.env = {"SSL_CERT_FILE": str(certificate[0])}
        assert site.prober("notify", "it").returncode == 0
        assert len(service.messages) == 1
