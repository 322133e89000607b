package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrLocked says that another process has the folder.
var ErrLocked = errors.New("another process has it")

// Lock makes the folder if it is missing and takes it for this process, until
// the file is closed or the process ends, however it ends. The error wraps
// ErrLocked when another one has it.
func Lock(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	if err := lockFile(f); err != nil {
		f.Close()
		if errors.Is(err, errors.ErrUnsupported) {
			return nil, fmt.Errorf("spool %s: this system has no file locks: %w", dir, err)
		}
		return nil, fmt.Errorf("spool %s: %w", dir, ErrLocked)
	}
	return f, nil
}

func isAny(err error, targets ...error) bool {
	for _, t := range targets {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}
