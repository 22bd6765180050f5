# SPDX-License-Identifier: ISC
"""The manual pages are clean: mandoc finds nothing in them but references to pages that are not installed yet."""
import pathlib
import shutil
import subprocess

import pytest

PAGES = sorted((pathlib.Path(__file__).resolve().parents[2] / "docs").glob("*.[58]"))


@pytest.mark.skipif(not shutil.which("mandoc"), reason="needs mandoc")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_mandoc_finds_nothing(page):
    said = subprocess.run(["mandoc", "-Tlint", page], capture_output=True, text=True).stdout.splitlines()
    assert [line for line in said if "referenced manual not found" not in line and "outdated mandoc.db" not in line] == []


def test_there_are_the_three_pages():
    assert {page.name for page in PAGES} == {"upbeat-prober.8", "upbeat.fcgi.8", "upbeat.json.5"}
