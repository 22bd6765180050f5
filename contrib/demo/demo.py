#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""demo.py: what `make run` shows. lighttpd in front (with lighttpd-example.conf), the prober passing, a shop
to be watched, a program that beats, and a catcher that prints what Slack and mail would have received.

Everything is on 127.0.0.1 and below run/; Ctrl-C ends all of it.
"""
import argparse
import os
import pathlib
import secrets
import signal
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

arguments = argparse.ArgumentParser(description="A live demo of Upbeat.")
arguments.add_argument("--build", default=ROOT / "build", type=pathlib.Path)
arguments.add_argument("--port", default=8080, type=int)
arguments.add_argument("--folder", default=ROOT / "run", type=pathlib.Path, help="where its state is")
options = arguments.parse_args()
RUN = options.folder

os.environ["UPBEAT_BUILD"] = str(options.build)
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "contrib/clients")]
import beat  # noqa: E402
import catchers  # noqa: E402
import upbeat  # noqa: E402

COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def say(who, text):
    """One message as a person would have received it."""
    colour = "31" if "down" in text.split("\n")[0] else "32"
    lines = [line for line in text.strip().splitlines() if line.strip()]
    print(f"{time.strftime('%H:%M:%S')} {paint('1', who):8} {paint(colour, lines[0])}", flush=True)
    for line in lines[1:6]:
        print(f"{'':18}{line}", flush=True)


class Shop(catchers.Target):
    """Answers with the status that the file run/shop holds."""

    def answer(self, handler, body):
        try:
            self.status = int((RUN / "shop").read_text())
        except (OSError, ValueError):
            self.status = 200
        super().answer(handler, body)


class Slack(catchers.Catcher):
    def answer(self, handler, body):
        super().answer(handler, body)
        say("Slack", self.received[-1].json.get("text", ""))


class Mail(catchers.Mailbox):
    async def handle_DATA(self, *session):
        answer = await super().handle_DATA(*session)
        mail = self.mails[-1]
        part = mail.get_body(("plain",))
        say("Mail", f"{mail['subject']}  (to {mail['to']})\n" + (part.get_content() if part else ""))
        return answer


def secret():
    file = RUN / "robot.secret"
    if not file.exists():
        file.touch(0o600)
        file.write_text(secrets.token_hex(20))
    return file.read_text()


def configuration(shop, slack, mail):
    quick = {"confirm_waits": ["1s", "1s", "2s", "2s"], "recover_wait": "2s"}
    return {
        "url": f"http://127.0.0.1:{options.port}/", "title": "Upbeat demo", "anonymous": "all",
        "channels": {
            "slack": {"type": "slack", "webhook": f"{slack.url}/services/T000/B000/demo"},
            "mail": {"type": "mail", "to": ["ops@example.com"], "from": "upbeat@example.com",
                     "smtp": f"smtp://127.0.0.1:{mail.port}"}},
        "defaults": {"interval": "10s", "notify": ["slack", "mail"], **quick},
        "monitors": {
            "shop": {"type": "http", "name": "Shop", "group": "Web", "url": f"{shop.url}/", "public": True},
            "upbeat": {"type": "http", "name": "This very page", "group": "Web", "public": True,
                       "url": f"http://127.0.0.1:{options.port}/", "notify": ["slack"]},
            "robot": {"type": "heartbeat", "name": "Robot", "group": "Programs", "secret": "file:robot.secret",
                      "max_age": "15s", "public": True}}}


def keep_beating(url, over):
    """The program that nobody can poll: beats every 5 s while run/beating exists."""
    while not over.wait(5):
        if (RUN / "beating").exists():
            beat.attempt(beat.beat, url, "robot", secret().encode())


def explain(url):
    folder = os.path.relpath(RUN)
    print(f"""
{paint('1', 'Upbeat is running.')}  Ctrl-C ends all of it.

  Open             {paint('4', url)}
  As a person      {paint('4', url + 'staff/')}   (user ann, password secret)

  Stop the beating:   rm {folder}/beating         go on:    touch {folder}/beating
  Break the shop:     echo 500 > {folder}/shop    mend it:  echo 200 > {folder}/shop
  Ask as a program:   curl -i {url}beat/robot
  In words:           {options.build}/upbeat-prober -c {folder}/upbeat.json status

What people are told appears below, within seconds, as Slack and mail would have received it.
""", flush=True)


def main():
    if upbeat.listening(options.port):
        sys.exit(f"Something listens on port {options.port} already: PORT=8081 make run")
    RUN.mkdir(parents=True, exist_ok=True)
    (RUN / "shop").write_text("200\n")
    (RUN / "beating").touch()
    for gone in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(gone, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, where a shell began us in the background
    site, over = upbeat.Site(RUN), threading.Event()
    url = f"http://127.0.0.1:{options.port}/"
    try:
        with Shop() as shop, Slack() as slack, Mail() as mail:
            secret()
            site.configure(configuration(shop, slack, mail))
            site.prober("config", check=True)
            prober = site.start_prober("watch")
            front = upbeat.Lighttpd(site, mount="", port=options.port)
            upbeat.wait_for(lambda: front.get("/healthz").status == 200, 30)
            front.beat("robot", secret())
            threading.Thread(target=keep_beating, args=(url.rstrip("/"), over), daemon=True).start()
            explain(url)
            while prober.poll() is None and front.process.poll() is None:
                time.sleep(0.5)
            print(site.logs(), file=sys.stderr)
            sys.exit("A part of the demo ended by itself; its log is above.")
    except KeyboardInterrupt:
        print("\nEnding.", flush=True)
    finally:
        over.set()
        site.close()


main()
