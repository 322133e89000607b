"""The README's tour, run as it stands."""

import subprocess

import pytest

import driver
import tour


def test_blocks_are_read():
    page = """
```sh
not of the tour
```
<!-- tour:begin -->
<!-- tour:start ready="is ready" -->
```sh
understudy dev
```
<!-- tour:run exit=3 -->
```sh
one
two
```
<!-- tour:end -->
"""
    first, second = tour.blocks(page)
    assert (first.kind, first.settings, first.command) == ("start", {"ready": "is ready"}, "understudy dev")
    assert (second.kind, second.settings, second.command) == ("run", {"exit": "3"}, "one\ntwo")


@pytest.mark.parametrize(
    "page",
    [
        "nothing",
        "<!-- tour:begin -->\n```sh\nunmarked\n```\n<!-- tour:end -->",
        "<!-- tour:begin -->\n<!-- tour:run -->\n```sh\nunended",
    ],
)
def test_a_page_that_would_not_be_run_is_a_mistake(page):
    with pytest.raises(ValueError):
        tour.blocks(page)


def test_readme(tmp_path):
    page = (driver.ROOT / "README.md").read_text()
    # The tour is walked where its reader stands: at the top of the checkout.
    env = driver.environment(XDG_DATA_HOME=tmp_path / "data")
    running = []
    try:
        for block in tour.blocks(page):
            command = ["bash", "-eu", "-o", "pipefail", "-c", block.command]
            where = f"README.md line {block.line}: {block.command}"
            if block.kind == "start":
                process = driver.Process(["bash", "-c", "exec " + block.command], env=env, cwd=driver.ROOT)
                running.append((where, process))
                process.wait_for(block.settings["ready"], seconds=600)
                continue
            done = subprocess.run(
                command, env=env, cwd=driver.ROOT, text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=300
            )
            assert done.returncode == int(block.settings.get("exit", 0)), f"{where}\n{done.stderr}\n{done.stdout}"
        while running:
            where, process = running.pop()
            assert process.interrupt() == 0, f"{where}\n{process.text('stderr')}"
    finally:
        for _, process in reversed(running):
            process.close()
