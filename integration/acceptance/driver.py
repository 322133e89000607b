"""Runs the built binary as a person would: arguments in, exit code, stdout and
stderr out. Nothing here knows the inside of Understudy."""

import os
import pathlib
import queue
import signal
import socket
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("UNDERSTUDY_BIN", ROOT / "bin" / "understudy")).resolve()


def environment(**extra):
    """The environment without settings of Understudy but the given ones."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("UNDERSTUDY_")}
    env.update({k: str(v) for k, v in extra.items()})
    return env


def run(*args, timeout=60, env=None, stdin=None, cwd=None):
    """Runs one command to its end, output in pipes."""
    return subprocess.run(
        [BINARY, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=env or environment(),
        stdin=subprocess.DEVNULL if stdin is None else None,
        input=stdin,
        cwd=cwd,
    )


def free_port():
    """A port on loopback that nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, seconds=30, process=None):
    """Waits until something listens on the port, or the process ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process is not None and process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing listens on 127.0.0.1:{port}")


class Process:
    """A command that goes on running. Its output is collected as it comes."""

    def __init__(self, argv, env=None, cwd=None):
        self.child = subprocess.Popen(
            [str(a) for a in argv],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env=env or environment(),
            cwd=cwd,
            start_new_session=True,
        )
        self.lines = {"stdout": [], "stderr": []}
        self.news = queue.Queue()
        self.readers = [
            threading.Thread(target=self._read, args=(name,), daemon=True) for name in self.lines
        ]
        for reader in self.readers:
            reader.start()

    def _read(self, name):
        for line in getattr(self.child, name):
            self.lines[name].append(line)
            self.news.put(line)
        self.news.put(None)

    def text(self, name):
        return "".join(self.lines[name])

    def wait_for(self, part, seconds=60):
        """Waits for a line, on stdout or stderr, that contains part."""
        end, closed = time.monotonic() + seconds, 0
        while closed < 2:
            try:
                line = self.news.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                break
            if line is None:
                closed += 1
            elif part in line:
                return line
        raise AssertionError(
            f"no {part!r} within {seconds} s\nstdout:\n{self.text('stdout')}\nstderr:\n{self.text('stderr')}"
        )

    def interrupt(self, seconds=30):
        """Sends what Ctrl-C sends, waits, and gives the exit code."""
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGINT)
        return self.wait(seconds)

    def wait(self, seconds=60):
        code = self.child.wait(timeout=seconds)
        for reader in self.readers:
            reader.join(5)
        return code

    def close(self):
        """Ends the process whatever it does."""
        try:
            self.interrupt()
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()


def start(*args, env=None, cwd=None):
    """Starts a command of the binary that goes on running."""
    return Process([BINARY, *args], env=env, cwd=cwd)


class Platform:
    """A running `understudy dev` on free ports, with its data in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.kafka_port, self.http_port, self.native_port = free_port(), free_port(), free_port()
        self.kafka = f"127.0.0.1:{self.kafka_port}"
        self.clickhouse = f"clickhouse://127.0.0.1:{self.native_port}/understudy"
        self.http = f"http://127.0.0.1:{self.http_port}"
        self.process = None

    def env(self, **extra):
        """Settings that let every command find this platform."""
        return environment(UNDERSTUDY_KAFKA=self.kafka, UNDERSTUDY_CLICKHOUSE=self.clickhouse, UNDERSTUDY_CLICKHOUSE_HTTP=self.http, **extra)

    def listen_flags(self):
        return [
            "--data-dir", self.folder,
            "--kafka-listen", self.kafka,
            "--clickhouse-http-listen", f"127.0.0.1:{self.http_port}",
            "--clickhouse-native-listen", f"127.0.0.1:{self.native_port}",
        ]

    def start(self):
        # The first start may have to download the engine.
        self.process = start("dev", *self.listen_flags())
        for port in (self.kafka_port, self.http_port, self.native_port):
            wait_for_port(port, seconds=600, process=self.process.child)
        return self

    def run(self, *args, **kwargs):
        """Runs one command against this platform; it must succeed."""
        done = run(*args, env=self.env(), **kwargs)
        assert done.returncode == 0, f"{args}: exit {done.returncode}\n{done.stderr}\n{done.stdout}"
        return done.stdout

    def rows(self, query):
        """The rows of a query, by ClickHouse's own client for Python."""
        import clickhouse_connect

        client = clickhouse_connect.get_client(host="127.0.0.1", port=self.http_port, database="understudy")
        try:
            return client.query(query).result_rows
        finally:
            client.close()

    def stop(self):
        return self.process.interrupt()
