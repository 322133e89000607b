// Package program builds the binary that black-box tests in Go run.
package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Main is for a TestMain: it builds the program, so that it is never a stale one,
// sets path to it, runs the tests and takes it away again. It returns the exit
// code.
func Main(path *string, run func() int) int {
	dir, err := os.MkdirTemp("", "understudy-program-")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	*path = filepath.Join(dir, "understudy")
	build := exec.Command("go", "build", "-o", *path, "understudy.dev/cmd/understudy")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Printf("build: %v\n%s", err, out)
		return 1
	}
	return run()
}
