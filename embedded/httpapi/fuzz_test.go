package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"understudy.dev/embedded/engine"
)

// understood is what parse makes of a request: statement, rows, or an error.
func understood(t *testing.T, head string, body io.Reader) (sql, format, rows string, failed bool) {
	t.Helper()
	r := httptest.NewRequest("POST", "/?query="+url.QueryEscape(head), nil)
	q, err := parse(r, body)
	if err != nil {
		var e *engine.Exception
		if !errors.As(err, &e) {
			t.Fatalf("got %v, want an exception", err)
		}
		return "", "", "", true
	}
	if q.request.Input != nil {
		all, err := io.ReadAll(q.request.Input)
		if err != nil {
			t.Fatal(err)
		}
		rows = string(all)
	}
	return q.request.SQL, q.request.InputFormat, rows, false
}

// FuzzParse checks that a request means the same however its bytes come in.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"SELECT 1", "INSERT INTO t FORMAT CSV\n1,2\n", "INSERT INTO t VALUES (1)", "INSERT INTO t (a, \"VALUES\") /* FORMAT */ SETTINGS a = 'it''s' FORMAT  JSONEachRow {}",
		"INSERT INTO t /*/ VALUES */ FORMAT CSV 1", "INSERT INTO t SELECT 1", "-- x\nINSERT INTO `a\\`b` FORMAT Native ;\n\x00", "INSERT INTO t (a) FORMAT", "INSERT INTO FUNCTION file('x', 'CSV') VALUES (1)",
	} {
		f.Add("", s)
		f.Add(s, "1,2\n")
	}
	f.Fuzz(func(t *testing.T, head, body string) {
		sql, format, rows, failed := understood(t, head, strings.NewReader(body))
		sql2, format2, rows2, failed2 := understood(t, head, iotest.OneByteReader(strings.NewReader(body)))
		if sql != sql2 || format != format2 || rows != rows2 || failed != failed2 {
			t.Errorf("at once: %q, %s, %q, %t; byte by byte: %q, %s, %q, %t", sql, format, rows, failed, sql2, format2, rows2, failed2)
		}
		if i, ok := splitInsert(body); ok && (i.head > i.end || i.end > len(body) || i.format == "") {
			t.Errorf("split at %+v", i)
		}
	})
}

func TestSplitInsert(t *testing.T) {
	f := func(text, head, format, rows string) {
		t.Helper()
		i, ok := splitInsert(text)
		if !ok || text[:i.head] != head || i.format != format || text[i.end:] != rows {
			t.Errorf("%q: got %+v, %t", text, i, ok)
		}
	}
	f("INSERT INTO t FORMAT CSV\n1\n", "INSERT INTO t ", "CSV", "1\n")
	f("insert into t (a, b) values (1, 'FORMAT')", "insert into t (a, b) ", "Values", " (1, 'FORMAT')")
	f("/* VALUES */ INSERT INTO `values` -- FORMAT x\n FORMAT TSV;\n1", "/* VALUES */ INSERT INTO `values` -- FORMAT x\n ", "TSV", "1")
	f("INSERT INTO f (select) FORMAT RowBinary\n\n", "INSERT INTO f (select) ", "RowBinary", "\n")
	for _, text := range []string{"SELECT 1 FORMAT CSV", "INSERT INTO t SELECT 1 FORMAT CSV", "INSERT INTO t FROM INFILE 'x' FORMAT CSV", "INSERT INTO t", "INSERT INTO 'VALUES (1)", ""} {
		if i, ok := splitInsert(text); ok {
			t.Errorf("%q: got %+v", text, i)
		}
	}
}

// BenchmarkSplitInsert parses a statement of 8 MiB that comes in many reads.
func BenchmarkSplitInsert(b *testing.B) {
	body := "INSERT INTO t SELECT '" + strings.Repeat("x", 8<<20) + "'"
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := parse(httptest.NewRequest("POST", "/", nil), strings.NewReader(body)); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzForm checks that a hostile form gives parameters within their bound, or
// an exception.
func FuzzForm(f *testing.F) {
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT 1\r\n--b--\r\n"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"t\"; filename=\"t\"\r\n\r\n1\r\n--b--"))
	f.Add([]byte("--b\r\n\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest("POST", "/?query=SELECT", nil)
		r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		got, rest, err := form(r, bytes.NewReader(body))
		if err != nil {
			var e *engine.Exception
			if !errors.As(err, &e) {
				t.Errorf("got %v, want an exception", err)
			}
			return
		}
		if left, err := io.ReadAll(rest); err != nil || len(left) > 0 || r.URL.RawQuery != "query=SELECT" {
			t.Errorf("%q is left, %v; the request was changed to %s", left, err, r.URL)
		}
		if n := len(got.URL.RawQuery); n > 10*len(body)+len(r.URL.RawQuery)+1 {
			t.Errorf("%d bytes became %d", len(body), n)
		}
	})
}
