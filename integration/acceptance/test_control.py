"""A control sample from end to end: the baseline is asked again by a real
replay, and the tables say at which of its volatile places the candidate is
another. The coins fall evenly or to one side by construction, so nothing here
is left to chance."""

import contextlib
import http.server
import itertools
import json
import threading

import pytest
import requests

import driver

EXCHANGES = 800


class _Shop(http.server.BaseHTTPRequestHandler):
    """Estimates that differ each time, and a carrier that differs in the role of
    the candidate."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        number = int(self.path.rsplit("/", 1)[1])
        if self.server.role == "candidate":
            answer = {"estimate": 500 + number / 10000, "carrier": "express"}
        elif "Understudy-Control" in self.headers:
            turn = next(self.server.asked)
            answer = {"estimate": turn / EXCHANGES if turn % 2 else 1000 + turn, "carrier": "express" if turn % 4 < 2 else "standard"}
        else:
            answer = {"estimate": -1 - number, "carrier": "express" if number % 4 < 2 else "standard"}
        body = json.dumps({"id": number, "price": 100 + number, **answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def shop(role):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    server.daemon_threads, server.role, server.asked = True, role, itertools.count()
    server.request_queue_size = 256
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def systems(platform):
    """A recording of the baseline, and both systems."""
    platform.run("topics", "apply")
    with shop("baseline") as baseline, shop("candidate") as candidate:
        port = driver.free_port()
        recorder = driver.start(
            "record", "--listen", f"127.0.0.1:{port}", "--baseline", baseline, "--instance", "of-controls", env=platform.env()
        )
        try:
            driver.wait_for_port(port, process=recorder.child)
            with requests.Session() as client:
                for i in range(EXCHANGES):
                    assert client.get(f"http://127.0.0.1:{port}/offers/{i}", timeout=10).status_code == 200
            assert recorder.interrupt() == 0
        finally:
            recorder.close()
        yield baseline, candidate


def replay(platform, run, candidate, control, *args):
    done = driver.run(
        "replay", "--run", run, "--candidate", candidate, "--recorder", "of-controls", "--speed", "1",
        "--control", "0.5", "--control-url", control, *args, env=platform.env(), timeout=180,
    )
    assert done.returncode == 0, done.stderr
    platform.run("compare", "--run", run, timeout=180)
    return done.stdout


def test_the_place_that_moved_and_not_the_other(platform, systems):
    baseline, candidate = systems
    last_lines = replay(platform, "coins", candidate, baseline)
    report = json.loads(platform.run("report", "coins", "-o", "json"))

    books = report["balance"]["control"]
    assert books["holds"] and books["sampled"] > 300, books
    assert f"control {books['answered']} of {books['sampled']} answered" in last_lines
    stored = platform.rows("SELECT count(), uniqExact(exchange_id), countIf(verdict = '') FROM stored_controls FINAL WHERE run = 'coins' AND statistic = 'replay'")
    assert stored == [(books["answered"], books["answered"], 0)]
    assert platform.rows("SELECT sampled, answered, judged, balances FROM control_balance WHERE run = 'coins'") == [
        (books["sampled"], books["answered"], books["answered"], 1)
    ]

    places = {p["path"]: p for p in report["control"]["places"]}
    assert set(places) == {"$.carrier", "$.estimate"}, places
    carrier, estimate = places["$.carrier"], places["$.estimate"]
    assert carrier["different"] and not carrier["alike"]
    assert not estimate["different"]
    heads, tails = platform.rows("SELECT heads, tails FROM coins WHERE run = 'coins' AND path = '$.estimate' AND statistic = 'number'")[0]
    assert heads + tails == books["answered"] and abs(heads - tails) <= 1
    assert platform.rows("SELECT heads > 100, tails FROM coins WHERE run = 'coins' AND path = '$.carrier' AND word = 'express'") == [(1, 0)]

    page = platform.run("report", "coins")
    assert "$.carrier" in page and "says express" in page
    assert "At 1 of them candidate and baseline are different" in " ".join(page.split())
    assert f"control: answered {books['answered']}" in " ".join(page.split()).replace(",", "")


def test_a_control_that_cannot_be_reached_is_counted(platform, systems):
    _, candidate = systems
    replay(platform, "alone", candidate, f"http://127.0.0.1:{driver.free_port()}")
    report = json.loads(platform.run("report", "alone", "-o", "json"))
    books = report["balance"]["control"]
    assert books["holds"] and books["answered"] == 0 and books["judged"] == 0
    assert books["unanswered"] == {"connect": books["sampled"]} and books["sampled"] > 300
    assert report["control"]["replays"] == 0 and report["control"]["places"] == []
    # Without a control each replay is judged by itself.
    assert report["total"]["mismatch"] == EXCHANGES
    assert platform.rows("SELECT uncontrolled['connect'] FROM (SELECT * FROM runs FINAL) WHERE name = 'alone'") == [(books["sampled"],)]
