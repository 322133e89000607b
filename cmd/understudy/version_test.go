package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	var out bytes.Buffer
	if code := run(t.Context(), []string{"version"}, nil, &out, &out); code != exitOK {
		t.Fatalf("exit %d: %s", code, out.String())
	}
	for _, part := range []string{"understudy  ", "commit      ", runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, "embedded engine"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("no %q in\n%s", part, out.String())
		}
	}
}

// TestManualPages: every command that a person sees has a page.
func TestManualPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man")
	var out bytes.Buffer
	if code := run(t.Context(), []string{"man", dir}, nil, &out, &out); code != exitOK {
		t.Fatalf("exit %d: %s", code, out.String())
	}
	for _, name := range []string{"understudy", "understudy-record", "understudy-replay", "understudy-compare", "understudy-runs-balance"} {
		page, err := os.ReadFile(filepath.Join(dir, name+".1"))
		if err != nil || !bytes.Contains(page, []byte(".SH SYNOPSIS")) {
			t.Errorf("%s: %v, %d bytes", name, err, len(page))
		}
	}
}
