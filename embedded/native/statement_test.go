package native

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseInsert(t *testing.T) {
	f := func(text string, want insertTarget) {
		t.Helper()
		s, err := parse(text)
		if err != nil || s.kind != statementInsert {
			t.Errorf("%s: kind %d, error %v", text, s.kind, err)
			return
		}
		if diff := cmp.Diff(want, s.insert, cmp.AllowUnexported(insertTarget{})); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	f("INSERT INTO t VALUES", insertTarget{head: "INSERT INTO t", table: "t", star: true})
	f("insert into t values;", insertTarget{head: "insert into t", table: "t", star: true})
	f("INSERT INTO t", insertTarget{head: "INSERT INTO t", table: "t", star: true})
	f("INSERT INTO t FORMAT Native", insertTarget{head: "INSERT INTO t", table: "t", star: true})
	f("/* c */ INSERT INTO TABLE db.t -- VALUES\n (a, `b c`, n.x) FORMAT Native ;", insertTarget{
		head: "/* c */ INSERT INTO TABLE db.t -- VALUES\n (a, `b c`, n.x)", table: "db.t", columns: []string{"a", "b c", "n.x"}})
	f("INSERT INTO `d b`.`t``(x`(\"a\") VALUES", insertTarget{head: "INSERT INTO `d b`.`t``(x`(\"a\")", table: "`d b`.`t``(x`", columns: []string{"a"}})
	f("INSERT INTO t (*) VALUES", insertTarget{head: "INSERT INTO t (*)", table: "t", star: true})
	f("INSERT INTO t (* EXCEPT(a, b)) VALUES", insertTarget{head: "INSERT INTO t (* EXCEPT(a, b))", table: "t", star: true, columns: []string{"a", "b"}})
	f("INSERT INTO t (* EXCEPT a) VALUES", insertTarget{head: "INSERT INTO t (* EXCEPT a)", table: "t", star: true, columns: []string{"a"}})
	f("INSERT INTO t (a) SETTINGS x = 1, y = 'VALUES' VALUES", insertTarget{
		head: "INSERT INTO t (a)", table: "t", columns: []string{"a"}, settings: "SETTINGS x = 1, y = 'VALUES'"})
	f("INSERT INTO FUNCTION file('x', 'CSV', 'a Int8') PARTITION BY a VALUES", insertTarget{
		head: "INSERT INTO FUNCTION file('x', 'CSV', 'a Int8') PARTITION BY a", table: "file('x', 'CSV', 'a Int8')", star: true})
	f("INSERT INTO {db:Identifier}.{t:Identifier} (a) VALUES", insertTarget{
		head: "INSERT INTO {db:Identifier}.{t:Identifier} (a)", table: "{db:Identifier}.{t:Identifier}", columns: []string{"a"}})
	f("INSERT INTO table (a) VALUES", insertTarget{head: "INSERT INTO table (a)", table: "table", columns: []string{"a"}})
}

func TestParse(t *testing.T) {
	f := func(text string, kind statementKind, want string) {
		t.Helper()
		s, err := parse(text)
		if err != nil || s.kind != kind || s.text != want {
			t.Errorf("%s: kind %d, text %q, error %v; want kind %d, text %q", text, s.kind, s.text, err, kind, want)
		}
	}
	same := func(text string, kind statementKind) { t.Helper(); f(text, kind, text) }
	same("SELECT 1", statementSelect)
	same("WITH 1 AS x SELECT x", statementSelect)
	same("(SELECT 1)", statementSelect)
	same("FROM t SELECT a", statementSelect)
	same("-- c\nSELECT ';', `;`, $$;$$, $a$ ; $a$", statementSelect)
	f("SELECT 1 ; -- done\n", statementSelect, "SELECT 1")
	f("SELECT 1 FORMAT JSON", statementSelect, "SELECT 1 ")
	f("SELECT 1 format JSON settings max_threads = 1;", statementSelect, "SELECT 1 settings max_threads = 1")
	same("SELECT format FROM t", statementSelect)
	same("SELECT format('{}', 1), (SELECT 1 FORMAT)", statementSelect)
	f("SHOW TABLES FORMAT CSV", statementOther, "SHOW TABLES ")
	same("CREATE TABLE t (format String) ENGINE = File(CSV)", statementOther)
	same("INSERT INTO t VALUES (1), ('a;b')", statementOther)
	same("INSERT INTO t (a) SELECT 1", statementOther)
	same("INSERT INTO t (SELECT 1)", statementOther)
	same("INSERT INTO t WITH 1 AS x SELECT x", statementOther)
	same("INSERT INTO t FORMAT JSONEachRow {\"a\": 1}; {\"a\": 2}", statementOther)
	same("INSERT INTO t FROM INFILE 'x' FORMAT CSV", statementOther)
	same("SET ROLE x", statementOther)
	f("SET a = 1, b = 'x', c = [1, 2], d = true", statementOther, "SET a = 1, b = 'x', c = [1, 2], d = true")
	same("USE", statementOther)
	long := "SELECT [" + strings.Repeat("1,", maxTokens) + "1] FORMAT JSON"
	same(long, statementOther)
}

func TestParseRefuses(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if _, err := parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	f("", "Empty query")
	f(" -- nothing\n;", "Empty query")
}

func TestParseSession(t *testing.T) {
	f := func(text string, want statement) {
		t.Helper()
		got, err := parse(text)
		want.text = text
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(statement{}, setting{}, insertTarget{})); err != nil || diff != "" {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
	f("SET a = 1, b = 'it''s', c = -2.5, d = true", statement{kind: statementSet, settings: []setting{
		{"a", "1", true}, {"b", "it's", true}, {"c", "-2.5", true}, {"d", "1", true}}})
	f("USE db", statement{kind: statementUse, database: "db"})
	f("use `d b`", statement{kind: statementUse, database: "d b"})
	f("USE DATABASE db", statement{kind: statementUse, database: "db"})
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"SELECT 1 FORMAT JSON", "INSERT INTO t (a, `b`) SETTINGS x = 1 VALUES", "SET a = 'b'", "USE `x`",
		"INSERT INTO FUNCTION f(1) (* EXCEPT (a)) FORMAT Native;", "SELECT $a$ x $a$ /* c */ -- d\n", "INSERT INTO {t:Identifier} VALUES"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parse(text)
		if err == nil && len(s.text) > len(text) {
			t.Fatalf("%q became longer: %q", text, s.text)
		}
	})
}
