package demo

import (
	"os"
	"strings"
	"testing"

	"understudy.dev/demo/fault"
)

func TestReadmeListsEveryFault(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, "|"); len(cells) > 4 {
			rows[strings.TrimSpace(cells[1])] = line
		}
	}
	for _, f := range fault.Catalogue() {
		row := rows[string(f.Name)]
		for _, part := range []string{"`" + f.Route + "`", "`" + f.Verdict + "`", f.Path, f.Kind} {
			if !strings.Contains(row, part) {
				t.Errorf("%s: the row %q does not say %q", f.Name, row, part)
			}
		}
	}
}
