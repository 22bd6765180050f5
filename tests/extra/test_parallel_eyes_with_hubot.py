# SPDX-License-Identifier: ISC
"""The story of tests/e2e/test_parallel_eyes.py once more, word for word, with a real Hubot in the room: the newest,
and the oldest with hubot-cronjob beside it, as the original had it."""
import signal

import pytest

from hubot import Hubot
from test_parallel_eyes import BEAT_SECRET, ROOM_SECRET, office, test_whoever_is_left_tells_once, world  # noqa: F401


class InTheRoom(Hubot):
    """Plays the part that cast.StandIn has in the other one."""

    @property
    def alerts(self):
        return self.url

    def start(self, upbeat):
        return super().start(URL=upbeat, SECRET=ROOM_SECRET, BEAT="hubot", BEAT_SECRET=BEAT_SECRET, BEAT_EVERY=1, EVERY=1)

    def kill(self):
        self.stop(signal.SIGKILL)


@pytest.fixture(params=["14", "3-cronjob"])
def hubot(request, modules, tmp_path):
    it = InTheRoom(modules, tmp_path / "bot", request.param)
    yield it
    it.stop()
    if getattr(getattr(request.node, "report_call", None), "failed", False):
        print(it.log_text()[-4000:], it.heard)
