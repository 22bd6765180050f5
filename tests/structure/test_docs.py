# SPDX-License-Identifier: ISC
"""The documents keep up with the programs: manual pages are clean and name everything there is, quoted code is the
current code, links lead somewhere, and both languages say the same commands. What is executed of them is in
tests/e2e/test_documents.py."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from documents import PAGES, ROOT, TEXTS, fenced, prose

BUILD = pathlib.Path(os.environ.get("UPBEAT_BUILD", ROOT / "build"))
SOURCES = [p for folder in ("common", "cgi-bin") for p in sorted((ROOT / folder).rglob("*.c"))]
# Those of other programs and of tests.
NOT_OURS = {"GATEWAY_INTERFACE", "UPBEAT_TESTING", "UPBEAT_CLOCK_OFFSET_MS"}


def page(name):
    return (ROOT / "docs" / name).read_text()


@pytest.mark.skipif(not shutil.which("mandoc"), reason="needs mandoc")
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_mandoc_finds_nothing(path):
    said = subprocess.run(["mandoc", "-Tlint", path], capture_output=True, text=True).stdout.splitlines()
    assert [line for line in said if "referenced manual not found" not in line and "outdated mandoc.db" not in line] == []


def test_there_are_the_three_pages():
    assert {path.name for path in PAGES} >= {"upbeat-prober.8", "upbeat.fcgi.8", "upbeat.json.5"}


def test_every_subcommand_and_option_is_in_the_manual():
    said = subprocess.run([BUILD / "upbeat-prober", "--help"], capture_output=True, text=True, check=True).stdout
    manual = page("upbeat-prober.8")
    subcommands = re.findall(r"^  (\w+)", said, re.M)
    assert len(subcommands) > 10
    assert [name for name in subcommands if not re.search(rf"^\.(It )?Cm {name}\b", manual, re.M)] == []
    options = set(re.findall(r"--(\w+)", said))
    assert [name for name in sorted(options) if not re.search(rf"Fl -{name}\b", manual)] == []


def test_every_variable_of_the_environment_is_in_the_manual():
    read = set()
    for path in SOURCES:
        read |= set(re.findall(r'(?:getenv|env_get_redirected)\((?:[a-z>-]+, )?"([A-Z_]+)"\)', path.read_text()))
    assert {"UPBEAT_STORE", "UPBEAT_MOUNT"} <= read
    manual = page("upbeat-prober.8") + page("upbeat.fcgi.8")
    assert [name for name in sorted(read - NOT_OURS) if f".It Ev {name}" not in manual and f".Ev {name}" not in manual] == []


def test_every_address_is_in_the_manual():
    """Each row of the routes, whatever the parts that vary are called there."""
    rows = re.findall(r'^\t\{[A-Z |]+, "(/[^"]*)"', (ROOT / "cgi-bin/web/routes.c").read_text(), re.M)
    assert len(rows) > 20
    plain = re.sub(r" (Ns|Ar|Ic)(?= )", "", page("upbeat.fcgi.8"))
    patterns = {path: re.escape(path).replace(r"\{\}", r" ?\w+ ?") + r"(?![\w/])" for path in rows}
    assert {path for path, pattern in patterns.items() if not re.search(pattern, plain)} == set()


def test_every_status_the_prober_ends_with_is_in_the_manual():
    said = subprocess.run([BUILD / "upbeat-prober", "--help"], capture_output=True, text=True, check=True).stdout
    numbers = re.findall(r"(\d+) [a-z]", said[said.index("Exit status"):])
    manual = page("upbeat-prober.8")
    section = manual[manual.index(".Sh EXIT STATUS"):]
    assert re.findall(r"^\.It (\d+)$", section, re.M) == numbers == ["0", "1", "2", "75"]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_example_says_what_it_is(path):
    """Nothing escapes the tests by being indented instead of fenced, or by having no language."""
    assert {block.language for block in fenced(path)} <= {"sh", "jsonc", "json", "c", "text"}
    assert re.findall(r"(?m)^(?:    |\t)(?! *[-*\d]).+", prose(path)) == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_quoted_code_is_the_current_code(path):
    for block in fenced(path, "c"):
        assert block.text in (ROOT / block.more).read_text(), f"{block.place}: {block.more} reads otherwise now"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_links_and_files_are_there(path):
    text = prose(path)
    links = re.findall(r"\]\(([^)#\s]+)", text)
    gone = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    # Files that are named in running text, from the top or from where the rooms begin.
    named = re.findall(r"`((?:cgi-bin|common|tests|contrib|docs)/[\w./-]+?)/?`", text)
    gone += [name for name in named if not (ROOT / name).exists()]
    assert gone == []


def test_modules_named_in_the_internals_are_there():
    text = prose(ROOT / "docs/internals.md")
    named = set(re.findall(r"`((?:base|model|store|web|prober|net|check|notify|pass)/\w+\.[ch])`", text))
    assert len(named) > 15
    places = [ROOT / "common", ROOT / "cgi-bin", ROOT / "cgi-bin/prober"]
    assert [name for name in sorted(named) if not any((place / name).exists() for place in places)] == []


def commands(path):
    """What its examples do, without what they say."""
    return [[re.sub(r"\s+#.*|^#.*|\s*//.*|/\*.*?\*/", "", line).rstrip() for line in block.text.splitlines()]
            for block in fenced(path) if block.language in ("sh", "jsonc")]


def test_both_languages_give_the_same_commands():
    english, chinese = ROOT / "README.md", ROOT / "README.zh-TW.md"
    assert [[line for line in block if line] for block in commands(chinese)] == [
        [line for line in block if line] for block in commands(english)]
    headings = [len(re.findall(r"(?m)^#+ ", path.read_text())) for path in (english, chinese)]
    assert headings[0] == headings[1]
