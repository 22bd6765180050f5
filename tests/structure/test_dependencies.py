# SPDX-License-Identifier: ISC
"""The house stands on its ground floor: base <- model <- store <- the two programs, and each library is known
in one place only."""
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("UPBEAT_BUILD", ROOT / "build"))

# What each room may include, beside its own files.
MAY_INCLUDE = {
    "common/base": set(),
    "common/model": {"base"},
    "common/store": {"base", "model"},
    "cgi-bin/web": {"base", "model", "store"},
    "cgi-bin/prober": {"base", "model", "store"},
}
# The prober's own floors, from the ground: each may include what stands before it, and what lies beside main.c.
PROBER_FLOORS = [{"net"}, {"check"}, {"notify"}, {"config"}, {"pass"}, {"commands"}]
# Libraries' headers, and the only files that may know them.
KNOWN_TO = {
    r"lmdb\.h": r"common/store/.*",
    r"(fcgiapp|fcgi_stdio|fcgi_config|fastcgi|fcgios|fcgimisc)\.h": r"cgi-bin/web/(request|reply)\.c",
    r"curl/.*": r"cgi-bin/prober/.*",
    r"ares.*\.h": r"cgi-bin/prober/.*",
    r"cjson/.*": r"cgi-bin/prober/.*",
    r"openssl/ssl\.h": r"cgi-bin/prober/.*",
}
FORBIDDEN_IN_WEB = """socket connect getaddrinfo gethostbyname fork vfork clone posix_spawn posix_spawnp execv execve
execvp execvpe execl execle execlp fexecve system popen""".split()
NO_PLACE = "sprintf vsprintf strcpy strcat gets strtok atoi system popen".split()


def sources():
    for folder in ("common", "cgi-bin"):
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def includes(text):
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', text, re.M)


def room_of(path):
    return next(room for room in MAY_INCLUDE if path.startswith(room + "/"))


def undefined_symbols(archive):
    out = subprocess.run(["nm", "--undefined-only", archive], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines() if " U " in line}


def test_includes_point_downwards_only():
    wrong = []
    for path, text in sources():
        room = room_of(path)
        own = room.split("/")[1]
        for name in includes(text):
            head = name.split("/")[0]
            if head in {"base", "model", "store", "web", "prober"} and head != own and head not in MAY_INCLUDE[room]:
                wrong.append(f"{path} includes {name}")
    assert not wrong, "\n".join(wrong)


def test_the_prober_too_is_built_from_the_ground():
    floors = {room: n for n, rooms in enumerate(PROBER_FLOORS) for room in rooms}
    wrong = []
    for path, text in sources():
        parts = path.split("/")
        if parts[:2] != ["cgi-bin", "prober"] or path == "cgi-bin/prober/main.c":
            continue
        own = floors.get(parts[2], -1)
        for name in includes(text):
            room = re.match(r"prober/(\w+)/", name)
            if room and floors[room[1]] > own:
                wrong.append(f"{path} includes {name}")
    assert not wrong, "\n".join(wrong)


def test_each_library_is_known_in_one_place_only():
    wrong = []
    for path, text in sources():
        for name in includes(text):
            for header, allowed in KNOWN_TO.items():
                if re.fullmatch(header, name) and not re.fullmatch(allowed, path):
                    wrong.append(f"{path} includes {name}")
    assert not wrong, "\n".join(wrong)


def test_lower_rooms_call_nothing_of_higher_ones():
    """Also without an include: what libcommon.a leaves undefined is defined by no program."""
    common = undefined_symbols(BUILD / "libcommon.a")
    for archive in ("libweb.a", "libprober.a"):
        out = subprocess.run(["nm", "--defined-only", "-g", BUILD / archive], check=True, capture_output=True, text=True)
        defined = {line.split()[-1] for line in out.stdout.splitlines() if " T " in line}
        assert not common & defined


def test_web_program_itself_opens_no_connection_and_starts_no_program():
    called = undefined_symbols(BUILD / "libweb.a") | undefined_symbols(BUILD / "libcommon.a")
    main = BUILD / "obj/cgi-bin/web/main.o"
    called |= undefined_symbols(main)
    assert not called & set(FORBIDDEN_IN_WEB)


def test_no_unbounded_string_functions_are_called():
    wrong = []
    for path, text in sources():
        code = re.sub(r"//.*|/\*.*?\*/|\"(\\.|[^\"\\])*\"", "", text, flags=re.S)
        wrong += [f"{path}: {name}" for name in NO_PLACE if re.search(rf"\b{name}\s*\(", code)]
    assert not wrong, "\n".join(wrong)


def test_function_lengths_stay_readable():
    """Median about 20 lines, none over 100 (ctags, where it is installed)."""
    try:
        files = [p for p, _ in sources() if p.endswith(".c")]
        out = subprocess.run(["ctags", "-x", "--c-kinds=f", "--_xformat=%{line} %{end} %F %N", *files], cwd=ROOT,
                             capture_output=True, text=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        import pytest
        pytest.skip("Universal Ctags is not installed")
    lengths = []
    for line in out.splitlines():
        begin, end, path, name = line.split(maxsplit=3)
        if end.isdigit():
            lengths.append((int(end) - int(begin) + 1, f"{path}:{begin} {name}"))
    long_ones = [f"{n} lines: {where}" for n, where in lengths if n > 100]
    assert not long_ones, "\n".join(long_ones)
    assert sorted(lengths)[len(lengths) // 2][0] <= 25
