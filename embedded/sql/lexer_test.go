package sql_test

import (
	"strings"
	"testing"

	"understudy.dev/embedded/sql"
)

func TestTokens(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		var got []string
		for token := range sql.Tokens(text) {
			got = append(got, string(token.Kind)+token.Text)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: got %s, want %s", text, s, want)
		}
	}
	f("SELECT 1", "wSELECT w1")
	f("a.`b``c` = 'it''s \\' '; -- x", "wa .. `b`c == 'it's '  ;;")
	f("$t$ ' $t$ /* ' */ # '", "' ' ")
	f("“a”(1)", "`a (( w1 ))")
}

func TestFormats(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := strings.Join(sql.Formats(text), " "); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	f("SELECT 1 FORMAT JSON", "JSON")
	f("SELECT 1 format TSV;", "TSV")
	f("SELECT 1 FORMAT CSV SETTINGS max_threads = 1", "CSV")
	f("SELECT format FROM t", "")
	f("SELECT 'FORMAT JSON' -- FORMAT CSV", "")
	f("SELECT * FROM format(CSV, 'a')", "")
	f("SELECT 1", "")
}
