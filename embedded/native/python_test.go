package native

import (
	"net"
	"os"
	"os/exec"
	"testing"
)

// envPython names the Python that has clickhouse-driver with lz4 and zstd;
// without it python3 is tried.
const envPython = "UNDERSTUDY_TEST_PYTHON"

// testPython takes a tour with clickhouse-driver, where it is installed; in CI it
// must be.
func testPython(t *testing.T, address string) {
	python := os.Getenv(envPython)
	if python == "" {
		python = "python3"
	}
	if out, err := exec.CommandContext(t.Context(), python, "-c", "import clickhouse_driver, lz4, zstd, clickhouse_cityhash").CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s has no clickhouse-driver with compression (set %s): %v %.200s", python, envPython, err, out)
		}
		t.Skipf("%s has no clickhouse-driver with compression (set %s): %.200s", python, envPython, out)
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	for name := range allMethods {
		if out, err := exec.CommandContext(t.Context(), python, "testdata/clickhouse_driver_tour.py", port, name).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
