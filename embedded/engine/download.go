package engine

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// npmArguments keep the client from retrying for minutes when it is offline,
// and make it report errors as JSON.
var npmArguments = []string{"--json", "--loglevel=silent", "--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000"}

// tarballURL asks npm where a package is.
func tarballURL(ctx context.Context, name string) (string, error) {
	cmd := exec.CommandContext(ctx, "npm", append([]string{"view", name + "@" + Version, "dist.tarball"}, npmArguments...)...)
	cmd.WaitDelay = time.Second // npm's own children may hold its output open
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("the ClickHouse engine is installed with npm, which was not found; install Node.js, or set %s to a libchdb.so of version %s", EnvLibrary, Version)
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("ask npm for %s@%s: %w", name, Version, ctx.Err())
	}
	if err != nil {
		return "", fmt.Errorf("ask npm for %s@%s: %s (%w); is the network up, and does `npm ping` work? Otherwise set %s to a libchdb.so of version %s",
			name, Version, npmReason(out, stderr.String()), err, EnvLibrary, Version)
	}
	var url string
	if json.Unmarshal(out, &url) != nil || !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		return "", fmt.Errorf("ask npm for %s@%s: want the address of a tarball, got %q", name, Version, strings.TrimSpace(string(out)))
	}
	return url, nil
}

// npmReason is npm's reason for a failure in one line.
func npmReason(stdout []byte, stderr string) string {
	var said struct {
		Error struct {
			Summary string `json:"summary"`
		} `json:"error"`
	}
	if json.Unmarshal(stdout, &said) == nil && said.Error.Summary != "" {
		stderr = said.Error.Summary
	}
	line, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n")
	return line
}

// stallLimit is how long the registry may send nothing.
var stallLimit = time.Minute

var errStalled = errors.New("the registry sent nothing for too long; nothing was installed, try again")

// fetch streams the tarball through the checksum into the unpacked library.
func fetch(ctx context.Context, url, integrity, path string, progress func(done, total int64)) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(stallLimit, func() { cancel(errStalled) })
	defer stalled.Stop()
	defer func() {
		if err != nil && errors.Is(context.Cause(ctx), errStalled) {
			err = errStalled
		}
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", req.URL.Redacted(), resp.Status)
	}
	sum := sha512.New()
	body := io.TeeReader(io.LimitReader(resp.Body, tarballBytes), sum)
	body = &counted{r: body, total: max(resp.ContentLength, 0), report: func(done, total int64) {
		stalled.Reset(stallLimit)
		if progress != nil {
			progress(done, total)
		}
	}}
	tmp, err := os.CreateTemp(filepath.Dir(path), partPattern)
	if err != nil {
		return err
	}
	defer func() {
		tmp.Close()
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	if err := unpack(body, tmp); err != nil {
		return err
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum.Sum(nil)); got != integrity {
		return fmt.Errorf("checksum mismatch: %s has %s, want %s; nothing was installed", req.URL.Redacted(), got, integrity)
	}
	if err := tmp.Chmod(0o755); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// unpack writes libchdb.so of a gzipped tar to w and reads to the end.
func unpack(r io.Reader, w io.Writer) error {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	files, found := tar.NewReader(zip), false
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
		if filepath.Base(h.Name) != "libchdb.so" || h.Typeflag != tar.TypeReg {
			continue
		}
		found = true
		if _, err := io.Copy(w, io.LimitReader(files, libraryBytes)); err != nil {
			return fmt.Errorf("unpack libchdb.so: %w", err)
		}
	}
	if _, err := io.Copy(io.Discard, r); err != nil { // the checksum is of all
		return err
	}
	if !found {
		return errors.New("unpack: the package holds no libchdb.so")
	}
	return nil
}

type counted struct {
	r           io.Reader
	done, total int64
	report      func(done, total int64)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.done += int64(n)
	c.report(c.done, c.total)
	return n, err
}
