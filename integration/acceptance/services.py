"""Small services to stand before and behind Understudy."""

import contextlib
import http.server
import json
import subprocess
import sys
import threading

import driver
import packages


class _Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        body = b'{"path": "%s"}' % self.server.says(self.path).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def echo(says=lambda path: path):
    """A service that answers every GET, with what says makes of its path; gives its
    URL and what it has seen."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.daemon_threads, server.seen, server.says = True, [], says
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def _process(argv, port, **kwargs):
    p = driver.Process(argv, **kwargs)
    try:
        try:
            driver.wait_for_port(port, process=p.child)
        except AssertionError as e:
            p.close()
            raise AssertionError(f"{argv[0]}: {e}\n{p.text('stderr')}") from None
        yield f"http://127.0.0.1:{port}"
    finally:
        p.close()


@contextlib.contextmanager
def python_httpbin():
    """The httpbin of the Python Software Foundation's list, on Flask."""
    port = driver.free_port()
    with _process([sys.executable, "-m", "httpbin.core", "--host", "127.0.0.1", "--port", port], port) as url:
        yield url


@contextlib.contextmanager
def go_httpbin(folder):
    """mccutchen/go-httpbin, at the version that integration/go.mod pins."""
    binary = folder / "go-httpbin"
    subprocess.run(
        ["go", "build", "-o", binary, "github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin"],
        cwd=driver.ROOT / "integration", check=True, timeout=300,
    )
    port = driver.free_port()
    with _process([binary, "-host", "127.0.0.1", "-port", port, "-log-level", "ERROR"], port) as url:
        yield url


KINTO = """
[server:main]
use = egg:waitress
host = 127.0.0.1
port = %(http_port)s
threads = 8
[app:main]
use = egg:kinto
kinto.storage_backend = kinto.core.storage.memory
kinto.cache_backend = kinto.core.cache.memory
kinto.permission_backend = kinto.core.permission.memory
kinto.userid_hmac_secret = the same for every version
kinto.includes = kinto.plugins.history
kinto.bucket_create_principals = system.Authenticated
multiauth.policies = basicauth
multiauth.policy.basicauth.use = kinto.core.authentication.BasicAuthAuthenticationPolicy
"""


@contextlib.contextmanager
def kinto(version, folder):
    """Kinto with its store in memory."""
    port = driver.free_port()
    (folder / "kinto.ini").write_text(KINTO)
    command = packages.venv(f"kinto-{version}") / "bin" / "kinto"
    with _process([command, "start", "--ini", folder / "kinto.ini", "--port", port], port) as url:
        yield url


@contextlib.contextmanager
def json_server(version, folder):
    """json-server with three empty collections."""
    port = driver.free_port()
    (folder / "db.json").write_text(json.dumps({"authors": [], "posts": [], "comments": []}))
    command = packages.node(f"json-server-{version}") / "node_modules" / ".bin" / "json-server"
    # Otherwise it takes its own writes for somebody else's and may undo a later
    # one. So it wants its folder of static files.
    (folder / "public").mkdir()
    env = driver.environment(NODE_ENV="production")
    with _process([command, "--host", "127.0.0.1", "--port", port, "db.json"], port, env=env, cwd=folder) as url:
        yield url


def pygeoapi_config(url, port, folder):
    """The least that pygeoapi accepts: two processes and their jobs."""
    anywhere = {"name": "none", "url": "https://example.org"}
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": port},
            "url": url,
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "languages": ["en-US"],
            "limits": {"default_items": 1000, "max_items": 1000},
            "map": {"url": "https://example.org", "attribution": "none"},
            "manager": {"name": "TinyDB", "connection": str(folder / "jobs.json"), "output_dir": str(folder)},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": "processes", "description": "processes", "keywords": ["none"], "keywords_type": "theme",
                "terms_of_service": "none", "url": "https://example.org",
            },
            "license": anywhere,
            "provider": anywhere,
            "contact": {"name": "none", "email": "someone@example.org", "url": "https://example.org"},
        },
        "resources": {
            "hello-world": {"type": "process", "processor": {"name": "HelloWorld"}},
            "echo": {"type": "process", "processor": {"name": "Echo"}},
        },
    }


@contextlib.contextmanager
def pygeoapi(folder, public=None):
    """pygeoapi with OGC API Processes, which calls itself by the public URL."""
    port = driver.free_port()
    config = folder / "pygeoapi.json"
    config.write_text(json.dumps(pygeoapi_config(public or f"http://127.0.0.1:{port}", port, folder)))
    env = driver.environment(PYGEOAPI_CONFIG=config, PYGEOAPI_OPENAPI=folder / "openapi.yml")
    command = packages.venv("pygeoapi") / "bin" / "pygeoapi"
    subprocess.run([command, "openapi", "generate", config, "--output-file", folder / "openapi.yml"],
                   env=env, check=True, capture_output=True, timeout=60)
    with _process([command, "serve"], port, env=env, cwd=folder) as url:
        yield url
