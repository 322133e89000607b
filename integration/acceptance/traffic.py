"""Clients with sessions, and a witness between the replayer and the candidate.

Every request of a client names its step in a header that the services ignore
and that a replay repeats. So both sides of a replay can be put together without
asking Understudy what belongs to what."""

import contextlib
import dataclasses
import gzip
import http.client
import http.server
import json
import threading
import time
import urllib.parse

import requests

STEP, SESSION = "X-Step", "X-Session-Id"


@dataclasses.dataclass
class Step:
    """One request and its answer, as one end of a connection saw them."""

    name: str
    method: str
    target: str
    sent: dict
    content: bytes
    status: int = 0
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = b""
    # When the witness had the request, and the answer to it.
    began: float = 0
    ended: float = 0

    @property
    def session(self):
        return self.name.split(".")[0]

    @property
    def path(self):
        return urllib.parse.urlsplit(self.target).path

    def json(self):
        return json.loads(self.body)


def lower(headers):
    return {k.lower(): v.strip() for k, v in headers.items()}


class Client:
    """One user. What it asked and was answered is in the log."""

    def __init__(self, base, session, log, headers=(), follow=None):
        self.base, self.session, self.log, self.follow = base, session, log, follow
        self.http, self.count = requests.Session(), 0
        self.http.headers.update({SESSION: session, **dict(headers)})

    def ask(self, method, target, body=None, headers=None, content=None):
        """Sends one request; target may be an address on the service that the
        service itself gave."""
        parts = urllib.parse.urlsplit(target)
        target = parts._replace(scheme="", netloc="").geturl()
        self.count += 1
        name = f"{self.session}.{self.count:02}"
        got = self.http.request(
            method, self.base + target, json=body, data=content, headers={STEP: name, **(headers or {})},
            allow_redirects=False, timeout=30,
        )
        content = got.request.body or b""
        content = content.encode() if isinstance(content, str) else content
        step = Step(name, method, target, lower(got.request.headers), content,
                    got.status_code, lower(got.headers), got.content)
        if self.follow:
            self.follow(self, step)
        self.log.append(step)
        return step


def play(base, sessions, **client):
    """Lets all sessions take their steps in turn; gives the log. A session is a
    generator function that takes a client and yields after each step."""
    log, think = [], 0.012
    running = [session(Client(base, name, log, headers=headers, **client)) for name, headers, session in sessions]
    while running:
        for one in list(running):
            try:
                next(one)
            except StopIteration:
                running.remove(one)
            time.sleep(think)
    return log


class _Forward(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _forward(self):
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        sent = lower(dict(self.headers.items()))
        step = Step(sent.get(STEP.lower(), ""), self.command, self.path, sent, content, began=time.monotonic())
        connection = http.client.HTTPConnection(self.server.upstream, timeout=30)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders(content)
            got = connection.getresponse()
            body = got.read()
        finally:
            connection.close()
        step.status, step.headers, step.body, step.ended = got.status, lower(dict(got.getheaders())), body, time.monotonic()
        if step.headers.get("content-encoding") == "gzip":
            step.body = gzip.decompress(body)
        self.server.log.append(step)
        self.send_response_only(got.status, got.reason)
        for name, value in got.getheaders():
            if name.lower() not in ("connection", "keep-alive", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        if got.status not in (204, 304):
            self.send_header("Content-Length", got.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _forward

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def witness():
    """A proxy that keeps what passes through it in its log, in the order of the
    answers. Its upstream, "host:port", is set before the first request."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Forward)
    server.daemon_threads, server.log, server.upstream = True, [], ""
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
