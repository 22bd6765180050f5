#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Prints the table of docs/reliability.md from what the fault tests counted ($UPBEAT_BUILD/reliability.jsonl): for
each row the newest count, that of a nightly run before that of `make test`. Rows that differ only in a place
(": writev", "GET /metrics") are added up."""
import json
import os
import re
import sys

# What a row of the table is called, and which counts belong to it.
ROWS = [
    ("kill -9 of the web program under load", r"1 kill -9, web program"),
    ("kill -9 of the prober while sites break and mend", r"1 kill -9, prober"),
    ("kill at every system call of a beat", r"2 kill at each system call, a beat"),
    ("kill at every system call of a delivery", r"2 kill at each system call, a delivery"),
    ("kill at every system call while the books are made", r"2 kill at each system call, making the books"),
    ("power cut at every write and sync, any part unsynced, torn sectors: beats", r"3 power cut, beats"),
    ("power cut, the same: decisions and their messages", r"3 power cut, decisions"),
    ("EIO and ENOSPC at each write and sync of a beat", r"4 E\w+ at each write and sync, a beat"),
    ("EIO and ENOSPC at each write and sync of a pass", r"4 E\w+ at each write and sync, a pass"),
    ("a disk that fails again and again under load", r"4 a failing disk under load"),
    ("disk full, books allocated ahead", r"5 disk full"),
    ("file size limit", r"6 file size limit"),
    ("read-only disk", r"7 read-only disk"),
    ("address space limits", r"8 address space limit"),
    ("stale and stopped readers", r"9 stale and stopped readers"),
    ("each allocation fails: a request", r"10 no memory, (GET|POST)"),
    ("each allocation fails: a command of the prober", r"10 no memory, upbeat-prober"),
    ("damaged files: state", r"11 damaged files, state"),
    ("damaged files: inbox", r"11 damaged files, inbox"),
    ("the wall clock jumps", r"12 clock jumps"),
    ("no network", r"13 no network"),
    ("1 to 10 % of packets lost each way", r"14 packets lost"),
    ("web server restarted under load", r"18 web server restarted"),
    ("200 clients that never read", r"19 200 clients"),
    ("a soak of beats, looks, outages and pages", r"a soak"),
]
NOT_ADDED = {"jump_s", "percent", "left_bytes", "p99_ms", "slowest_s", "inbox_mb", "state_mb", "seconds"}


def newest(lines):
    """Of each kind of count one: a nightly one if there is any, and of these the last."""
    found = {}
    for line in lines:
        entry = json.loads(line)
        key = entry["row"], str(entry.get("jump_s", entry.get("percent", entry.get("left_bytes", ""))))
        if key not in found or entry["nightly"] >= found[key]["nightly"]:
            found[key] = entry
    return list(found.values())


def words(entries):
    sums = {}
    for entry in entries:
        for name, value in entry.items():
            if name in ("row", "nightly", "at") or name in NOT_ADDED and len(entries) > 1:
                continue
            sums[name] = sums[name] + value if name in sums and isinstance(value, (int, float)) else value
    more = [f"{len(entries)} cases"] if len(entries) > 1 else []
    return ", ".join(more + [f"{name.replace('_', ' ')} {value:,}" if isinstance(value, int) else
                             f"{name.replace('_', ' ')} {value}" for name, value in sums.items()])


def main():
    entries = newest(open(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("UPBEAT_BUILD", "build") + "/reliability.jsonl"))
    print("| Fault | Counted | Run |\n|---|---|---|")
    for title, pattern in ROWS:
        mine = [e for e in entries if re.match(pattern, e["row"])]
        if mine:
            run = "nightly" if all(e["nightly"] for e in mine) else "short"
            print(f"| {title} | {words(mine)} | {run} |")


if __name__ == "__main__":
    main()
