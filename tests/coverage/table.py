# SPDX-License-Identifier: ISC
"""table.py FILE: one line for each room, from gcovr's JSON; fails when a room with a goal misses it.

Not counted: what only a broken machine reaches, and what a compiler makes of assertions and of `default:`
rows that no value has. Such lines say so themselves: their words are in UNREACHED.
"""
import json
import re
import sys

LINES, BRANCHES = 90, 80
# Name, the files, and whether the goal is asked of it.
ROOMS = [
    ("base", r"common/base/", True),
    ("model", r"common/model/", True),
    ("store", r"common/store/", True),
    ("request path", r"cgi-bin/web/(?!html/)", True),
    ("config", r"cgi-bin/prober/(config/|field\.c)", True),
    ("net", r"cgi-bin/prober/net/", False),
    ("checks", r"cgi-bin/prober/check/", False),
    ("notify", r"cgi-bin/prober/notify/", False),
    ("pass", r"cgi-bin/prober/pass/", False),
    ("commands", r"cgi-bin/prober/(commands/|main\.c)", False),
]
UNREACHED = re.compile(r"\babort\(\)|mem_die|out of memory|unreachable")


class Count:
    def __init__(self):
        self.lines = self.lines_run = self.branches = self.branches_run = 0

    def add(self, line):
        self.lines += 1
        self.lines_run += line["count"] > 0
        self.branches += len(line["branches"])
        self.branches_run += sum(b["count"] > 0 for b in line["branches"])

    def percents(self):
        return 100 * self.lines_run / max(1, self.lines), 100 * self.branches_run / max(1, self.branches)


def count(files):
    rooms, by_file = {name: Count() for name, _, _ in ROOMS}, {}
    for file in files:
        room = next((name for name, pattern, _ in ROOMS if re.match(pattern, file["file"])), None)
        if room is None or not file["file"].endswith(".c"):
            continue
        with open(file["file"], encoding="utf-8") as source:
            text = source.read().splitlines()
        one = by_file.setdefault(file["file"], Count())
        for line in file["lines"]:
            if line.get("gcovr/noncode") or UNREACHED.search(text[line["line_number"] - 1]):
                continue
            rooms[room].add(line)
            one.add(line)
    return rooms, by_file


def main():
    with open(sys.argv[1], encoding="utf-8") as report:
        rooms, by_file = count(json.load(report)["files"])
    if len(sys.argv) > 2:  # any further word: each file, the worst first
        for name, one in sorted(by_file.items(), key=lambda item: item[1].percents()):
            print(f"{one.percents()[0]:6.1f} {one.percents()[1]:6.1f} {one.lines - one.lines_run:5} {name}")
    print(f"coverage         lines       of   branches       of   goal {LINES} / {BRANCHES}")
    missed = 0
    for name, _, has_goal in ROOMS:
        one, (lines, branches) = rooms[name], rooms[name].percents()
        reached = lines >= LINES and branches >= BRANCHES
        missed += has_goal and not reached
        says = ("reached" if reached else "MISSED") if has_goal else "-"
        print(f"{name:14} {lines:6.1f} % {one.lines:6}   {branches:6.1f} % {one.branches:6}   {says}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
