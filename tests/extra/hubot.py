# SPDX-License-Identifier: ISC
"""A real Hubot with our script in it, in a room that the tests talk in."""
import json
import pathlib
import shutil
import signal
import subprocess
import threading
import urllib.parse

import pytest

from upbeat import ROOT, fetch, free_port, listening, sign, wait_for

HERE = pathlib.Path(__file__).parent
SECRET = "room's secret ü"

# The program that starts it, and which of the optional packages stand beside the script.
HUBOTS = {
    "3": ("hubot3", "bin/hubot.js", ()),
    "9": ("hubot9", "bin/hubot.js", ()),
    "14": ("hubot14", "bin/Hubot.mjs", ()),
    "3-cronjob": ("hubot3", "bin/hubot.js", ("hubot-cronjob",)),
    "14-cronjob": ("hubot14", "bin/Hubot.mjs", ("hubot-cronjob", "coffeescript")),
    "14-cron": ("hubot14", "bin/Hubot.mjs", ("hubot-cronjob", "cron")),  # what npm installs beside hubot-cronjob
}
PLAIN = ["3", "9", "14"]


class Hubot:
    """A bot in a folder of its own. `heard` is what it has said: [(room, text)]."""

    def __init__(self, modules, folder, version):
        package, program, beside = HUBOTS[version]
        self.folder, self.package, self.version = folder, modules / "node_modules" / package, version
        self.program, self.port, self.heard, self.process = self.package / program, free_port(), [], None
        self.broken = False
        (folder / "scripts").mkdir(parents=True)
        (folder / "package.json").write_text('{"private": true}')
        shutil.copy(ROOT / "contrib/hubot/upbeat.js", folder / "scripts")
        adapter = folder / "node_modules/hubot-testroom"
        adapter.mkdir(parents=True)
        shutil.copy(HERE / "testroom.js", adapter / "index.js")
        for name in beside:
            (folder / "node_modules" / name).symlink_to(modules / "node_modules" / name)
        self.adapter = adapter / "index.js"
        self.url = f"http://127.0.0.1:{self.port}/hubot/upbeat"

    def start(self, **env):
        entry = next(self.package.glob("index.*js"))
        how = ["-a", "testroom"] if self.package.name == "hubot3" else ["-f", self.adapter]
        self.log = open(self.folder / "hubot.log", "ab")
        self.process = subprocess.Popen(
            ["node", self.program, *how, "-n", "hubot"], cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log, text=True, start_new_session=True,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "NODE_PATH": str(self.folder / "node_modules"),
                 "TESTROOM_HUBOT": str(entry), "PORT": str(self.port), "BIND_ADDRESS": "127.0.0.1",
                 "HUBOT_UPBEAT_ROOM": "#ops", **{f"HUBOT_UPBEAT_{k}": str(v) for k, v in env.items()}})
        self.listener = threading.Thread(target=self.listen, args=(self.process,), daemon=True)
        self.listener.start()
        wait_for(lambda: listening(self.port), 30)
        # Some versions listen before their scripts are loaded.
        wait_for(lambda: fetch(self.url, "POST").status in (400, 403), 30)
        return self

    def listen(self, process):
        for line in process.stdout:
            said = json.loads(line) if line.startswith("{") else {}
            if "broken" in said:
                self.broken = said["broken"]
            elif "text" in said:
                self.heard.append((said["room"], said["text"]))
            else:  # the logger writes here too
                with open(self.folder / "hubot.log", "a") as log:
                    log.write(line)

    def log_text(self):
        log = self.folder / "hubot.log"
        return log.read_text() if log.exists() else ""

    def tell(self, **what):
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def say(self, text, seconds=20):
        """Says it as ann in #dev; returns what is answered."""
        count = len(self.heard)
        self.tell(user="ann", room="#dev", text=text)
        wait_for(lambda: len(self.heard) > count, seconds)
        return self.heard[count][1]

    def lines(self, part, room="#ops"):
        return [text for r, text in self.heard if r == room and part in text]

    def stop(self, how=signal.SIGTERM):
        """Afterwards all that it has said was heard."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.listener.join(10)
            self.log.close()

    def alert(self, payload, secret=SECRET, room="", **headers):
        text = payload if isinstance(payload, str) else json.dumps(payload)
        if secret is not None:
            headers["X-Hub-Signature-256"] = sign(secret, text.encode())
        body = urllib.parse.urlencode({"payload": text}).encode()
        return fetch(self.url + room, "POST", body, {"Content-Type": "application/x-www-form-urlencoded", **headers})


@pytest.fixture
def make_hubot(modules, tmp_path, request):
    made = []

    def make(version):
        made.append(Hubot(modules, tmp_path / f"bot{len(made)}", version))
        return made[-1]

    yield make
    for one in made:
        one.stop()
        report = getattr(request.node, "report_call", None)
        if report is not None and report.failed and (one.folder / "hubot.log").exists():
            print(one.log_text()[-4000:], one.heard)
