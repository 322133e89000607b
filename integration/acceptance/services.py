"""Small services to stand before and behind Understudy."""

import contextlib
import http.server
import subprocess
import sys
import threading

import driver


class _Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        body = b'{"path": "%s"}' % self.path.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def echo():
    """A service that answers every GET; gives its URL and what it has seen."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.daemon_threads, server.seen = True, []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def _process(argv, port):
    p = driver.Process(argv)
    try:
        driver.wait_for_port(port, process=p.child)
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
