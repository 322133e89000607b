package folder_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"understudy.dev/embedded/folder"
)

func TestFree(t *testing.T) {
	if n, err := folder.Free(t.TempDir()); err != nil || n == 0 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := folder.Free("/does/not/exist"); err == nil || !strings.Contains(err.Error(), "/does/not/exist") {
		t.Errorf("got %v", err)
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := folder.Lock(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Lock(path, 0o600); !errors.Is(err, folder.ErrLocked) {
		t.Errorf("got %v while it is locked", err)
	}
	unlock()
	unlock, err = folder.Lock(path, 0o600)
	if err != nil {
		t.Fatalf("after it was unlocked: %v", err)
	}
	unlock()
	if _, err := folder.Lock(filepath.Join(path, "none"), 0o600); err == nil || errors.Is(err, folder.ErrLocked) {
		t.Errorf("got %v where no file can be", err)
	}
}
