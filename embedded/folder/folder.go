// Package folder asks the operating system about a folder: how much space it
// has, whether another process uses it, who may read it. It can on Linux and macOS, the
// systems that the ClickHouse engine is built for; elsewhere all it gives is
// ErrUnsupported.
package folder

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// ErrUnsupported says that the embedded platform does not run on this operating
// system.
var ErrUnsupported = fmt.Errorf("the embedded platform does not run on %s, only on Linux and macOS; use a Kafka and a ClickHouse of your own (--kafka, --clickhouse)", runtime.GOOS)

// ErrLocked says that another process holds the lock.
var ErrLocked = errors.New("locked by another process")

// Free is how many bytes the file system of a folder has left for this user.
func Free(dir string) (uint64, error) {
	n, err := free(dir)
	if err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return n, nil
}

// Private makes what this process creates from now on readable for its own user
// alone.
func Private() { private() }

// Lock takes the advisory lock on a file, which it creates if needed, or
// returns ErrLocked. The lock ends with the process, or when unlock is called.
func Lock(path string, mode os.FileMode) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, mode)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}
