# SPDX-License-Identifier: ISC
"""The examples in the documents, taken out of them: fenced blocks of Markdown, displays of manual pages."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").glob("*.[1-9]"))
TEXTS = sorted([*ROOT.glob("README*.md"), ROOT / "CHANGES.md", *(ROOT / "docs").glob("*.md")])


class Block:
    """One example: its language, what follows that on the fence's line, its text and where it stands."""

    def __init__(self, path, line, info, text):
        self.language, _, self.more = info.partition(" ")
        self.text, self.place = text, f"{path.name}:{line}"

    def __repr__(self):
        return f"{self.place} ({self.language})"


def fenced(path, language=None):
    found, start = [], None
    lines = path.read_text().splitlines()
    for n, line in enumerate(lines, 1):
        if line.startswith("```"):
            if start is None:
                start = n
            else:
                found.append(Block(path, start, lines[start - 1][3:], "\n".join(lines[start:n - 1]) + "\n"))
                start = None
    assert start is None, f"{path.name}:{start}: a fence that is never closed"
    return [block for block in found if language in (None, block.language)]


def prose(path):
    """The text without its fenced blocks."""
    return re.sub(r"(?ms)^```.*?^```$", "", path.read_text())


def displays(page):
    """The .Bd displays of a manual page, as a terminal shows them."""
    return [match[1].replace(r"\&", "").replace(r"\e", "\\") for match in re.finditer(r"(?ms)^\.Bd [^\n]*\n(.*?)^\.Ed$", page.read_text())]
