"""The verdict, tested with known faults on the demo's run."""

import csv
import io
import json

import pytest

import driver

RULES = """\
compare:
  rules:
    - name: narrow
      owner: acceptance
      reason: nothing is there
      path: $.nothing
      action: ignore
    - name: whatever-orders-hold
      owner: acceptance
      reason: it hides too much
      route: GET /orders/*
      path: $.**
      action: ignore
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The platform of a demo that was left running."""
    p = driver.Platform(tmp_path_factory.mktemp("demo"))
    p.process = driver.start("demo", "--keep", "-o", "json", *p.listen_flags())
    try:
        p.process.wait_for("everything is still running", seconds=600)
        yield p
    finally:
        p.process.close()


def audit(p, *args, code=0):
    """Audits the demo's run, under the rules of the demo unless others are given."""
    if "--config" not in args:
        args = ("--config", driver.ROOT / "demo" / "demo.yaml", *args)
    done = driver.run("audit", "demo", *args, env=p.env(), timeout=300)
    assert done.returncode == code, f"exit {done.returncode}\n{done.stderr}\n{done.stdout}"
    return done


def test_what_is_planted_is_found(demo):
    result = json.loads(audit(demo, "-o", "json", "--fail-under", "0.99").stdout)
    # The rules tested are those that the run is judged under.
    current = [j["judgement"] for j in json.loads(demo.run("judge", "list", "demo", "-o", "json")) if j["current"]]
    assert current == [result["judgement"]]
    total = result["total"]
    assert total["recall"] >= 0.99
    assert total["planted"] > 10_000
    assert total["planted"] == total["found"] + total["presumed"] + total["hidden"] + total["default"]
    assert total["hidden"] == 0
    assert sum(k["planted"] for k in result["kinds"]) == sum(r["planted"] for r in result["routes"]) == total["planted"]
    kinds = {k["name"] for k in result["kinds"] if k["found"]}
    assert kinds >= {
        "number one more", "member missing", "two elements swapped", "name of another thing", "name of the baseline",
        "time moved by a day", "claim of a token", "link to another thing", "header changed", "cookie with another attribute",
        "completion lost", "completed twice, the second time otherwise", "trailer changed",
    }
    # What is not found has a name: the presumption that keeps it.
    lost = [p for p in result["places"] if p["outcome"] != "default"]
    assert {p["by"] for p in lost} <= {"presumed:identifier", "presumed:random"}
    assert sum(p["lost"] for p in lost) == total["presumed"]


def test_nothing_is_written(demo):
    before = demo.rows("SELECT count(), max(run) FROM comparisons"), demo.rows("SELECT count() FROM differences")
    audit(demo, "--sample", "20")
    assert before == (demo.rows("SELECT count(), max(run) FROM comparisons"), demo.rows("SELECT count() FROM differences"))


def test_one_seed_one_result(demo):
    first = audit(demo, "--sample", "100", "--seed", "7", "-o", "json").stdout
    assert audit(demo, "--sample", "100", "--seed", "7", "-o", "json").stdout == first
    assert audit(demo, "--sample", "100", "--seed", "8", "-o", "json").stdout != first


def test_a_rule_that_hides_too_much_is_named(demo, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    done = audit(demo, "--config", rules, "--fail-under", "0.99", "-o", "json", code=3)
    assert "--fail-under 0.99" in done.stderr
    hidden = [p for p in json.loads(done.stdout)["places"] if p["outcome"] == "hidden"]
    assert {p["by"] for p in hidden} == {"rule:whatever-orders-hold"}
    assert {p["source"] for p in hidden} == {f"{rules}:8:7"}
    assert {p["route"] for p in hidden} == {"GET /orders/{id}"}
    assert "$.total" in {p["path"] for p in hidden}
    page = audit(demo, "--config", rules).stdout
    assert "rule:whatever-orders-hold" in page and "rules.yaml:8" in page
    assert max(len(line) for line in page.splitlines()) <= 80
    assert len(page.splitlines()) < 80


def test_csv_has_every_kind_and_route(demo):
    rows = list(csv.DictReader(io.StringIO(audit(demo, "-o", "csv").stdout)))
    assert {r["of"] for r in rows} == {"total", "kind", "route"}
    assert int(rows[0]["planted"]) == sum(int(r["planted"]) for r in rows if r["of"] == "kind")


def test_unknown_run(demo):
    done = driver.run("audit", "nobody", env=demo.env())
    assert done.returncode == 2 and "demo" in done.stderr and done.stdout == ""
