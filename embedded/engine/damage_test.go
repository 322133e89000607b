package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRefusedNamesWhatIsDamaged(t *testing.T) {
	dir := t.TempDir()
	if err := refused(dir); !strings.Contains(err.Error(), "another process") {
		t.Errorf("an empty folder: %v", err)
	}
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("store/1/whole.sql", "ATTACH TABLE …")
	write("store/1/data.bin", "")
	if got := damage(dir); got != "" {
		t.Errorf("%s is not damaged", got)
	}
	path := write("store/2/t.sql", "")
	if err := refused(dir); !strings.Contains(err.Error(), path+" is empty") {
		t.Errorf("got %v", err)
	}
}
