package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
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

// TestBuildIsOfOneSource: what the linker was given and what the tool chain saw
// may be of two commits.
func TestBuildIsOfOneSource(t *testing.T) {
	f := func(linker, want build, main string, settings ...string) {
		t.Helper()
		info := &debug.BuildInfo{Main: debug.Module{Version: main}}
		for i := 0; i < len(settings); i += 2 {
			info.Settings = append(info.Settings, debug.BuildSetting{Key: settings[i], Value: settings[i+1]})
		}
		if got := buildOf(linker, info); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	vcs := []string{"vcs.revision", "abc", "vcs.time", "2026-01-02T03:04:05Z", "vcs.modified", "true"}
	f(build{}, build{version: "dev", commit: "unknown"}, "")
	f(build{}, build{"v1.2.3", "abc", "2026-01-02T03:04:05Z", true}, "v1.2.3", vcs...)
	f(build{version: "2"}, build{"2", "abc", "2026-01-02T03:04:05Z", true}, "(devel)", vcs...)
	f(build{commit: "def"}, build{version: "dev", commit: "def"}, "(devel)", vcs...)
	f(build{"2", "def", "then", false}, build{"2", "def", "then", false}, "v1", vcs...)
	f(build{date: "then"}, build{"dev", "abc", "2026-01-02T03:04:05Z", true}, "(devel)", vcs...)
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
