#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""beat.py: a heartbeat for Upbeat, with nothing but the standard library.

  beat.py SLUG [start|fail|log|EXIT-STATUS]   one signal (a plain success without a second word)
  beat.py SLUG -- COMMAND [ARG...]            start, run the command, then its exit status and length

$UPBEAT_URL is where Upbeat is mounted; the secret is in $UPBEAT_SECRET_FILE or $UPBEAT_SECRET.
From a program: beat.beat("https://example.com/upbeat", "hubot", b"secret")."""
import hashlib, hmac, json, os, subprocess, sys, time, urllib.request

def beat(url, slug, secret, signal="", **more):
    """Sends one beat; raises OSError when it was not taken."""
    body = json.dumps({"time": time.time(), **more}).encode()
    signature = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    path = "/".join(filter(None, [url.rstrip("/"), "beat", slug, signal]))
    urllib.request.urlopen(urllib.request.Request(path, body, {"X-Hub-Signature-256": signature}), timeout=10).close()

def attempt(what, *arguments, failed=1, **more):
    try:
        return what(*arguments, **more)
    except OSError as problem:
        return print("beat.py:", problem, file=sys.stderr) or failed

if __name__ == "__main__":
    if len(sys.argv) < 2 or "UPBEAT_URL" not in os.environ:
        sys.exit(__doc__)
    file = os.environ.get("UPBEAT_SECRET_FILE")
    key = open(file, "rb").read().rstrip(b"\n") if file else os.environ["UPBEAT_SECRET"].encode()
    where = (beat, os.environ["UPBEAT_URL"], sys.argv[1], key)
    if sys.argv[2:3] != ["--"]:
        sys.exit(attempt(*where, *sys.argv[2:3]))
    begun, rid = time.time(), "%d-%d" % (os.getpid(), time.time())
    attempt(*where, "start", rid=rid)
    status = attempt(subprocess.call, sys.argv[3:], failed=127) & 255
    attempt(*where, str(status), rid=rid, length=round(time.time() - begun, 3))
    sys.exit(status)
