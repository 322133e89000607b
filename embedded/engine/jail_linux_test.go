package engine_test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestConfinedWhereTheKernelCan: a jail that is never made would let the tests
// of it be skipped.
func TestConfinedWhereTheKernelCan(t *testing.T) {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if can := errno == 0 && version >= 2; can != clickhouse.Confined() && os.Getenv("ENGINE_TEST_UNCONFINED") == "" {
		t.Errorf("Landlock version %d (%v), but confined is %v", version, errno, clickhouse.Confined())
	}
}
