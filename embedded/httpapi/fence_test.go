package httpapi_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOutsideIsOutOfReach: package engine tries every way; here is that the
// interface opens none of its own.
func TestOutsideIsOutOfReach(t *testing.T) {
	dir := t.TempDir()
	canary, written := filepath.Join(dir, "canary"), filepath.Join(dir, "written")
	if err := os.WriteFile(canary, []byte("the canary's song\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := func(method, sql string, pairs ...string) {
		t.Helper()
		r := ask(t, method, target(append(pairs, "query", sql)...), nil)
		if r.status != 403 || strings.Contains(r.body, "song") || !strings.Contains(r.body, "ACCESS_DENIED") {
			t.Errorf("%s %s: got %d %q", method, sql, r.status, r.body)
		}
		if _, err := os.Stat(written); err == nil {
			t.Fatalf("%s %s: wrote a file", method, sql)
		}
	}
	for _, method := range []string{"GET", "POST"} {
		f(method, "SELECT * FROM file('"+canary+"', 'LineAsString')")
		f(method, "SELECT 1 INTO OUTFILE '"+written+"'")
		f(method, "SELECT 1", "format_schema", canary)
	}
	f("POST", "INSERT INTO FUNCTION file('"+written+"', 'CSV', 'a String') FORMAT CSV")
	f("POST", "INSERT INTO x FROM INFILE '"+canary+"' FORMAT LineAsString")
}
