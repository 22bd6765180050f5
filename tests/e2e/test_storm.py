# SPDX-License-Identifier: ISC
"""Many things at once: a thousand outages are few messages, and a channel that hangs delays no other."""
import time

import fakes
from upbeat import free_port, wait_for

MONITORS = 1000


def test_a_thousand_outages_are_three_messages_for_each_channel(site, target, catcher, mailbox):
    with fakes.Webhook() as hook, fakes.SlackWebhook() as chat:
        closed = free_port()
        site.configure({
            "url": "https://status.example.com/upbeat", "witnesses": [target.url + "/"],
            "channels": {"hook": hook.config, "chat": chat.config,
                         "post": {"type": "mail", "to": "ops@example.com", "from": "upbeat@example.com",
                                  "smtp": f"smtp://127.0.0.1:{mailbox.port}"}},
            "defaults": {"interval": "1m", "timeout": "5s", "notify": ["hook", "chat", "post"],
                         "confirm_waits": ["1s", "1s", "2s"]},
            "monitors": {f"m{i:04}": {"type": "http", "url": f"http://127.0.0.1:{closed}/{i}"} for i in range(MONITORS)}})
        site.start_prober("watch")
        started = time.time()
        wait_for(lambda: sum(told(m) for m in hook.messages) >= MONITORS, 150, every=0.5)
        wait_for(lambda: len(chat.messages) == len(hook.messages) == len(mailbox.mails), 20)
        took = time.time() - started
        time.sleep(5)
        for messages in (hook.messages, chat.messages, mailbox.mails):
            assert 1 <= len(messages) <= 3
        assert sum(told(m) for m in hook.messages) == MONITORS
        assert hook.wrong == chat.wrong == []
        print(f"{MONITORS} outages: {len(hook.messages)} messages for each channel, all told {took:.0f} s after the start")


def told(message):
    """How many outages this message tells of."""
    return int(message.words.split()[0]) if message.kind == "digest" else 1


def test_one_channel_hangs_and_twenty_others_are_told_at_once(site, target):
    with fakes.Webhook() as bad, fakes.Webhook() as good:
        bad.mode = "hang"
        channels = {"bad": bad.config, **{f"good{i}": good.config for i in range(20)}}
        site.configure({"channels": channels,
                        "defaults": {"interval": "1s", "confirm_waits": ["100ms", "100ms"], "notify": list(channels)},
                        "monitors": {"shop": {"type": "http", "url": target.url + "/"}}})
        target.status = 500
        site.start_prober("watch")
        wait_for(lambda: bad.attempts, 30)
        began = time.time()
        wait_for(lambda: len(good.messages) == 20, 10)
        assert time.time() - began < 5
        assert len({m.id for m in good.messages}) == 20
        bad.mode = "ok"
