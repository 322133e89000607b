"""Two independent implementations of one interface: the Python httpbin is
recorded under real clients and replayed against go-httpbin. Every difference
that comes out is confirmed by asking both services directly."""

import re
import subprocess

import pytest
import requests

import driver
import place
import services

JSON = {"json": {"name": "Ada", "n": 9007199254740993, "list": [1, 2.50, None]}}

# What the clients ask: method, path, and arguments of requests.request.
PLAN = [
    ("GET", "/get", {}),
    ("GET", "/get?a=1&b=two&b=three", {}),
    ("GET", "/headers", {"headers": {"X-Custom": "value"}}),
    ("GET", "/ip", {}),
    ("GET", "/user-agent", {}),
    ("POST", "/post", JSON),
    ("POST", "/post", {"data": {"field": "value", "other": "ä"}}),
    ("PUT", "/put", JSON),
    ("PATCH", "/patch", JSON),
    ("DELETE", "/delete", {}),
    ("GET", "/status/200", {}),
    ("GET", "/status/404", {}),
    ("GET", "/status/418", {}),
    ("GET", "/status/503", {}),
    ("GET", "/json", {}),
    ("GET", "/html", {}),
    ("GET", "/xml", {}),
    ("GET", "/robots.txt", {}),
    ("GET", "/deny", {}),
    ("GET", "/encoding/utf8", {}),
    ("GET", "/base64/VW5kZXJzdHVkeQ==", {}),
    ("GET", "/bytes/64?seed=3", {}),
    ("GET", "/redirect-to?url=/get", {}),
    ("GET", "/relative-redirect/1", {}),
    ("GET", "/cache", {"headers": {"If-None-Match": "x"}}),
    ("GET", "/etag/abc", {}),
    ("GET", "/response-headers?X-Answer=42", {}),
    ("GET", "/cookies", {}),
    ("GET", "/basic-auth/someone/secret", {}),
    ("GET", "/bearer", {}),
    ("GET", "/anything/here", {}),
    ("GET", "/no-such-page", {}),
]


def ask(base, method, path, arguments):
    return requests.request(method, base + path, allow_redirects=False, timeout=30, **arguments)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    with services.python_httpbin() as baseline, services.go_httpbin(tmp_path_factory.mktemp("go")) as candidate:
        yield baseline, candidate


@pytest.fixture(scope="module")
def runs(platform, pair):
    """The recording, replayed at 1× and at 10×, compared."""
    baseline, candidate = pair
    platform.run("topics", "apply")
    platform.run("migrate")
    port = driver.free_port()
    recorder = driver.start("record", "--listen", f"127.0.0.1:{port}", "--baseline", baseline, env=platform.env())
    try:
        driver.wait_for_port(port, process=recorder.child)
        through = f"http://127.0.0.1:{port}"
        start = subprocess.run(["date", "-u", "+%Y-%m-%dT%H:%M:%S.%NZ"], capture_output=True, text=True).stdout.strip()
        for method, path, arguments in PLAN:
            ask(through, method, path, arguments)
        for path in ("/get?from=curl", "/anything/curl"):
            subprocess.run(["curl", "-sS", "-o", "/dev/null", through + path], check=True, timeout=30)
        assert recorder.interrupt() == 0, recorder.text("stderr")
    finally:
        recorder.close()
    for name, speed in (("httpbin-1x", "1"), ("httpbin-10x", "10")):
        platform.run(
            "replay", "--run", name, "--candidate", candidate, "--isolated", "--speed", speed, "--from", start, timeout=180,
        )
        platform.run("compare", "--run", name, timeout=180)
    return "httpbin-1x", "httpbin-10x"


def test_every_exchange_is_judged(platform, runs):
    for name in runs:
        count = platform.rows(f"SELECT count() FROM comparisons WHERE run = '{name}'")
        assert count == [(len(PLAN) + 2,)]
        platform.run("runs", "balance", name)


def test_known_differences_come_out(platform, runs):
    """go-httpbin gives every query parameter as a list and names the method."""
    for name in runs:
        found = set(platform.rows(f"SELECT route, path FROM discrepancies WHERE run = '{name}'"))
        assert ("GET /get", "$.args.a") in found
        assert ("GET /get", "$.method") in found


def test_the_same_at_both_speeds(platform, runs):
    differences = [
        platform.rows(f"SELECT DISTINCT route, path, kind::String FROM discrepancies WHERE run = '{name}' ORDER BY ALL")
        for name in runs
    ]
    assert differences[0] == differences[1]


def test_each_difference_is_confirmed_directly(platform, pair, runs):
    rows = platform.rows(
        f"SELECT route, path, count() FROM discrepancies WHERE run = '{runs[0]}' GROUP BY ALL ORDER BY 3 DESC, 1, 2"
    )
    # Both services echo the request, so what the replay itself adds to every
    # request (docs/replay.md) comes back from the candidate alone.
    rows = [row for row in rows if not row[1].startswith(ADDED)]
    assert len(rows) >= 10
    unconfirmed = [f"{route} {path}" for route, path, _ in rows if not differs(pair, route, path)]
    assert not unconfirmed


ADDED = tuple(f"$.headers.{name}" for name in ("Understudy-Run", "Idempotency-Key", "Authorization"))


def differs(pair, route, path):
    """Asks both services what the clients asked on this route, until they
    differ at the path."""
    baseline, candidate = pair
    method, template = route.split(" ", 1)
    pattern = re.compile(re.sub(r"\\\{[^/]*\\\}", "[^/]+", re.escape(template)))
    curl = [("GET", "/get?from=curl", {}), ("GET", "/anything/curl", {})]
    for m, target, arguments in PLAN + curl:
        if m != method or not pattern.fullmatch(target.split("?")[0]):
            continue
        answers = [ask(base, m, target, arguments) for base in (baseline, candidate)]
        if place.values(answers[0], path) != place.values(answers[1], path):
            return True
    return False
