"""What a person gets who typed something wrong, or whose platform is away."""

import re
import time

import pytest

import driver

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

COMMANDS = ["dev", "topics", "migrate", "record", "replay", "compare", "report", "runs", "import", "sql", "demo"]


def test_help_names_every_command():
    done = driver.run("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert re.search(rf"^\s+{command}\b", done.stdout, re.M), f"{command} is not in the help"


@pytest.mark.parametrize("command", COMMANDS)
def test_unknown_flag(command):
    done = driver.run(command, "--no-such-flag")
    assert done.returncode == 2
    assert "--no-such-flag" in done.stderr
    assert f"understudy {command}" in done.stderr and "--help" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command(command):
    done = driver.run(command, "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout


def test_unknown_command_with_a_hint():
    done = driver.run("replai")
    assert done.returncode == 2
    assert "replay" in done.stderr, "the command that was probably meant"


def test_a_value_that_a_flag_does_not_take():
    done = driver.run("replay", "--run", "r", "--candidate", "http://127.0.0.1:1", "--speed", "fast")
    assert done.returncode == 2
    assert "speed" in done.stderr and "fast" in done.stderr


def test_unknown_key_in_the_configuration(tmp_path):
    file = tmp_path / "understudy.yaml"
    file.write_text("log:\n  level: info\nreplay:\n  no_such_key: 1\n")
    done = driver.run("--config", file, "report", "run")
    assert done.returncode == 2
    assert "no_such_key" in done.stderr
    # goccy/go-yaml prints [line:column].
    assert re.search(r"\b4\b.{0,12}\b3\b", done.stderr), "line and column"


def test_wrong_type_in_the_configuration(tmp_path):
    file = tmp_path / "understudy.yaml"
    file.write_text("log:\n  level: [a, list]\n")
    done = driver.run("--config", file, "report", "run")
    assert done.returncode == 2
    assert re.search(r"\b2\b", done.stderr), "the line"


def test_a_configuration_that_does_not_exist(tmp_path):
    done = driver.run("--config", tmp_path / "none.yaml", "report", "run")
    assert done.returncode == 2
    assert "none.yaml" in done.stderr


DEAD = [
    ("topics", "apply"),
    ("record", "--require-kafka", "--listen", "127.0.0.1:0", "--baseline", "http://127.0.0.1:1"),
    ("replay", "--run", "r", "--candidate", "http://127.0.0.1:1"),
    ("compare",),
]


@pytest.mark.parametrize("args", DEAD, ids=lambda args: args[0])
def test_kafka_is_away(args):
    address = f"127.0.0.1:{driver.free_port()}"
    begin = time.monotonic()
    done = driver.run(*args, env=driver.environment(UNDERSTUDY_KAFKA=address), timeout=30)
    assert done.returncode == 4, done.stderr
    assert address in done.stderr
    assert time.monotonic() - begin < 10, "a person waits for this"


@pytest.mark.parametrize("args", [("migrate",), ("report", "r"), ("sql", "SELECT 1"), ("runs", "balance", "r")],
                         ids=lambda args: args[0])
def test_clickhouse_is_away(args):
    address = f"127.0.0.1:{driver.free_port()}"
    begin = time.monotonic()
    env = driver.environment(UNDERSTUDY_CLICKHOUSE=f"clickhouse://{address}/understudy")
    done = driver.run(*args, env=env, timeout=30)
    assert done.returncode == 4, done.stderr
    assert address in done.stderr
    assert time.monotonic() - begin < 10, "a person waits for this"


def test_a_secret_in_an_address_is_not_printed():
    address = f"127.0.0.1:{driver.free_port()}"
    env = driver.environment(UNDERSTUDY_CLICKHOUSE=f"clickhouse://someone:verysecret@{address}/understudy")
    done = driver.run("sql", "SELECT 1", env=env, timeout=30)
    assert done.returncode == 4
    assert "verysecret" not in done.stderr + done.stdout


def test_pipes_get_no_control_characters():
    for args in (["--help"], ["--version"], ["replay", "--help"], ["nonsense"]):
        done = driver.run(*args)
        assert not CONTROL.search(done.stdout + done.stderr), args


def test_completion_knows_runs_and_routes(platform):
    """What a shell asks when a person presses Tab, on the tables themselves."""
    platform.run("migrate")
    platform.run("sql", "INSERT INTO runs (name, state, candidate) VALUES ('tabbed', 'completed', 'http://127.0.0.1:9')")
    platform.run("sql", "INSERT INTO stored_comparisons (run, route, verdict, closed_time) VALUES ('tabbed', 'GET /tabbed/{id}', 'match', now())")
    for words in (["report", "tab"], ["runs", "balance", "tab"], ["compare", "--run", "tab"]):
        assert "tabbed\tcompleted, http://127.0.0.1:9" in platform.run("__complete", *words), words
    assert "/tabbed/{id}\n" in platform.run("__complete", "record", "--route", "/tab")
