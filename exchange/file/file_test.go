package file_test

import (
	"os"
	"path/filepath"
	"testing"

	"understudy.dev/exchange/file"
)

func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "x")
	for _, text := range []string{"one", "two, longer", ""} {
		if err := file.Write(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := file.Write(filepath.Join(path, "below"), nil); err == nil {
		t.Error("it was written into a file that is no folder")
	}
}
