# SPDX-License-Identifier: ISC
"""What `make run` shows, seen as its user would: open, stop the beating, be told, Ctrl-C."""
import os
import pathlib
import signal
import subprocess

from upbeat import BUILD, ROOT, fetch, free_port, wait_for


def processes_below(folder):
    """Processes whose command line names this folder."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(folder).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass
    return [pid for pid in found if pid != os.getpid()]


def test_the_demo_shows_tells_and_ends_cleanly(open_folder):
    folder, port = open_folder / "run", free_port()
    log = folder.parent / "output"
    with open(log, "wb") as out:
        demo = subprocess.Popen(["/usr/bin/python3", "-B", ROOT / "contrib/demo/demo.py", "--build", BUILD, "--port",
                                 str(port), "--folder", folder], stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: "stop the beating" in log.read_text().lower() or demo.poll() is not None, 60)
        assert demo.poll() is None, log.read_text()
        page = fetch(f"http://127.0.0.1:{port}/", headers={"Accept": "text/html"})
        assert page.status == 200 and "Robot" in page.text and "Shop" in page.text
        (folder / "beating").unlink()
        wait_for(lambda: all(f"{who} " in log.read_text() for who in ("Slack", "Mail"))
                 and "Robot is down" in log.read_text(), 60)
        (folder / "beating").touch()
        wait_for(lambda: "Robot is up again" in log.read_text(), 60)
    finally:
        demo.send_signal(signal.SIGINT)
        try:
            assert demo.wait(20) == 0, log.read_text()
        finally:
            for pid in processes_below(folder) if demo.poll() is None else ():
                os.kill(pid, signal.SIGKILL)
    assert not processes_below(folder)
