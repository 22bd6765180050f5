# SPDX-License-Identifier: ISC
"""What the end-to-end tests stand on: a Site (one installation in a folder of its own) and the real web
servers in front of it, started from the very example files at the top of the project with only their paths
and ports replaced.

Everything listens on 127.0.0.1, on ports the kernel gave; everything that is started is ended by its pid.
"""
import hashlib
import hmac
import json
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("UPBEAT_BUILD", ROOT / "build")).resolve()
PROBER = BUILD / "upbeat-prober"
PROGRAM = BUILD / "upbeat.fcgi"
AS_ROOT = os.geteuid() == 0
# With sanitizers inside: needs more addresses than any limit, and has no good end under a tracer or a preload.
SANITIZED = PROBER.exists() and b"__asan_init" in PROBER.read_bytes()
WEB_USER = "www-data"


def wait_for(what, seconds=20.0, every=0.05):
    """Calls `what` until it returns something true, and returns that; fails the test after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {getattr(what, '__name__', what)}")
        time.sleep(every)


_ports = set()


def free_port():
    """A port that nothing listens on and that no other caller was given: below those from which the system takes
    one for each connection, and in a range of this worker's own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8
    while True:
        port = random.randrange(14000 + worker * 2000, 16000 + worker * 2000)
        if port in _ports:
            continue
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        _ports.add(port)
        return port


def listening(port, address="127.0.0.1"):
    with socket.socket() as s:
        return s.connect_ex((address, port)) == 0


class Answer:
    """An HTTP answer, whatever its status."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r}>"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def fetch(url, method="GET", body=None, headers=None, timeout=15):
    request = urllib.request.Request(url, body, headers or {}, method=method)
    try:
        with _opener.open(request, timeout=timeout) as reply:
            return Answer(reply.status, reply.headers, reply.read())
    except urllib.error.HTTPError as reply:
        with reply:
            return Answer(reply.code, reply.headers, reply.read())


def sign(secret, body, algorithm="sha256"):
    digest = {"sha256": hashlib.sha256, "sha1": hashlib.sha1}[algorithm]
    return f"{algorithm}=" + hmac.new(secret.encode(), body, digest).hexdigest()


class Site:
    """One installation: configuration, store, and the prober's commands. `programs` is the folder of its build."""

    programs = BUILD

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o755)
        self.store = self.folder / "store"
        self.config_file = self.folder / "upbeat.json"
        self.processes = []
        self.offset_ms = 0
        self.env = {}
        self.make_store()

    def make_store(self):
        """A store that prober and web server share: by group when they are two users."""
        self.store.mkdir(exist_ok=True)
        if AS_ROOT:
            os.chown(self.store, -1, pwd.getpwnam(WEB_USER).pw_gid)
        self.store.chmod(0o2770)

    def configure(self, config, **more):
        """Writes upbeat.json; `store` is filled in. A string is written as it is."""
        if not isinstance(config, str):
            config = json.dumps({"store": str(self.store), **config, **more}, indent=1)
        self.config_file.write_text(config)
        self.config_file.chmod(0o600)

    def environment(self):
        env = {"PATH": "/usr/bin:/bin", "UPBEAT_TESTING": "1", **self.env}
        if self.offset_ms:
            env["UPBEAT_CLOCK_OFFSET_MS"] = str(self.offset_ms)
        return env

    def prober(self, *arguments, timeout=120, check=False):
        """Runs upbeat-prober to its end."""
        done = subprocess.run([self.programs / "upbeat-prober", "-c", self.config_file, *arguments], capture_output=True, text=True,
                              timeout=timeout, env=self.environment(), stdin=subprocess.DEVNULL)
        if check:
            assert done.returncode == 0, done
        return done

    def a_pass(self, **options):
        return self.prober("run", **options)

    def start_prober(self, *arguments):
        return self.start([self.programs / "upbeat-prober", "-c", self.config_file, *arguments], "prober")

    def status(self, slug=None):
        done = self.prober("status", "--json")
        assert done.returncode == 0, done
        report = json.loads(done.stdout)
        if slug is None:
            return report
        return next(m for m in report["monitors"] if m["slug"] == slug)

    def start(self, command, name, **options):
        """Starts a program in the background; its output goes to a log that is shown when the test fails."""
        log = open(self.folder / f"{name}.log", "ab")
        program = shutil.which(str(command[0]), path="/usr/sbin:/usr/bin:/sbin:/bin")  # servers are in sbin
        assert program, f"{command[0]} is not installed"
        process = subprocess.Popen([program, *(str(c) for c in command[1:])], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env=options.pop("env", self.environment()), start_new_session=True, **options)
        log.close()
        self.processes.append(process)
        return process

    def stop(self, process, how=signal.SIGTERM, seconds=10):
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.processes:
            self.processes.remove(process)

    def close(self):
        for process in list(reversed(self.processes)):
            self.stop(process)

    def logs(self):
        """Everything that was logged, for a failing test's report."""
        files = sorted(self.folder.glob("*.log")) + sorted(self.store.rglob("*.log"))
        return "".join(f"---- {f.name}\n{f.read_text(errors='replace')[-4000:]}\n" for f in files if f.stat().st_size)


class Front:
    """A running web server with Upbeat mounted at `mount` ("" is the root)."""

    def __init__(self, site, mount="/upbeat", port=None, address="127.0.0.1"):
        self.site, self.mount, self.address = site, mount, address
        self.port, self.tls_port = port or free_port(), free_port()
        self.cgi = site.folder / "cgi-bin"
        self.cgi.mkdir(exist_ok=True)
        shutil.copy2(site.programs / "upbeat.fcgi", self.cgi / "upbeat.fcgi.new")
        os.replace(self.cgi / "upbeat.fcgi.new", self.cgi / "upbeat.fcgi")
        self.url = f"http://{address}:{self.port}{self.mount}"
        self.secret_files()

    def secret_files(self):
        """A certificate and a password file: person `ann`, password `secret`."""
        folder = self.site.folder
        self.cert, self.key, self.htpasswd = folder / "cert.pem", folder / "key.pem", folder / "htpasswd"
        if not self.cert.exists():
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                            "-nodes", "-keyout", self.key, "-out", self.cert, "-days", "30", "-subj",
                            "/CN=localhost"], check=True, capture_output=True)
            digest = subprocess.run(["openssl", "passwd", "-apr1", "secret"], check=True, capture_output=True,
                                    text=True).stdout.strip()
            self.htpasswd.write_text(f"ann:{digest}\n")

    def example(self, name, *replacements):
        """The example file with its paths and ports replaced; each must occur in it."""
        text = (ROOT / name).read_text()
        for old, new in (("/usr/lib/upbeat/cgi-bin", self.cgi), ("/var/lib/upbeat", self.site.store),
                         ("/etc/upbeat/staff.htpasswd", self.htpasswd),
                         ("/etc/letsencrypt/live/example.com/fullchain.pem", self.cert),
                         ("/etc/letsencrypt/live/example.com/privkey.pem", self.key), *replacements):
            assert str(old) in text, f"{name} does not hold {old}"
            text = text.replace(str(old), str(new))
        return text

    def request(self, method, path, body=None, headers=None, **options):
        return fetch(self.url + path, method, body, headers, **options)

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def post(self, path, body=b"", **headers):
        return self.request("POST", path, body, headers)

    def beat(self, slug, secret, signal_name="", time_=None, algorithm="sha256", **more):
        """A rightly signed beat."""
        body = json.dumps({"time": time.time() if time_ is None else time_, **more}).encode()
        name = "X-Hub-Signature-256" if algorithm == "sha256" else "X-Hub-Signature"
        path = "/".join(filter(None, ["/beat", slug, signal_name]))
        return self.request("POST", path, body, {name: sign(secret, body, algorithm)})

    def stop(self):
        self.site.stop(self.process)


    def spawn(self):
        """The program behind a socket of its own, as spawn-fcgi or a service manager starts it."""
        path = self.site.folder / "fcgi.socket"
        user = ["-u", WEB_USER, "-g", WEB_USER] if AS_ROOT else []
        # -n: stay in the foreground, so that it is ours to end.
        self.program = self.site.start(
            ["spawn-fcgi", "-n", "-s", path, "-M", "0660", *user, "--", self.cgi / "upbeat.fcgi"], "upbeat",
            env={**self.site.environment(), "UPBEAT_STORE": str(self.site.store), "UPBEAT_MOUNT": self.mount})
        wait_for(path.exists)
        return path


class Lighttpd(Front):
    """mode: "fastcgi" as the example is, "external" with a program that something else started, or "cgi" as
    its comment says."""

    def __init__(self, site, mode="fastcgi", threads=4, **where):
        super().__init__(site, **where)
        folder = site.folder
        part = self.example("lighttpd-example.conf", ("/run/lighttpd/upbeat.socket", folder / "fcgi.socket"),
                            (":443", f"127.0.0.1:{self.tls_port}"),
                            ('"UPBEAT_THREADS" => "4"', self.environment(threads)))
        if mode == "cgi":
            part = self.as_cgi(part)
        if mode == "external":
            self.spawn()
            part = "\n".join(line for line in part.splitlines() if not any(word in line for word in ('"bin-', '"UPBEAT_MOUNT"', "max-procs")))
        if not self.mount:  # lighttpd then wants to be told that the root is no part of the name
            part = part.replace('"/upbeat" => ((', '"/" => ((\n    "fix-root-scriptname" => "enable",')
            part = part.replace("/upbeat/staff/", "/staff/")
        (folder / "lighttpd-upbeat.conf").write_text(part)
        (folder / "www").mkdir(exist_ok=True)
        main = folder / "lighttpd.conf"
        main.write_text(f'server.bind = "{self.address}"\nserver.port = {self.port}\n'
                        f'server.document-root = "{folder}/www"\nserver.errorlog = "{folder}/lighttpd-error.log"\n'
                        f'server.max-request-size = 1024\ninclude "{folder}/lighttpd-upbeat.conf"\n')
        self.process = site.start(["lighttpd", "-D", "-f", main], "lighttpd")
        wait_for(lambda: listening(self.port, self.address))

    def environment(self, threads):
        pairs = {"UPBEAT_THREADS": str(threads), **{k: v for k, v in self.site.environment().items() if k != "PATH"}}
        return ", ".join(f'"{k}" => "{v}"' for k, v in pairs.items())

    def as_cgi(self, part):
        """Follows the comment of the example: the FastCGI block goes, the commented lines come."""
        lines, out, inside = part.splitlines(), [], False
        for line in lines:
            if line.startswith("fastcgi.server"):
                inside = True
            if not inside:
                out.append(line[2:].lstrip() if line.startswith("#     ") and "cp " not in line else line)
            if inside and line == ")))":
                inside = False
        text = "\n".join(out) + "\n"
        variables = ", ".join(f'"{k}" => "{v}"' for k, v in self.site.environment().items() if k != "PATH")
        return text.replace('setenv.set-environment = (', f"setenv.set-environment = ({variables},")


APACHE_MODULES = """mpm_event authz_core authz_user authn_core authn_file auth_basic alias dir env setenvif socache_shmcb
ssl mime rewrite cgid fcgid proxy proxy_fcgi"""


class Apache(Front):
    """mode: "fcgid" as the example is, "cgi" as its comment says, or with a program that something else
    started: "proxy-handler" and "proxy-pass"; "htaccess-fcgid" and "htaccess-cgi" are a shared host's, where
    an .htaccess file is all that one may write."""

    def __init__(self, site, mode="fcgid", **where):
        super().__init__(site, **where)
        folder = site.folder
        (folder / "www").mkdir(exist_ok=True)
        part = self.htaccess(mode) if mode.startswith("htaccess") else self.virtual_host(mode)
        (folder / "apache-upbeat.conf").write_text(part)
        main = folder / "apache.conf"
        modules = [m for m in APACHE_MODULES.split() if mode != "htaccess-cgi" or m != "fcgid"]
        main.write_text(
            f"ServerRoot {folder}\nServerName localhost\nPidFile {folder}/apache.pid\nErrorLog {folder}/apache-error.log\n"
            + (f"User {WEB_USER}\nGroup {WEB_USER}\n" if AS_ROOT else "")
            + "".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so\n" for m in modules)
            + f"ScriptSock {folder}/cgisock\n"
            + (f"FcgidIPCDir {folder}/fcgid\nFcgidProcessTableFile {folder}/fcgid_shm\n" if "fcgid" in modules else "")
            + f"Mutex file:{folder}\nTypesConfig /dev/null\nDocumentRoot {folder}/www\n"
            f"Listen 127.0.0.1:{self.port}\nListen 127.0.0.1:{self.tls_port}\nInclude {folder}/apache-upbeat.conf\n")
        self.process = site.start(["apache2", "-f", main, "-DFOREGROUND"], "apache")
        wait_for(lambda: listening(self.port))

    def variables(self, directive):
        pairs = self.site.environment().items()
        return "".join(f"{directive} {k} {v}\n" for k, v in pairs if k != "PATH")

    def virtual_host(self, mode):
        part = self.example("apache-example.conf", ("*:443", f"127.0.0.1:{self.tls_port}"),
                            ("*:80", f"127.0.0.1:{self.port}"))
        if mode == "fcgid":
            return part + self.variables("FcgidInitialEnv")
        if mode == "cgi":
            part = part.replace("SetHandler fcgid-script", "SetHandler cgi-script")
            return part.replace("FcgidInitialEnv ", "SetEnv ") + self.variables("SetEnv")
        alias = next(line for line in part.splitlines() if line.startswith("Alias "))
        socket_url = f"unix:{self.spawn()}|fcgi://localhost"
        proxy = {"proxy-handler": f'<Location /upbeat>\nSetHandler "proxy:{socket_url}/"\nCGIPassAuth On\n</Location>',
                 "proxy-pass": f'ProxyPass /upbeat "{socket_url}/upbeat"'}[mode]
        return part.replace(alias, f"ProxyFCGIBackendType GENERIC\n{proxy}\nSetEnv UPBEAT_MOUNT /upbeat")

    def htaccess(self, mode):
        folder = self.site.folder / "www/upbeat"
        folder.mkdir(exist_ok=True)
        shutil.copy2(PROGRAM, folder / "upbeat.fcgi")
        text = (ROOT / "contrib/shared-hosting/htaccess-example").read_text()
        for old, new in (("/home/me/upbeat-store", self.site.store), ("/home/me/staff.htpasswd", self.htpasswd)):
            assert old in text
            text = text.replace(old, str(new))
        (folder / ".htaccess").write_text(text + self.variables("SetEnv"))
        return (f"<Directory {self.site.folder}/www>\nAllowOverride All\nRequire all granted\n</Directory>\n"
                f"<VirtualHost 127.0.0.1:{self.tls_port}>\nSSLEngine on\nSSLCertificateFile {self.cert}\n"
                f"SSLCertificateKeyFile {self.key}\n</VirtualHost>\n"
                + (self.variables("FcgidInitialEnv") if mode == "htaccess-fcgid" else ""))


class Nginx(Front):
    """As the example is, with the program behind spawn-fcgi."""

    def __init__(self, site, **where):
        super().__init__(site, **where)
        folder = site.folder
        part = self.example("nginx-example.conf", ("/run/upbeat.socket", self.spawn()),
                            ("listen 443 ssl", f"listen 127.0.0.1:{self.tls_port} ssl"),
                            ("listen 80", f"listen 127.0.0.1:{self.port}"))
        (folder / "nginx-upbeat.conf").write_text(part)
        places = "".join(f"{what}_temp_path {folder}/nginx-{what};\n"
                         for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        main = folder / "nginx.conf"
        main.write_text((f"user {WEB_USER};\n" if AS_ROOT else "")
                        + f"daemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log {folder}/nginx-error.log;\n"
                        f"events {{}}\nhttp {{\naccess_log off;\n{places}include {folder}/nginx-upbeat.conf;\n}}\n")
        self.process = site.start(["nginx", "-c", main, "-e", f"{folder}/nginx-error.log"], "nginx")
        wait_for(lambda: listening(self.port))


# Every server and mode that people use, by name.
FRONTS = {
    "lighttpd-fastcgi": Lighttpd,
    "lighttpd-external": lambda site, **where: Lighttpd(site, "external", **where),
    "lighttpd-cgi": lambda site, **where: Lighttpd(site, "cgi", **where),
    "apache-fcgid": Apache,
    "apache-proxy-handler": lambda site, **where: Apache(site, "proxy-handler", **where),
    "apache-proxy-pass": lambda site, **where: Apache(site, "proxy-pass", **where),
    "apache-cgi": lambda site, **where: Apache(site, "cgi", **where),
    "htaccess-fcgid": lambda site, **where: Apache(site, "htaccess-fcgid", **where),
    "htaccess-cgi": lambda site, **where: Apache(site, "htaccess-cgi", **where),
    "nginx": Nginx,
}
