package kafkatest

import (
	"bufio"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:embed pom.xml
var pom []byte

// checksums is one "<sha256>  <file>" a line, for each jar that pom.xml
// resolves to.
//
//go:embed jars.sha256
var checksums string

// errNotInstalled is wrapped when the machine lacks a program.
var errNotInstalled = errors.New("not installed")

func isNotInstalled(err error) bool { return errors.Is(err, errNotInstalled) }

func program(name, install string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is %w; install %s, or name a Kafka in %s", name, errNotInstalled, install, EndpointsVar)
	}
	return path, nil
}

// jars is the folder with the broker's jars, fetched by Maven the first time
// and verified every time. Processes that come together wait for the first.
func jars() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("kafka jars: %w", err)
	}
	root := filepath.Join(cache, "understudy", "kafka")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", fmt.Errorf("kafka jars: %w", err)
	}
	unlock, err := lock(filepath.Join(root, "lock"))
	if err != nil {
		return "", fmt.Errorf("kafka jars: %w", err)
	}
	defer unlock()
	dir := filepath.Join(root, Version)
	if verify(dir) == nil {
		return dir, nil
	}
	if err := fetch(root, dir); err != nil {
		return "", fmt.Errorf("fetch kafka jars: %w", err)
	}
	if err := verify(dir); err != nil {
		return "", fmt.Errorf("verify kafka jars: %w", err)
	}
	return dir, nil
}

func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

func fetch(root, dir string) error {
	mvn, err := program("mvn", "Maven")
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(root, "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := os.WriteFile(filepath.Join(tmp, "pom.xml"), pom, 0o644); err != nil {
		return err
	}
	say("fetching the jars of Apache Kafka %s into %s (44 MB, once)", Version, dir)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, mvn, "-B", "-q", "dependency:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+filepath.Join(tmp, "jars"))
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mvn: %w\n%s", err, out)
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(filepath.Join(tmp, "jars"), dir)
}

// verify reports the first jar that is missing, altered or unknown.
func verify(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	want := map[string]string{}
	for lines := bufio.NewScanner(strings.NewReader(checksums)); lines.Scan(); {
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		if ok {
			want[name] = sum
		}
	}
	if len(entries) != len(want) {
		return fmt.Errorf("%s holds %d files, %d are expected", dir, len(entries), len(want))
	}
	for _, e := range entries {
		sum, err := sha256Of(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		if want[e.Name()] != sum {
			return fmt.Errorf("%s has SHA-256 %s, expected %q", filepath.Join(dir, e.Name()), sum, want[e.Name()])
		}
	}
	return nil
}

func sha256Of(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
