"""Promote, hold or roll back: by what a run shows, and what a script gets of it."""

import json
import xml.etree.ElementTree

import pytest
import requests

import driver
import services

EACH = 70  # requests of each of three routes


@pytest.fixture(scope="module")
def recorded(platform, tmp_path_factory):
    """Three runs of one recording: against the baseline itself, against one that lies
    on one route, and against nothing."""
    platform.run("topics", "apply")
    with services.echo() as (url, _), services.echo(lambda path: path.replace("fees", "fines")) as (liar, _):
        port = driver.free_port()
        recorder = driver.start(
            "record", "--listen", f"127.0.0.1:{port}", "--baseline", url, "--instance", "of-gates", env=platform.env()
        )
        try:
            driver.wait_for_port(port, process=recorder.child)
            with requests.Session() as client:
                for i in range(EACH):
                    for route in ("carts", "fees", "users"):
                        client.get(f"http://127.0.0.1:{port}/{route}", timeout=10)
            assert recorder.interrupt() == 0
        finally:
            recorder.close()
        dead = f"http://127.0.0.1:{driver.free_port()}"
        for run, candidate in {"equal": url, "lying": liar, "dying": dead}.items():
            flags = ["--candidate", candidate, "--onto-baseline", "--speed", "5", "--recorder", "of-gates"]
            done = driver.run("replay", "--run", run, *flags, env=platform.env())
            assert done.returncode == (1 if run == "dying" else 0), done.stderr
            done = driver.run("compare", "--run", run, env=platform.env())
            assert done.returncode == 0, done.stderr
    return tmp_path_factory.mktemp("policies")


@pytest.fixture
def gate(platform, recorded):
    """Asks the gate under a policy; gives the exit code, and what came out."""

    def ask(run, policy, *args, code, **kwargs):
        file = recorded / "gate.yaml"
        file.write_text(policy)
        done = driver.run("gate", run, "--policy", file, *args, env=kwargs.get("env", platform.env()))
        assert done.returncode == code, f"exit {done.returncode}\n{done.stderr}\n{done.stdout}"
        return done

    return ask


# What 210 requests can show.
WIDE = """\
limits:
  mismatch: 10%
  rejected: 10%
  lost: 10%
  error: 10%
  contradictory: 10%
  duplicate: 10%
  late: 10%
  out_of_order: 10%
  latency:
    - {over: 20s, share: 10%}
"""


def result_of(done):
    return json.loads(done.stdout)


def test_promotes(gate):
    result = result_of(gate("equal", WIDE, "-o", "json", code=0))
    assert result["decision"] == "promote" and result["reasons"] == [] and result["warnings"] == []
    assert {u["route"]: u["requests"] for u in result["routes"]} == {"GET /carts": EACH, "GET /fees": EACH, "GET /users": EACH}
    assert result["total"]["requests"] == 3 * EACH
    for m in result["total"]["measures"]:
        assert (m["hits"], m["unknown"], m["decision"]) == (0, 0, "promote") and m["upper"] < m["limit"], m
    # The candidate is the baseline, but further away: half of the requests may take longer.
    beside = WIDE + "  slower:\n    - {ratio: 10, plus: 20s, share: 50%}\n"
    assert "Gate of run equal: PROMOTE" in gate("equal", beside, code=0).stdout


def test_rolls_back_by_one_route(gate):
    result = result_of(gate("lying", WIDE, "-o", "json", code=3))
    assert result["decision"] == "roll_back"
    assert {u["route"]: u["decision"] for u in result["routes"]} == {
        "GET /fees": "roll_back", "GET /carts": "promote", "GET /users": "promote",
    }
    gate("lying", WIDE, "--detailed-exit-code", code=3)
    # Without the route that lies there is nothing against it.
    exempt = WIDE + "routes:\n  - {route: GET /fees, exempt: stays where it is}\n"
    done = gate("lying", exempt, code=0)
    assert "Exempt: GET /fees, 70 requests: stays where it is" in done.stdout


def test_a_dead_candidate(gate):
    result = result_of(gate("dying", WIDE, "-o", "json", code=3))
    error = next(m for m in result["total"]["measures"] if m["name"] == "error")
    # The replay gives up; what it has not sent is unknown, and counts against nobody.
    assert error["hits"] + error["unknown"] == 3 * EACH and error["lower"] > 0.1 and error["upper"] == 1
    assert result["reasons"][0]["name"] == "exceeded"


def test_holds_and_says_why(gate, platform, recorded):
    def holds(name, policy, *args, **kwargs):
        result = result_of(gate("equal", policy, "-o", "json", "--detailed-exit-code", *args, code=5, **kwargs))
        assert result["decision"] == "hold" and name in {r["name"] for r in result["reasons"]}, result["reasons"]

    gate("equal", "confidence: 95%\n", code=3)
    holds("too_few", "confidence: 95%\n")
    holds("too_few", WIDE + "minimum: 71\n")

    rules = recorded / "rules.yaml"
    rule = "compare:\n  rules:\n    - {name: a, owner: b, reason: c, path: $.x, action: ignore%s}\n"
    rules.write_text(rule % "")
    holds("stale", WIDE, "--config", rules)
    rules.write_text(rule % ", expires: 2020-01-01")
    holds("expired_rule", WIDE, "--config", rules)

    audited = recorded / "audit.json"
    asked = WIDE + "audit:\n  recall: 90%\n"
    holds("audit", asked)
    audited.write_text(platform.run("audit", "lying", "-o", "json"))
    holds("audit", asked, "--audit", audited)
    audited.write_text(platform.run("audit", "equal", "-o", "json"))
    gate("equal", asked, "--audit", audited, code=0)


def test_no_decision(gate, platform, recorded):
    assert "nobody" in gate("nobody", WIDE, code=2).stderr
    wrong = gate("equal", "limits:\n  mismatsh: 1%\n  lost: 0%\n", code=2).stderr.splitlines()
    assert wrong[0].endswith("gate.yaml:2:3: limits.mismatsh: unknown key; did you mean mismatch?")
    assert 'gate.yaml:3:9: limits.lost: "0%" is not a share above 0%' in wrong[1]
    done = gate("equal", WIDE, code=4, env=driver.environment(UNDERSTUDY_CLICKHOUSE=f"127.0.0.1:{driver.free_port()}"))
    assert done.stdout == ""
    assert driver.run("gate", "equal", "--policy", recorded / "none.yaml", env=platform.env()).returncode == 2
    other = recorded / "other.json"
    other.write_text("{}")
    assert "is not what understudy audit RUN -o json writes" in gate("equal", WIDE, "--audit", other, code=2).stderr


def test_a_route_that_matches_nothing_is_warned_of(gate):
    done = gate("equal", WIDE + "routes:\n  - {route: GET /cart, limits: {late: 1%}}\n", code=0)
    assert 'gate.yaml:13:13: routes[0].route: "GET /cart" matches no route of the run; did you mean "GET /carts"?' in done.stderr


def test_other_formats(gate):
    tree = xml.etree.ElementTree.fromstring(gate("lying", WIDE, "-o", "junit", code=3).stdout)
    failed = {
        (s.get("name"), c.get("name")) for s in tree.iter("testsuite") for c in s.iter("testcase") if c.find("failure") is not None
    }
    assert {("gate", "decision"), ("GET /fees", "mismatch")} <= failed
    assert not {f for f in failed if f[0] in ("GET /carts", "GET /users")}
    assert int(tree.get("failures")) == len(failed)
    page = gate("lying", WIDE, "-o", "markdown", code=3).stdout
    assert page.startswith("## Gate of run lying: roll back\n") and "| GET /fees | 70 | roll back | mismatch | 70 |" in page
    assert max(map(len, gate("lying", WIDE, code=3).stdout.splitlines())) <= 80
    assert gate("equal", WIDE, "-o", "csv", code=2).stderr == 'understudy: -o "csv" is not one of table, json, markdown, junit\n'
