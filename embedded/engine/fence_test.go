package engine_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"understudy.dev/embedded/engine"
)

// TestEveryFunctionAndEngineIsJudged: a new version of the engine brings new
// names; each must be said to be safe or refused before it is used.
func TestEveryFunctionAndEngineIsJudged(t *testing.T) {
	f := func(sql string, judged func(string) bool) {
		t.Helper()
		out, err := query(t, engine.Request{SQL: sql, Format: "TSV"})
		if err != nil {
			t.Fatal(err)
		}
		found := strings.Fields(out)
		if len(found) < 5 {
			t.Fatalf("%s gave %q", sql, out)
		}
		for _, name := range found {
			if !judged(name) {
				t.Errorf("%s: %s is new: say in fence.go whether it is safe", sql, name)
			}
		}
	}
	f("SELECT name FROM system.table_functions", engine.JudgedFunction)
	f("SELECT name FROM system.table_engines", engine.JudgedEngine)
	f("SELECT name FROM system.database_engines", engine.JudgedEngine)
	f("SELECT name FROM system.functions WHERE higher_order", engine.HigherOrder)
}

// TestSystemStatementsOfTheRights: the fence lets through the SYSTEM statements
// that the engine's user has a right to, by the engine's own list, and of the
// others none that RELOADs.
func TestSystemStatementsOfTheRights(t *testing.T) {
	out, err := query(t, engine.Request{SQL: `SELECT arrayJoin(arrayPushFront(aliases, toString(privilege))) AS statement, toString(privilege), toString(parent_group)
		FROM system.privileges WHERE startsWith(statement, 'SYSTEM ')`, Format: "TSV"})
	if err != nil {
		t.Fatal(err)
	}
	groups := []string{"SYSTEM MERGES", "SYSTEM TTL MERGES", "SYSTEM MOVES", "SYSTEM VIEWS"} // rights that are no statements
	granted := 0
	for row := range strings.Lines(out) {
		cells := strings.Split(strings.TrimSpace(row), "\t")
		statement, err := cells[0], engine.Admit(cells[0])
		switch {
		case slices.Contains(groups, statement):
		case engine.Granted(cells[1]) || engine.Granted(cells[2]):
			if granted++; err != nil {
				t.Errorf("%s is granted: %v", statement, err)
			}
		case strings.Contains(statement, "RELOAD") && err == nil:
			t.Errorf("%s went through", statement)
		}
	}
	if granted < 50 {
		t.Errorf("found only %d statements", granted)
	}
}

// TestOutsideIsOutOfReach tries what touches files, the network or other
// processes: the canary is never read, and nothing is written beside it.
func TestOutsideIsOutOfReach(t *testing.T) {
	dir := t.TempDir()
	canary, target := filepath.Join(dir, "canary.csv"), filepath.Join(dir, "written")
	if err := os.WriteFile(canary, []byte("the canary's song\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	replacer := strings.NewReplacer("CANARY", canary, "TARGET", target)
	try := func(r engine.Request) error {
		t.Helper()
		r.SQL = replacer.Replace(r.SQL)
		out, err := query(t, r)
		if strings.Contains(out, "canary's song") || err != nil && strings.Contains(err.Error(), "canary's song") {
			t.Errorf("%s: read the canary: %q, %v", r.SQL, out, err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Fatalf("%s: wrote %s", r.SQL, left)
		}
		return err
	}
	refused := func(sql string) {
		t.Helper()
		var e *engine.Exception
		if err := try(engine.Request{SQL: sql, Format: "TSV"}); !errors.As(err, &e) || e.Code != 497 {
			t.Errorf("%s: got %v, want ACCESS_DENIED", sql, err)
		}
	}
	for _, sql := range []string{
		"SELECT * FROM file('CANARY', 'LineAsString')", "SELECT file('CANARY')", "SELECT `file`('CANARY')", `SELECT "file"('CANARY')`,
		"SELECT /* ' */ file /* ( */ ('CANARY') -- '", "SELECT “file”('CANARY')", "DESCRIBE file('CANARY')", "DESCRIBE TABLE file('CANARY')",
		"EXPLAIN SELECT * FROM file('CANARY')", "SELECT * FROM loop(file('CANARY', 'LineAsString')) LIMIT 1", "SELECT 1 IN file('CANARY')",
		"CREATE VIEW w AS SELECT file('CANARY')", "CREATE FUNCTION f AS () -> file('CANARY')", "CREATE TABLE x AS file('CANARY', 'LineAsString')",
		"INSERT INTO FUNCTION file('TARGET', 'CSV', 'a String') VALUES ('x')", "INSERT INTO TABLE FUNCTION file('TARGET', 'CSV', 'a String') SELECT 'x'",
		"SELECT 1 INTO OUTFILE 'TARGET'", "SELECT 1 into /**/ outfile 'TARGET' FORMAT CSV", "INSERT INTO x FROM INFILE 'CANARY' FORMAT LineAsString",
		"SELECT * FROM eval('SELECT file(\\'CANARY\\')')", "SELECT * FROM executable('x.sh', 'TSV', 'a String')", "SELECT * FROM filesystem('CANARY')",
		"SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')", "SELECT * FROM remote('127.0.0.1:1', 'system.one')", "SELECT * FROM s3('http://127.0.0.1:1/x')",
		"SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')", "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
		"SELECT * FROM sqlite('TARGET', 'x')", "SELECT * FROM icebergLocal('TARGET')", "SELECT * FROM clusterAllReplicas('default', 'system.one')",
		"CREATE TABLE x (a String) ENGINE = File(CSV, 'CANARY')", "CREATE TABLE x (a String) ENGINE File(CSV, 'TARGET')", "CREATE TABLE x (a String) ENGINE = `File`(CSV)",
		"CREATE TABLE x (a String) ENGINE = URL('http://127.0.0.1:1/', CSV)", "CREATE TABLE x (a String) ENGINE = Executable('x.sh', TSV)",
		"CREATE TABLE x (a String) ENGINE = Kafka SETTINGS kafka_broker_list = '127.0.0.1:1'", "CREATE TABLE x (a String) ENGINE = FileLog('TARGET', CSV)",
		"CREATE TABLE x (a String) ENGINE = EmbeddedRocksDB(0, 'TARGET') PRIMARY KEY a", "CREATE DATABASE d ENGINE = Filesystem('CANARY')",
		"CREATE DATABASE d ENGINE = SQLite('TARGET')", "CREATE DATABASE d ENGINE = MySQL('127.0.0.1:1', 'a', 'b', 'c')", "CREATE DATABASE d ENGINE = Backup('a', File('TARGET'))",
		"CREATE TABLE x (a String) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = 'TARGET/')",
		"BACKUP TABLE x TO File('TARGET')", "RESTORE TABLE x FROM File('CANARY')", "ATTACH TABLE x FROM 'TARGET' (a String) ENGINE = MergeTree ORDER BY a",
		"CREATE FUNCTION w LANGUAGE WASM FROM 'x'", "SYSTEM SHUTDOWN", "SYSTEM KILL", "SYSTEM RELOAD CONFIG", "SYSTEM RELOAD USERS", "SYSTEM RELOAD FUNCTIONS", "SYSTEM RESTART DISK d", "DROP DATABASE default", "DETACH DATABASE IF EXISTS `default`",
		"CREATE DICTIONARY d (k UInt64, v String) PRIMARY KEY k SOURCE(FILE(path 'CANARY' format 'CSV')) LAYOUT(FLAT()) LIFETIME(0)",
		"CREATE DICTIONARY d (k UInt64, v String) PRIMARY KEY k SOURCE(EXECUTABLE(command 'touch TARGET' format 'CSV')) LAYOUT(FLAT()) LIFETIME(0)",
		"CREATE DICTIONARY d (k UInt64, v String) PRIMARY KEY k SOURCE(HTTP(url 'http://127.0.0.1:1/' format 'CSV')) LAYOUT(FLAT()) LIFETIME(0)",
		"CREATE DICTIONARY d (k UInt64, v String) PRIMARY KEY k SOURCE(CLICKHOUSE(QUERY 'SELECT 1, file(\\'CANARY\\')')) LAYOUT(FLAT()) LIFETIME(0)",
		"CREATE DICTIONARY d (k UInt64, v String) PRIMARY KEY k SOURCE(CLICKHOUSE(HOST '127.0.0.1' PORT 1 TABLE 'x')) LAYOUT(FLAT()) LIFETIME(0)",
		"SELECT 1 SETTINGS additional_result_filter = 'throwIf(1, file(\\'CANARY\\'))'", "SET dialect = 'kusto'", "SELECT 1 SETTINGS `dialect` = 'prql'",
		"SELECT * FROM format(CSV, 'a String', 'x') SETTINGS format_schema = 'CANARY:X'",
	} {
		refused(sql)
	}
	for _, sql := range []string{ // what the fence, or the rights, refuse besides
		"SELECT arrayMap(file, ['CANARY'])", "SELECT arrayMap(((`\\x66ile`)), ['CANARY'])", "SELECT arrayMap(file AS f, ['CANARY'])", "SELECT * APPLY(file) FROM (SELECT 'CANARY')",
		"SELECT * APPLY file FROM (SELECT 'CANARY')", "SELECT arrayMap({f:Identifier}, ['CANARY'])", "INSERT INTO x FORMAT Values (file('CANARY'))",
		"SELECT * FROM `CANARY`", "SELECT * FROM default.`CANARY`", "CREATE NAMED COLLECTION c AS a = 1", "CREATE USER u", "SYSTEM ENABLE FAILPOINT dummy_failpoint",
		"SYSTEM JEMALLOC PURGE", "SYSTEM STOP LISTEN HTTP", "CREATE TABLE x (a Int8) ENGINE = Memory SETTINGS disk = `disk`(type = local, path = 'TARGET/')",
	} {
		refused(sql)
	}
	for _, name := range engine.Sealed() {
		if err := try(engine.Request{SQL: "SELECT 1", Settings: map[string]string{name: "2"}}); err == nil {
			t.Errorf("setting %s: went through", name)
		}
	}
	// What the rows of an INSERT are computed from comes past the fence.
	if err := try(engine.Request{SQL: "CREATE TABLE IF NOT EXISTS computed (s String) ENGINE = Memory"}); err != nil {
		t.Fatal(err)
	}
	if err := try(engine.Request{SQL: "INSERT INTO computed", InputFormat: "Values", Input: strings.NewReader(replacer.Replace("('a'), (file('CANARY'))"))}); err == nil {
		t.Error("a value was read from a file")
	}
	_ = try(engine.Request{SQL: "SELECT * FROM computed", Format: "TSV"})
	for _, name := range []string{"dialect", "additional_result_filter", "Format_Schema"} {
		var e *engine.Exception
		if err := try(engine.Request{SQL: "SELECT 1", Settings: map[string]string{name: "x"}}); !errors.As(err, &e) || e.Code != 497 {
			t.Errorf("setting %s: got %v", name, err)
		}
	}
	// What no name gives away, only the kernel stops.
	if !clickhouse.Confined() {
		t.Skip("this kernel has no Landlock")
	}
	for _, r := range []engine.Request{
		{SQL: "SELECT * FROM 'CANARY'"}, {SQL: "SELECT * FROM {t:Identifier}", Params: map[string]string{"t": canary}},
		{SQL: "INSERT INTO computed", InputFormat: "Values", Input: strings.NewReader("(file('/proc/self/environ'))")},
		{SQL: "INSERT INTO computed", InputFormat: "Values", Input: strings.NewReader("(file('/etc/passwd'))")},
	} {
		r.Format = "TSV"
		if err := try(r); err == nil {
			t.Errorf("%s: went through", r.SQL)
		}
	}
}

// TestWhatLooksLikeTheOutside: names of columns, tables and texts are no
// functions.
func TestWhatLooksLikeTheOutside(t *testing.T) {
	f := func(sql, want string) {
		t.Helper()
		if got, err := query(t, engine.Request{SQL: sql, Format: "TSV"}); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", sql, got, err, want)
		}
	}
	f("CREATE TABLE url (file String, s3 UInt8, disk String) ENGINE MergeTree ORDER BY file", "")
	f("INSERT INTO url (file, s3, disk) VALUES ('file(1); INTO OUTFILE', 1, 'd');", "")
	f("SELECT file, url.s3, disk AS executable FROM url WHERE disk = 'd' -- file('x')", "file(1); INTO OUTFILE\t1\td\n")
	f("SELECT 'a' AS file, file AS engine, engine = 'a' SETTINGS max_threads = 1", "a\ta\t1\n")
	f("SELECT count() FROM system.tables WHERE engine = 'File'", "0\n")
	f("SYSTEM FLUSH LOGS", "")
	f("CREATE DICTIONARY names (k UInt64, v String) PRIMARY KEY k SOURCE(CLICKHOUSE(TABLE 'url' DB 'default')) LAYOUT(FLAT()) LIFETIME(0)", "")
	f("DROP DICTIONARY names", "")
	f("SELECT arrayMap(x -> x || file, ['a']), arrayJoin([file]) FROM url", "['afile(1); INTO OUTFILE']\tfile(1); INTO OUTFILE\n")
	f("CREATE DICTIONARY names (file String, disk String) PRIMARY KEY file SOURCE(CLICKHOUSE(TABLE 'url')) LAYOUT(COMPLEX_KEY_HASHED()) LIFETIME(0)", "")
	f("SELECT count() FROM dictionary('names')", "1\n") // it asks localhost
	f("SYSTEM RELOAD DICTIONARY names", "")
	f("system reload /* all */ dictionaries", "")
	f("DROP DICTIONARY names", "")
	f("DROP TABLE url", "")
}

// TestOneStatement in whatever format.
func TestOneStatement(t *testing.T) {
	for _, format := range []string{"Native", "TSV", "JSON", "PrettyCompact", "Null"} {
		var e *engine.Exception
		if _, err := query(t, engine.Request{SQL: "SELECT 1; SELECT 2", Format: format}); !errors.As(err, &e) || e.Code != 62 {
			t.Errorf("%s: got %v, want SYNTAX_ERROR", format, err)
		}
		if _, err := query(t, engine.Request{SQL: "SELECT 1; ;-- end", Format: format}); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// TestRowsInTheTextAreNoStatements: the engine looks behind rows for a further
// statement, which would come past the fence.
func TestRowsInTheTextAreNoStatements(t *testing.T) {
	f := func(sql, want string) {
		t.Helper()
		for _, sql := range []string{"CREATE OR REPLACE TABLE inline (s String) ENGINE = Memory", sql} {
			if _, err := query(t, engine.Request{SQL: sql}); err != nil {
				t.Errorf("%s: %v", sql, err)
			}
		}
		if got, err := query(t, engine.Request{SQL: "SELECT arrayStringConcat(groupArray(s), '|') FROM inline", Format: "TSVRaw"}); err != nil || got != want+"\n" {
			t.Errorf("%s: got %q, %v, want %q", sql, got, err, want)
		}
	}
	f("INSERT INTO inline FORMAT TSV\na\nINSERT INTO inline SELECT 'more'\n", "a|INSERT INTO inline SELECT 'more'")
	f("INSERT INTO inline FORMAT TSV a\n\nSYSTEM KILL", "a||SYSTEM KILL")
	f("INSERT INTO inline FORMAT TSV a\n\nCREATE TABLE e (a Int8) ENGINE = File(CSV)", "a||CREATE TABLE e (a Int8) ENGINE = File(CSV)")
	f("INSERT INTO inline (s) FORMAT CSV\nfile (x); INTO OUTFILE 'x'\n", "file (x); INTO OUTFILE 'x'")
	f("INSERT INTO inline (s) SETTINGS max_threads = 1 FORMAT JSONEachRow {\"s\":\"a;b\"} {\"s\":\"c\"}", "a;b|c")
	f("INSERT INTO inline VALUES ('a'), ('b;'), (upper('c'));", "a|b;|C")
	f("INSERT INTO inline (SELECT 'a')", "a")
}

// TestOutsideIsOutOfReachWithoutLandlock does the same where the kernel does not
// help, in a process of its own: libchdb has one storage path a process.
func TestOutsideIsOutOfReachWithoutLandlock(t *testing.T) {
	if !clickhouse.Confined() {
		t.Skip("this kernel has no Landlock: the other test has done it")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self, "-test.run", "^TestOutsideIsOutOfReach$", "-test.v")
	child.Env = append(os.Environ(), "ENGINE_TEST_UNCONFINED=1")
	if out, err := child.CombinedOutput(); err != nil || !strings.Contains(string(out), "this kernel has no Landlock") {
		t.Errorf("%v: %s", err, out)
	}
}
