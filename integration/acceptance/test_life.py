"""Beginning and ending: what Ctrl-C leaves behind."""

import os
import re
import signal
import time

import requests

import driver
import services


def clean(process):
    """No stack trace, whatever the exit code."""
    err = process.text("stderr")
    assert "panic" not in err and "goroutine " not in err, err


def test_dev_ends_in_order(tmp_path):
    p = driver.Platform(tmp_path)
    p.start()
    try:
        assert p.stop() == 0
        clean(p.process)
    finally:
        p.process.close()


def test_record_passes_traffic_and_ends_in_order(platform, background):
    platform.run("topics", "apply")
    port = driver.free_port()
    with services.echo() as (url, seen):
        recorder = background("record", "--listen", f"127.0.0.1:{port}", "--baseline", url, env=platform.env())
        driver.wait_for_port(port, process=recorder.child)
        with requests.Session() as session:
            for i in range(20):
                w = session.get(f"http://127.0.0.1:{port}/things/{i}?q=a;b=%20c", timeout=10)
                assert w.json() == {"path": f"/things/{i}?q=a;b=%20c"}
        assert len(seen) == 20
        assert recorder.interrupt() == 0, recorder.text("stderr")
        clean(recorder)


def test_recording_goes_on_while_kafka_is_away(tmp_path, background):
    """Live traffic waits for nobody: the broker is stopped in the middle."""
    p = driver.Platform(tmp_path)
    p.start()
    try:
        p.run("topics", "apply")
        port = driver.free_port()
        with services.echo() as (url, seen):
            recorder = background("record", "--listen", f"127.0.0.1:{port}", "--baseline", url, env=p.env())
            driver.wait_for_port(port, process=recorder.child)
            requests.get(f"http://127.0.0.1:{port}/before", timeout=10)
            assert p.stop() == 0
            for i in range(20):
                assert requests.get(f"http://127.0.0.1:{port}/during/{i}", timeout=10).status_code == 200
            assert len(seen) == 21
            recorder.interrupt(60)
            clean(recorder)
    finally:
        p.process.close()


def test_replay_can_be_interrupted(platform, background):
    platform.run("topics", "apply")
    port = driver.free_port()
    with services.echo() as (url, seen):
        recorder = background("record", "--listen", f"127.0.0.1:{port}", "--baseline", url, env=platform.env())
        driver.wait_for_port(port, process=recorder.child)
        for i in range(5):
            requests.get(f"http://127.0.0.1:{port}/slowly/{i}", timeout=10)
            time.sleep(0.2)
        assert recorder.interrupt() == 0
        recorded = len(seen)
        # At a fiftieth of the speed this run would take most of a minute.
        replay = background("replay", "--run", "interrupted", "--candidate", url, "--onto-baseline", "--speed", "0.02", env=platform.env())
        end = time.monotonic() + 60
        while len(seen) == recorded and time.monotonic() < end and replay.child.poll() is None:
            time.sleep(0.05)
        assert len(seen) > recorded, replay.text("stderr")
        replay.interrupt(30)
        clean(replay)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", replay.text("stdout") + replay.text("stderr"))


def start_recorder(platform, background, url):
    port = driver.free_port()
    recorder = background("record", "--listen", f"127.0.0.1:{port}", "--baseline", url, env=platform.env())
    driver.wait_for_port(port, process=recorder.child)
    return recorder, port


def test_two_signals_at_once_are_one(platform, background):
    """GNU timeout sends its signal to the process and to its group."""
    platform.run("topics", "apply")
    with services.echo() as (url, _):
        recorder, port = start_recorder(platform, background, url)
        assert requests.get(f"http://127.0.0.1:{port}/one", timeout=10).status_code == 200
        for _ in range(2):
            os.kill(recorder.child.pid, signal.SIGTERM)
        assert recorder.wait() == 0, recorder.text("stderr")
        err = recorder.text("stderr")
        assert "stopping; waiting for requests under way" in err, err
        assert "served=1 recorded=1 dropped=0" in err, err
        clean(recorder)


def test_hang_up_is_a_stop(platform, background):
    platform.run("topics", "apply")
    with services.echo() as (url, _):
        recorder, port = start_recorder(platform, background, url)
        assert requests.get(f"http://127.0.0.1:{port}/one", timeout=10).status_code == 200
        os.kill(recorder.child.pid, signal.SIGHUP)
        assert recorder.wait() == 0, recorder.text("stderr")
        assert "served=1 recorded=1 dropped=0" in recorder.text("stderr")
        clean(recorder)
