"""The demo's second act: users move over, and the gate rolls back by itself."""

import json

import driver


def test_users_move_over_and_nobody_notices():
    done = driver.run("demo", "migration", "-o", "json", timeout=900)
    assert done.returncode == 0, done.stderr
    story = json.loads(done.stdout)
    steps = [(s["action"], s["stage"]) for s in story["timeline"]]
    assert steps == [
        ("create", "off"), ("promote", "shadow"), ("promote", "canary:1%"), ("promote", "canary:10%"),
        ("rollback", "canary:10%"), ("resume", "shadow"), ("promote", "canary:1%"), ("promote", "canary:10%"),
        ("promote", "canary:50%"), ("promote", "live"), ("promote", "complete"),
    ]
    by_gate = [s for s in story["timeline"] if s["why"].startswith("gate: ")]
    assert len(by_gate) == 7 and all(s["requests"] > 0 and s["who"].startswith("controller@") for s in by_gate)
    assert "mismatch" in story["timeline"][4]["why"]
    assert story["client_errors"] == story["doubled_effects"] == 0
    # Only the canary was lied to, and only until the rollback.
    assert 0 < story["affected"] < story["by_candidate"] < story["requests"]
    assert 0 < story["last_lie_seconds"] < story["rollback_seconds"] + 5
