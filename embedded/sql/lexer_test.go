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

// TestUnquote: what a text is in the engine.
func TestUnquote(t *testing.T) {
	f := func(text string, quote byte, want string) {
		t.Helper()
		if got := sql.Unquote(text, quote); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	f("plain", '\'', "plain")
	f(`a\n\t\0\\`, '\'', "a\n\t\x00\\")
	f(`\x66ile \xZZ \x6`, '\'', "file xZZ \x06")
	f("it''s ``", '\'', "it's ``")
	f("it''s ``", '`', "it''s `")
	f(`a\`, '\'', `a\`)
}

func TestCursor(t *testing.T) {
	c := sql.NewCursor("USE (a, (b)) `c``d` 'e\\n' “f”", 100)
	if c.Accept("SET") || !c.Accept("use") || c.AcceptMark(',') {
		t.Error("the keyword is not stepped over")
	}
	group, ok := c.Group()
	if !ok || len(group) != 5 || group[3].Text != "b" || group[3].Depth != 2 {
		t.Errorf("got the group %v", group)
	}
	for _, want := range []string{"c`d", "e\n"} {
		if name, ok := c.Name(); !ok || name != want {
			t.Errorf("got the name %q, want %q", name, want)
		}
	}
	if name, ok := c.Name(); ok {
		t.Errorf("typographic quotes are the name %q", name)
	}
	if c.At++; c.More() || c.Token().Start != len(c.Statement) {
		t.Errorf("behind the end: %+v", c.Token())
	}
	if c = sql.NewCursor("((((", 3); len(c.Tokens) != 3 {
		t.Errorf("got %d tokens, want 3", len(c.Tokens))
	}
	if _, ok := c.Group(); ok || c.At != 0 {
		t.Error("an open group was stepped over")
	}
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
