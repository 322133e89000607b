"""What the report tells a person to do, and what scripts get."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import termios

import pytest
import requests

import driver
import services


@pytest.fixture(scope="module")
def recorded(platform):
    """30 exchanges of a baseline, and the baseline, which serves as candidate."""
    platform.run("topics", "apply")
    with services.echo() as (url, _):
        port = driver.free_port()
        recorder = driver.start(
            "record", "--listen", f"127.0.0.1:{port}", "--baseline", url, "--instance", "of-reports", env=platform.env()
        )
        try:
            driver.wait_for_port(port, process=recorder.child)
            for i in range(30):
                requests.get(f"http://127.0.0.1:{port}/things{i}", timeout=10)
            assert recorder.interrupt() == 0
        finally:
            recorder.close()
        yield url


def run(platform, *args):
    return driver.run(*args, env=platform.env())


def test_from_the_replay_to_the_verdicts(platform, recorded):
    replay = run(platform, "replay", "--run", "told", "--candidate", recorded, "--onto-baseline", "--speed", "50", "--recorder", "of-reports")
    assert replay.returncode == 0, replay.stderr
    assert "answered 30 (100 %), transport errors 0 (0 %)" in replay.stdout

    early = run(platform, "report", "told")
    assert early.returncode == 2 and "understudy compare --run told" in early.stderr, early.stderr

    listed = run(platform, "runs", "list")
    assert listed.returncode == 0 and "told" in listed.stdout and "known to Kafka only" in listed.stderr, listed.stderr

    judged = run(platform, "compare", "--run", "told", "--fail-on", "mismatch>0,lost>0")
    assert judged.returncode == 0, judged.stderr
    assert "Run told: 100 % of 30 selected match." in judged.stdout
    assert "next: understudy report told" in judged.stderr
    assert "\x1b" not in judged.stderr, "no status line in a pipe"


def test_dead_candidate_and_conditions(platform, recorded):
    address = f"http://127.0.0.1:{driver.free_port()}"
    replay = run(platform, "replay", "--run", "dead", "--candidate", address, "--speed", "50", "--recorder", "of-reports")
    assert replay.returncode == 1 and "transport errors 30 (100 %)" in replay.stdout, replay.stderr

    judged = run(platform, "compare", "--run", "dead", "--fail-on", "error>10%,lost>0")
    assert judged.returncode == 3, judged.stderr
    assert "run dead: error>10%: 30 of 30 selected, 100 %" in judged.stderr and "lost>0" not in judged.stderr

    report = run(platform, "report", "dead")
    assert report.returncode == 0
    assert report.stdout.startswith("NO ANSWER: No answer came from " + address)
    assert f"understudy replay --run dead-2 --candidate {address} --speed 50\n" in report.stdout

    as_json = run(platform, "report", "dead", "-o", "json", "--fail-on", "match<=99.9%")
    assert as_json.returncode == 3 and "match<=99.9%: 0 of 30 selected, 0 %" in as_json.stderr
    assert [d["name"] for d in json.loads(as_json.stdout)["diagnoses"]] == ["unreachable"]

    wrong = run(platform, "report", "dead", "--fail-on", "error>10%, mismatsh>0")
    assert wrong.returncode == 2 and "column 12" in wrong.stderr and "mismatch" in wrong.stderr and wrong.stdout == ""


def test_routes_are_folded(platform, recorded):
    page = run(platform, "report", "dead").stdout
    assert "and 10 more routes" in page, page
    assert "more routes" not in run(platform, "report", "dead", "--all").stdout
    assert "and 27 more routes" in run(platform, "report", "dead", "--routes", "3").stdout
    assert len(json.loads(run(platform, "report", "dead", "-o", "json").stdout)["routes"]) == 30


def test_a_terminal_of_80_columns(platform, recorded):
    """Progress while it runs, nothing of it left at the end, no line too long."""
    for args in (
        ["replay", "--run", "shown", "--candidate", recorded, "--onto-baseline", "--speed", "1", "--recorder", "of-reports"],
        ["compare", "--run", "shown"],
        ["report", "shown"],
    ):
        code, text = on_terminal(platform, *args)
        assert code == 0, text
        if args[0] != "report":
            assert "\r\x1b[K" in text, "a status line"
        for line in text.replace("\r\x1b[K", "\n").replace("\r\n", "\n").split("\n"):
            assert len(line) <= 80 or line.startswith("time="), line


def on_terminal(platform, *args, lines=24, columns=80):
    """The exit code and the output of a command on a terminal of its own."""
    user, program = pty.openpty()
    fcntl.ioctl(program, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    child = subprocess.Popen(
        [driver.BINARY, *args], stdin=program, stdout=program, stderr=program, env=platform.env(), start_new_session=True
    )
    os.close(program)
    out = b""
    try:
        while part := os.read(user, 65536):
            out += part
    except OSError:  # the other end is closed
        pass
    os.close(user)
    return child.wait(60), out.decode()
