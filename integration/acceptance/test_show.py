"""From a row of the tables back to the record: show, explain, and headers that
are in the tables."""

import contextlib
import http.server
import json
import re
import subprocess
import threading

import pytest
import requests

import driver
import services

RULES = """
compare:
  rules:
    - name: spelling
      owner: shop-team
      reason: the candidate writes it in title case
      path: $.shipping
      action: ignore
"""


@contextlib.contextmanager
def system(side):
    """A shop. The candidate makes its own identifiers and is wrong about the
    price; both answer with what a terminal would act on."""
    lock, made = threading.Lock(), [0]

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                made[0] += 1
                n = made[0]
            baseline = side == "baseline"
            self.answer(201, {
                "id": f"ord_{1000 + n}" if baseline else f"5f0c1d6e-9a1b-4c2d-8e3f-{n:012d}",
                "name": body["name"],
                "shipping": "by land" if baseline else "By Land",
                "price": 10 if baseline else 12,
                "note": "\x1b[31mred\x1b[0m",
            })

        def do_GET(self):
            self.answer(200, {"id": self.path.rsplit("/", 1)[-1]})

        def answer(self, status, document):
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A platform that holds a judged run of four requests."""
    folder = tmp_path_factory.mktemp("show")
    p = driver.Platform(folder / "data")
    rules = folder / "rules.yaml"
    rules.write_text(RULES)
    p.start()
    try:
        p.run("topics", "apply")
        p.run("migrate")
        port = driver.free_port()
        with system("baseline") as baseline, system("candidate") as candidate:
            recorder = driver.start(
                "record", "--listen", f"127.0.0.1:{port}", "--baseline", baseline,
                "--index-header", "X-Tenant,Authorization,X-Absent", env=p.env(),
            )
            try:
                driver.wait_for_port(port, process=recorder.child)
                shop(f"http://127.0.0.1:{port}")
                assert recorder.interrupt() == 0, recorder.text("stderr")
            finally:
                recorder.close()
            p.run("replay", "--run", "r", "--candidate", candidate, "--isolated", "--order")
            p.run("compare", "--config", rules)
        p.rules = rules
        yield p
    finally:
        p.process.close()


def shop(url):
    with requests.Session() as session:
        session.headers.update({"X-Session-Id": "s1", "X-Tenant": "acme", "Authorization": "Bearer hunter2-secret"})
        for name in ("oak table", "it's a 100% \"rug\" $HOME"):
            made = session.post(f"{url}/orders", json={"name": name}, timeout=10).json()
            session.get(f"{url}/orders/{made['id']}", timeout=10)


def explained(p, ordinal, *flags):
    return json.loads(p.run("explain", "r", ordinal, "-o", "json", *flags))


def test_show(run):
    text = run.run("show", "r", 1)
    for part in ("POST /orders HTTP/1.1", "Baseline, recorded", "Candidate, acknowledgement", '"price": 10', '"price": 12', "mismatch"):
        assert part in text, text
    assert "\x1b" not in text and "\\u001b[31m" in text, text
    assert "hunter2" not in text and "Bearer rdx_" in text, text
    record = json.loads(run.run("show", "r", 1, "-o", "json"))
    assert record["run"] == "r" and record["ordinal"] == "1"
    assert run.run("show", record["exchange"]["id"]) == text


def test_curl(run):
    with services.echo() as (url, seen):
        command = run.run("show", "r", 2, "--curl")
        assert "hunter2" not in command
        recorded = json.loads(run.run("show", "r", 2, "-o", "json"))["exchange"]["request"]["authority"]
        assert command.count(recorded) == 1, command
        done = subprocess.run(["sh"], input=command.replace(f"http://{recorded}", url), text=True, capture_output=True, timeout=30)
        assert done.returncode == 0 and len(seen) == 1, done.stderr


def test_explain(run):
    first = explained(run, 1, "--config", run.rules)
    assert first["verdict"] == "mismatch" and first["agrees"], first
    place = {x["location"]: x for x in first["places"]}
    assert place["$.price"]["noise_class"] == "" and (place["$.price"]["baseline"], place["$.price"]["candidate"]) == ("10", "12")
    shipping = place["$.shipping"]
    assert shipping["noise_class"] == "rule:spelling" and shipping["proof"] == "rule"
    assert shipping["rule"]["where"] == f"{run.rules}:4:7" and shipping["rule"]["owner"] == "shop-team"
    assert [n for n in first["names"] if n["recorded"] == "ord_1001" and n["learned_from"] == first["exchange_id"]], first["names"]

    second = explained(run, 2, "--config", run.rules)
    assert second["verdict"] == "match", second
    used = [n for n in second["names"] if n["uses"]]
    assert used and used[0]["recorded"] == "ord_1001" and used[0]["learned_from"] == first["exchange_id"] and used[0]["proof"] == "created"
    assert "ord_1001" in run.run("explain", "r", 2, "--config", run.rules)


def test_the_judgement_knows_its_rules(run):
    """Without a file the rules of the judgement hold, which the tables keep."""
    judgement = json.loads(run.run("judge", "list", "r", "-o", "json"))[0]["judgement"]
    first = explained(run, 1)
    assert first["agrees"] and first["stored"]["judgement"] == judgement and first["stored"]["current"], first
    shipping = {x["location"]: x for x in first["places"]}["$.shipping"]
    assert shipping["rule"]["where"] == f"judgement {judgement}", shipping
    assert f"the current judgement {judgement}" in run.run("explain", "r", 1, "--judgement", judgement[:6])
    assert f"judgement {judgement}" in run.run("report", "r")
    assert json.loads(run.run("report", "r", "-o", "json"))["judgement"]["judgement"] == judgement
    done = driver.run("explain", "r", 1, "--judgement", "ffff", env=run.env())
    assert done.returncode == 2 and f"run r has {judgement}" in done.stderr, done


def test_other_rules_are_said(run, tmp_path):
    rules = tmp_path / "none.yaml"
    rules.write_text("rules: []\n")
    other = explained(run, 1, "--rules", rules)
    assert not other["agrees"] and other["stored"]["differences"] == 1 and other["under"] == f"the rules of {rules}"
    assert {x["location"] for x in other["places"] if not x["noise_class"]} == {"$.shipping", "$.price"}
    assert "THE TABLES SAY mismatch" in run.run("explain", "r", 1, "--rules", rules)


def test_headers_are_in_the_tables(run):
    rows = run.rows("SELECT headers, ordinal FROM comparisons INNER JOIN exchanges ON exchanges.id = exchange_id ORDER BY ordinal")
    assert [o for _, o in rows] == [1, 2, 3, 4]
    for headers, _ in rows:
        assert set(headers) == {"x-tenant", "authorization"} and headers["x-tenant"] == "acme"
        assert re.fullmatch(r"Bearer rdx_[\w-]{22}", headers["authorization"])


@pytest.mark.parametrize(
    "args, said",
    [
        (["show", "r", "99"], "run r has no replay 99 in the tables, which hold 1 to 4"),
        (["show", "r"], "r is a run: say RUN ORDINAL"),
        (["show", "nobody"], 'the tables have no exchange "nobody"'),
        (["explain", "r"], "SELECT ordinal, route, verdict FROM comparisons WHERE run = 'r'"),
        (["explain", "r", "x"], 'ORDINAL "x"'),
        (["explain", "s", "1"], 'unknown run "s"'),
    ],
)
def test_what_is_not_there(run, args, said):
    done = driver.run(*args, env=run.env())
    assert done.returncode == 2 and said in done.stderr and done.stdout == "", done


def test_a_record_that_is_gone(run):
    """Topics that do not hold what the tables say."""
    run.run("topics", "apply", "--prefix", "other")
    for args in (["show", "r", "1"], ["explain", "r", "1"]):
        done = driver.run(*args, "--prefix", "other", env=run.env())
        assert done.returncode == 1 and "the topic was made anew" in done.stderr and done.stdout == "", done
