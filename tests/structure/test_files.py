# SPDX-License-Identifier: ISC
"""What .editorconfig says of the files is true."""
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BYTES = ("tests/fuzz/corpus/", "tests/e2e/stores/")  # inputs that must stay as they are


def files(*kinds):
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("no git checkout")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if not name.startswith(BYTES) and name.endswith(kinds) and path.is_file() and b"\0" not in path.read_bytes():
            yield name, path.read_bytes().decode()


def lines_that(pattern, *kinds):
    return [f"{name}:{n}" for name, text in files(*kinds) for n, line in enumerate(text.split("\n"), 1)
            if re.search(pattern, line)]


def test_every_file_is_utf8_lines_that_end_in_a_newline():
    assert not [name for name, text in files("") if text and not text.endswith("\n")]
    assert not lines_that(r"\s$", "")


def test_c_is_indented_with_tabs():
    assert not lines_that(r"^ {8}", ".c", ".h", ".def")


def test_pages_and_scripts_are_indented_with_tabs():
    assert not lines_that(r"^ {4}", ".css", ".html", ".sh", ".php")


def test_python_is_indented_with_blanks():
    in_a_string = {"tests/e2e/test_fault_catalogue.py", "tests/e2e/test_known_incidents_inside.py"}
    assert not [at for at in lines_that(r"^\t", ".py") if at.rsplit(":", 1)[0] not in in_a_string]
