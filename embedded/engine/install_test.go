package engine

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// tarball makes a package with a library of random bytes, which gzip cannot
// make smaller.
func tarball(t *testing.T, size int) (zipped, library []byte) {
	t.Helper()
	library = make([]byte, size)
	_, _ = rand.Read(library)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, data := range map[string][]byte{"package/package.json": []byte("{}"), "package/libchdb.so": library} {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), library
}

// registry serves packages with a function, and puts an npm into PATH that
// names it. The bytes of pinned are what is expected to come.
func registry(t *testing.T, pinned []byte, serve http.HandlerFunc) InstallConfig {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	npm(t, "#!/bin/sh\n[ \"$1 $2 $3\" = \"view fake@"+Version+" dist.tarball\" ] && echo '\""+server.URL+"/lib.tgz\"'\n")
	pin(t, pinned)
	return InstallConfig{CacheDir: t.TempDir()}
}

func npm(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if script != "" {
		if err := os.WriteFile(filepath.Join(dir, "npm"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Setenv(EnvLibrary, "")
}

func pin(t *testing.T, data []byte) {
	t.Helper()
	platform, sum := runtime.GOOS+"/"+runtime.GOARCH, sha512.Sum512(data)
	before := packages[platform]
	t.Cleanup(func() { packages[platform] = before })
	packages[platform] = struct{ name, integrity string }{"fake", "sha512-" + base64.StdEncoding.EncodeToString(sum[:])}
}

// left gives the names of the files in the cache but the lock.
func left(t *testing.T, c InstallConfig) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(c.CacheDir, Version, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		if name := filepath.Base(f); name != "libchdb.so.lock" {
			names = append(names, name)
		}
	}
	return names
}

func wantFailure(ctx context.Context, t *testing.T, c InstallConfig, want string) {
	t.Helper()
	path, err := Install(ctx, c)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %s, %v, want an error with %q", path, err, want)
	}
	if names := left(t, c); len(names) > 0 {
		t.Errorf("left behind: %q", names)
	}
	if _, ok := Installed(c); ok {
		t.Error("it says it is installed")
	}
}

func TestInstall(t *testing.T) {
	data, want := tarball(t, 1<<20)
	c := registry(t, data, func(w http.ResponseWriter, _ *http.Request) { w.Write(data) })
	if err := os.MkdirAll(filepath.Join(c.CacheDir, Version), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.CacheDir, Version, "libchdb-1.part"), []byte("of a killed one"), 0o644); err != nil {
		t.Fatal(err)
	}
	var done int64
	c.Progress = func(n, _ int64) { done = n }
	path, err := Install(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d other bytes, %v", len(got), err)
	}
	if names := left(t, c); len(names) != 1 || done != int64(len(data)) {
		t.Errorf("files %q, progress up to %d of %d", names, done, len(data))
	}
}

func TestInstallRefusesOtherBytes(t *testing.T) {
	data, _ := tarball(t, 1<<20)
	other, _ := tarball(t, 1<<20)
	wantFailure(t.Context(), t, registry(t, data, func(w http.ResponseWriter, _ *http.Request) { w.Write(other) }), "checksum mismatch")
	none := bytes.NewBuffer(nil)
	z := gzip.NewWriter(none)
	_ = z.Close()
	wantFailure(t.Context(), t, registry(t, none.Bytes(), func(w http.ResponseWriter, _ *http.Request) { w.Write(none.Bytes()) }), "holds no libchdb.so")
	wantFailure(t.Context(), t, registry(t, data, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }), "unpack")
	wantFailure(t.Context(), t, registry(t, data, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }), "404 Not Found")
}

func TestInstallThatBreaksOff(t *testing.T) {
	data, _ := tarball(t, 1<<20)
	c := registry(t, data, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1048576")
		w.Write(data[:len(data)/2])
	})
	wantFailure(t.Context(), t, c, "broke off")
	c = registry(t, data, func(w http.ResponseWriter, _ *http.Request) { w.Write(data[:len(data)/2]) })
	wantFailure(t.Context(), t, c, "broke off")
}

func TestInstallWithoutNpm(t *testing.T) {
	npm(t, "")
	pin(t, nil)
	wantFailure(t.Context(), t, InstallConfig{CacheDir: t.TempDir()}, "install Node.js")
	npm(t, "#!/bin/sh\necho E404 >&2\nexit 1\n")
	wantFailure(t.Context(), t, InstallConfig{CacheDir: t.TempDir()}, "E404")
	npm(t, "#!/bin/sh\necho '{\"error\":{\"code\":\"ENOTFOUND\",\"summary\":\"no such host\",\"detail\":\"long\"}}'\nexit 1\n")
	wantFailure(t.Context(), t, InstallConfig{CacheDir: t.TempDir()}, ": no such host (exit status 1); is the network up")
	npm(t, "#!/bin/sh\necho what\n")
	wantFailure(t.Context(), t, InstallConfig{CacheDir: t.TempDir()}, "want the address")
}

// Ctrl-C ends the context.
func TestInstallInterrupted(t *testing.T) {
	data, _ := tarball(t, 4<<20)
	c := registry(t, data, func(w http.ResponseWriter, r *http.Request) {
		w.Write(data[:len(data)/2])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Progress = func(done, _ int64) {
		if done > 1<<20 {
			cancel()
		}
	}
	wantFailure(ctx, t, c, "context canceled")
}

// A registry that falls silent is not waited for for ever.
func TestInstallThatStalls(t *testing.T) {
	data, _ := tarball(t, 1<<20)
	defer func(d time.Duration) { stallLimit = d }(stallLimit)
	stallLimit = 100 * time.Millisecond
	f := func(serve http.HandlerFunc) {
		t.Helper()
		wantFailure(t.Context(), t, registry(t, data, serve), "sent nothing for too long")
	}
	f(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	f(func(w http.ResponseWriter, r *http.Request) {
		w.Write(data[:len(data)/2])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
}

func TestTwoInstallersAtOnce(t *testing.T) {
	data, _ := tarball(t, 1<<20)
	var fetched atomic.Int32
	c := registry(t, data, func(w http.ResponseWriter, _ *http.Request) { fetched.Add(1); w.Write(data) })
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if _, err := Install(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := fetched.Load(); n != 1 {
		t.Errorf("it was fetched %d times", n)
	}
}

func TestFullDiskIsExplained(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no device that is full:", err)
	}
	defer full.Close()
	data, _ := tarball(t, 1<<20)
	err = hint(unpack(bytes.NewReader(data), full), "/cache")
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "600 MB in /cache") {
		t.Errorf("got %v", err)
	}
}
