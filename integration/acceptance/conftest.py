import pytest

import driver


def pytest_configure(config):
    if not driver.BINARY.exists():
        raise pytest.UsageError(f"{driver.BINARY} does not exist: run make build, or set UNDERSTUDY_BIN")


@pytest.fixture(scope="session")
def platform(tmp_path_factory):
    """One embedded platform for all tests that only add to it."""
    p = driver.Platform(tmp_path_factory.mktemp("platform"))
    try:
        yield p.start()
    finally:
        if p.process:
            p.process.close()


@pytest.fixture
def background():
    """Starts processes that end with the test."""
    started = []

    def start(*args, **kwargs):
        started.append(driver.start(*args, **kwargs))
        return started[-1]

    yield start
    for process in reversed(started):
        process.close()
