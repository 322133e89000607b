package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"understudy.dev/embedded/folder"
)

// Version of the engine's npm packages.
const Version = "26.7.3-stable.1"

// EnvLibrary names a libchdb.so to use instead of an installed one.
const EnvLibrary = "UNDERSTUDY_CHDB_LIB"

// packages are the npm packages by GOOS/GOARCH, each with the SHA-512 of its
// tarball (npm's "integrity"), so that what is loaded into the process is what
// was tested, whatever the registry says.
var packages = map[string]struct{ name, integrity string }{
	"linux/amd64": {"@chdb/lib-linux-x64-gnu", "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw=="},
}

// tarballBytes bounds what is accepted from the network, libraryBytes what is
// unpacked.
const (
	tarballBytes = 512 << 20
	libraryBytes = 2 << 30
)

// InstallConfig says where the library is kept.
type InstallConfig struct {
	// CacheDir is where installed versions live; empty is the user's cache
	// folder, understudy/chdb.
	CacheDir string
	// Progress, if not nil, is told the bytes fetched so far and in all (0
	// when unknown).
	Progress func(done, total int64)
}

// Installed returns the path of the library if Install would not have to fetch
// it.
func Installed(c InstallConfig) (path string, ok bool) {
	if path := os.Getenv(EnvLibrary); path != "" {
		return path, true
	}
	path, err := libraryPath(c)
	if err != nil {
		return "", false
	}
	_, err = os.Stat(path)
	return path, err == nil
}

func libraryPath(c InstallConfig) (string, error) {
	dir := c.CacheDir
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("cache folder for the ClickHouse engine: %w; set %s to a libchdb.so", err, EnvLibrary)
		}
		dir = filepath.Join(cache, "understudy", "chdb")
	}
	return filepath.Join(dir, Version, "libchdb.so"), nil
}

// Install returns the path of libchdb.so, which it fetches the first time: the
// npm client says where the package's tarball is (so a mirror or a proxy that
// npm knows is used), the tarball is checked against the pinned SHA-512, and
// the library appears under its name only when it is whole. Two processes that
// install at once wait for each other.
func Install(ctx context.Context, c InstallConfig) (string, error) {
	if path, ok := Installed(c); ok {
		return path, nil
	}
	path, err := libraryPath(c)
	if err != nil {
		return "", err
	}
	pkg, ok := packages[runtime.GOOS+"/"+runtime.GOARCH]
	if !ok {
		return "", fmt.Errorf("no ClickHouse engine is pinned for %s/%s; use a ClickHouse server (--clickhouse), or set %s to a libchdb of version %s",
			runtime.GOOS, runtime.GOARCH, EnvLibrary, Version)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("cache folder for the ClickHouse engine: %w", err)
	}
	unlock, err := lock(ctx, path+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(path); err == nil { // another process was faster
		return path, nil
	}
	if err := sweep(filepath.Dir(path)); err != nil {
		return "", err
	}
	url, err := tarballURL(ctx, pkg.name)
	if err != nil {
		return "", err
	}
	if err := fetch(ctx, url, pkg.integrity, path, c.Progress); err != nil {
		return "", fmt.Errorf("install the ClickHouse engine %s@%s: %w", pkg.name, Version, hint(err, filepath.Dir(path)))
	}
	return path, nil
}

// partPattern names the files of installations that are under way.
const partPattern = "libchdb-*.part"

// sweep removes what an installation left that was killed. The caller holds
// the lock.
func sweep(dir string) error {
	parts, err := filepath.Glob(filepath.Join(dir, partPattern))
	if err != nil {
		return fmt.Errorf("look for parts of the ClickHouse engine in %s: %w", dir, err)
	}
	for _, part := range parts {
		if err := os.Remove(part); err != nil {
			return fmt.Errorf("remove what an earlier installation left: %w", err)
		}
	}
	return nil
}

// hint says what to do about a failure that the user can end.
func hint(err error, dir string) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w; the engine needs 600 MB in %s: free some, or choose another folder (cache_dir)", err, dir)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: the download broke off and nothing was installed; try again", err)
	}
	return err
}

// lock takes an advisory lock on a file, waiting for its holder.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	for {
		unlock, err := folder.Lock(path, 0o644)
		if err == nil {
			return unlock, nil
		}
		if !errors.Is(err, folder.ErrLocked) {
			return nil, fmt.Errorf("install the ClickHouse engine: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for another process that installs the ClickHouse engine: %w", ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}
