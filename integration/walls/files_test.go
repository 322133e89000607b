package walls

import (
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// largestFile is what one tracked file may weigh: every clone downloads every
// version of it for ever.
const largestFile = 1 << 20

// TestTrackedFiles: what a build makes is not tracked, and nothing is so large
// that it belongs somewhere else.
func TestTrackedFiles(t *testing.T) {
	out, err := exec.Command("git", "-C", root(t), "ls-files", "-z").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, name := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		path := filepath.Join(root(t), filepath.FromSlash(name))
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		if !info.Mode().IsRegular() {
			continue
		}
		seen++
		if info.Size() > largestFile {
			t.Errorf("%s has %d bytes; tracked files have %d at most", name, info.Size(), largestFile)
		}
		if kind := executable(head(t, path)); kind != "" {
			t.Errorf("%s is an executable (%s): take it out with git rm --cached", name, kind)
		}
	}
	if seen < 100 {
		t.Errorf("saw only %d tracked files", seen)
	}
}

func head(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 256)
	n, err := io.ReadFull(f, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	return b[:n]
}

// executable names the format of a binary by its first bytes, or is empty.
func executable(head []byte) string {
	for magic, kind := range map[string]string{
		"\x7fELF":          "ELF",
		"\xfe\xed\xfa\xce": "Mach-O", "\xce\xfa\xed\xfe": "Mach-O",
		"\xfe\xed\xfa\xcf": "Mach-O", "\xcf\xfa\xed\xfe": "Mach-O",
		"\xca\xfe\xba\xbe": "Mach-O for several machines, or a Java class",
		"!<arch>\n":        "library archive",
		"\x00asm":          "WebAssembly",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return kind
		}
	}
	// Two letters alone may begin a text; a binary has zeros soon after.
	if bytes.HasPrefix(head, []byte("MZ")) && bytes.IndexByte(head, 0) > 0 {
		return "PE"
	}
	return ""
}

func TestExecutable(t *testing.T) {
	f := func(head, want string) {
		t.Helper()
		if got := executable([]byte(head)); got != want {
			t.Errorf("%q: got %q, want %q", head, got, want)
		}
	}
	f("\x7fELF\x02\x01\x01", "ELF")
	f("\xcf\xfa\xed\xfe\x07\x00\x00\x01", "Mach-O")
	f("MZ\x90\x00\x03", "PE")
	f("MZ is how it begins", "")
	f("#!/bin/sh\n", "")
	f("", "")

	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if executable(head(t, own)) == "" {
		t.Errorf("this test is itself an executable and is not seen to be one")
	}
}

// TestCommandInstalls: the root module is whole without the workspace and
// without a change of its go.mod, as `go install` of the command needs it.
func TestCommandInstalls(t *testing.T) {
	bin := t.TempDir()
	for _, args := range [][]string{{"list", "./..."}, {"install", "./cmd/understudy"}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = root(t)
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly", "CGO_ENABLED=0", "GOBIN="+bin)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %v: %v\n%s", args, err, out)
		}
	}
	if out, err := exec.Command(filepath.Join(bin, "understudy"), "--version").CombinedOutput(); err != nil {
		t.Errorf("the installed command: %v\n%s", err, out)
	}
}

// TestStaticBuild: with the tag static the command needs nothing of the system
// that it runs on, as the container image promises.
func TestStaticBuild(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "understudy")
	cmd := exec.Command("go", "build", "-tags", "static", "-o", bin, "./cmd/understudy")
	cmd.Dir = root(t)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	f, err := elf.Open(bin)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	if err != nil || len(libraries) != 0 {
		t.Errorf("needs the libraries %q, %v", libraries, err)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("needs a loader")
		}
	}
}

// TestBuildsElsewhere: whoever imports the recorder may build for a system that
// the embedded platform does not run on.
func TestBuildsElsewhere(t *testing.T) {
	for _, system := range []string{"darwin", "windows"} {
		cmd := exec.Command("go", "build", "./...")
		cmd.Dir = root(t)
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("GOOS=%s go build: %v\n%s", system, err, out)
		}
	}
}

// TestDesignNamesWhatIsThere: the page that says where things are is right.
func TestDesignNamesWhatIsThere(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root(t), "docs", "design.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, where, found := strings.Cut(string(page), "## Where things are")
	where, _, _ = strings.Cut(where, "## Not obvious")
	if !found {
		t.Fatal("docs/design.md has no section that says where things are")
	}
	paths := 0
	for _, line := range strings.Split(where, "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| folder") || strings.HasPrefix(line, "| question") {
			continue
		}
		cells := strings.Split(line, "|")
		at := cells[1]
		if strings.Contains(at, "?") {
			at = cells[2]
		}
		for _, path := range regexp.MustCompile("`([a-z0-9_./]+)`").FindAllStringSubmatch(at, -1) {
			if strings.Contains(cells[1], "?") && !strings.Contains(path[1], "/") {
				continue // a word of the answer, not a file
			}
			paths++
			if _, err := os.Stat(filepath.Join(root(t), path[1])); err != nil {
				t.Errorf("docs/design.md names %s: %v", path[1], err)
			}
		}
	}
	if paths < 20 {
		t.Errorf("found only %d paths", paths)
	}
}
