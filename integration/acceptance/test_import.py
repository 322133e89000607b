"""Files that people have, whole and broken."""

import json
import re

import driver

LINE = '127.0.0.1 - - [24/Nov/2026:10:00:%02d +0000] "GET /things/%d HTTP/1.1" 200 512 "-" "curl/8.0"\n'


def test_access_log(platform, tmp_path):
    platform.run("topics", "apply")
    file = tmp_path / "access.log"
    file.write_text("".join(LINE % (i, i) for i in range(10)))
    done = driver.run("import", "--format", "combined", file, env=platform.env())
    assert done.returncode == 0, done.stderr
    assert re.search(r"\b10\b", done.stdout + done.stderr)


def test_bad_lines_are_named_and_the_good_ones_kept(platform, tmp_path):
    platform.run("topics", "apply")
    file = tmp_path / "broken.log"
    file.write_text(LINE % (0, 0) + "no line of a log\n" + LINE % (1, 1) + (LINE % (2, 2))[:40])
    done = driver.run("import", "--format", "combined", file, env=platform.env())
    said = done.stdout + done.stderr
    assert done.returncode in (1, 3), said
    assert re.search(r"line 2\b|:2\b", said), "the line that is wrong"
    assert re.search(r"line 4\b|:4\b", said), "the line that is cut"
    assert "no line of a log" not in said, "what a line holds is not ours to print"
    assert re.search(r"\b2\b", said), "how many were kept"


def test_a_truncated_json_file(platform, tmp_path):
    platform.run("topics", "apply")
    whole = json.dumps([{"scope": "https://api.example.com:443", "method": "GET", "path": "/a", "body": "",
                         "status": 200, "response": {"a": 1}, "headers": {}}])
    file = tmp_path / "fixture.json"
    file.write_text(whole[:-20])
    done = driver.run("import", "--format", "nock", file, env=platform.env())
    assert done.returncode == 1, done.stdout + done.stderr
    assert "fixture.json" in done.stderr


def test_a_file_that_does_not_exist(platform, tmp_path):
    done = driver.run("import", "--format", "combined", tmp_path / "none.log", env=platform.env())
    assert done.returncode in (1, 2)
    assert "none.log" in done.stderr
