"""The embedded platform, seen by the clients people have."""

import json
import re
import subprocess

import clickhouse_connect
import clickhouse_driver
import pytest
import requests

import driver

TOP = "SELECT route, path, kind, count() FROM discrepancies GROUP BY ALL ORDER BY 4 DESC LIMIT 10 FORMAT PrettyCompact"


def test_curl(platform):
    done = subprocess.run(
        ["curl", "-sS", "--fail-with-body", platform.http, "--data-binary", "SELECT 6 * 7 AS answer FORMAT JSONEachRow"],
        capture_output=True, text=True, timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"answer": 42}


def test_errors_carry_their_code(platform):
    w = requests.post(platform.http, data="SELECT no_such_column", timeout=30)
    assert w.status_code in (400, 404)
    assert w.headers["X-ClickHouse-Exception-Code"] == "47"


def test_parameters(platform):
    w = requests.post(platform.http, params={"param_n": "20"}, data="SELECT {n:UInt8} + 1", timeout=30)
    assert w.text.strip() == "21"


def test_python_over_http(platform):
    client = clickhouse_connect.get_client(host="127.0.0.1", port=platform.http_port)
    try:
        assert client.query("SELECT number FROM numbers(3)").result_rows == [(0,), (1,), (2,)]
    finally:
        client.close()


def test_python_over_the_native_protocol(platform):
    client = clickhouse_driver.Client("127.0.0.1", port=platform.native_port)
    try:
        assert client.execute("SELECT toString(number), number FROM numbers(2)") == [("0", 0), ("1", 1)]
        with pytest.raises(clickhouse_driver.errors.ServerException) as failure:
            client.execute("SELECT no_such_column")
        assert failure.value.code == 47
    finally:
        client.disconnect()


def test_the_tables_are_there_and_sql_answers(platform):
    platform.run("migrate")
    platform.run("sql", TOP)
    tables = platform.run("sql", "SHOW TABLES FROM understudy").split()
    assert {"comparisons", "discrepancies"} <= set(tables)


def test_sql_that_is_wrong(platform):
    done = driver.run("sql", "SELECT no_such_column", env=platform.env())
    assert done.returncode == 1
    assert "no_such_column" in done.stderr and "47" in done.stderr


def test_topics_can_be_applied_twice(platform):
    platform.run("topics", "apply")
    platform.run("topics", "apply")


def test_output_in_a_pipe_has_no_control_characters(platform):
    out = platform.run("sql", TOP)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", out)


def test_data_survive_a_restart(tmp_path):
    p = driver.Platform(tmp_path)
    p.start()
    try:
        p.run("migrate")
        p.run("sql", "CREATE TABLE default.kept (n UInt8) ENGINE = MergeTree ORDER BY n")
        p.run("sql", "INSERT INTO default.kept VALUES (7)")
        assert p.stop() == 0
        p.start()
        assert p.rows("SELECT n FROM default.kept") == [(7,)]
        assert p.stop() == 0
    finally:
        p.process.close()
