package engine_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/embedded/engine"
	"understudy.dev/embedded/sql"
)

// significant are the tokens that the fence looks at, as the engine sees them.
func significant(t *testing.T, statement string) (spans [][2]int, sound bool) {
	t.Helper()
	out, err := query(t, engine.Request{
		SQL:    "SELECT arrayMap(t -> (toUInt32(t.1), toUInt32(t.2), toString(t.3)), tokenizeQuery(unhex({q:String}))) AS tokens",
		Params: map[string]string{"q": hexOf(statement)}, Format: "JSONEachRow",
	})
	if err != nil {
		t.Fatalf("%q: %v", statement, err)
	}
	var row struct{ Tokens [][3]any }
	if err := json.Unmarshal([]byte(out), &row); err != nil {
		t.Fatal(err)
	}
	for _, token := range row.Tokens {
		switch kind := token[2].(string); {
		case kind == "BareWord" && strings.IndexByte("0123456789", statement[int(token[0].(float64))]) < 0 || kind == "StringLiteral" || kind == "QuotedIdentifier" || kind == "HereDoc":
			spans = append(spans, [2]int{int(token[0].(float64)), int(token[1].(float64))})
		case strings.HasPrefix(kind, "Error"):
			return nil, false // the engine runs no such statement
		}
	}
	return spans, true
}

func hexOf(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(digits[s[i]>>4])
		b.WriteByte(digits[s[i]&15])
	}
	return b.String()
}

// agree checks that each of the engine's tokens is one of ours. What begins with
// a digit names nothing that the fence knows, and is cut otherwise.
func agree(t *testing.T, statement string) {
	t.Helper()
	want, sound := significant(t, statement)
	if !sound {
		return
	}
	ours := map[[2]int]bool{}
	for t := range sql.Tokens(statement) {
		ours[[2]int{t.Start, t.End}] = true
	}
	var missed []string
	for _, span := range want {
		if !ours[span] {
			missed = append(missed, statement[span[0]:span[1]])
		}
	}
	if diff := cmp.Diff([]string(nil), missed); diff != "" {
		t.Errorf("%q: %s", statement, diff)
	}
}

var lexed = []string{
	"SELECT 1", "SELECT `file`('/x'), \"file\"('x'), “file”('x'), ‘text’", "SELECT /* /* */ file('x') /* ' */", "SELECT 1 // ' file(\n, file('x')",
	"SELECT 1 # ' \n, file('x')", "SELECT 1 #! ' \n, file('x')", "SELECT 1 -- ' \n, 2", "SELECT 1 --' \n, 2", "SELECT 'it''s \\' ' , file('x')",
	"SELECT $a$ ' $a$, file('x'), $$ ' $$", "SELECT 1e5, 0x1F, 1.5, 1_000, 1a, a1, a$b, $c", "SELECT\u00a0file('x')", "SELECT 1 − 2", "SELECT {a:String}, a->b, a::String",
	"SELECT '\\\\', file('x')", "SELECT b'01', x'AB', file('x')", "SELECT x'AB'', file('x'), '", "SELECT x'A\\'', file('x')", "SELECT x'', b''", "0$$00", "0A0.0A$0", "x.0A$0, .0A$0, (1).0A$0", "SELECT $$ 1, $a, $$b, file(1)", "SELECT 00$$ ' $$, 1, a$$ ' $$, file('x')", "SELECT 1 LIMIT .5INTO OUTFILE 'x'", "SELECT .5e1INTO, .5e+INTO, .5_0INTO, t.5INTO", "SELECT `a``b\\`c`, 1.file", "SELECT 1\x00, file('x')", "SELECT @@x, a|>b, a||b", "/*/ ' */ SELECT 1",
	"SELECT 'a\x00b'", "SELECT $a$b$a$c", "SELECT $a $b$ ' $b$", "SELECT a$$b, file('x'), c$$", "SELECT “a” ‘b’ file(1)", "SELECT 1file('x'), t.1file, 0b1file, 1e+5file, 1.e5",
	"SELECT ?, !=, <=>, ^, \\, \\N, file('x')", "SELECT \ufeff file('x')", "SELECT\u3000file('x'), \u2028file\u2029", "SELECT 'a' 'b'", "SELECT é, файл('x'), a\u00a0b",
}

func TestLexerAgreesWithTheEngine(t *testing.T) {
	for _, statement := range lexed {
		agree(t, statement)
	}
}

func FuzzLexerAgreesWithTheEngine(f *testing.F) {
	for _, statement := range lexed {
		f.Add(statement)
	}
	f.Fuzz(func(t *testing.T, statement string) { agree(t, statement) })
}
