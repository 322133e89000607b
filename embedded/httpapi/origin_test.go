package httpapi_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestWebPagesOfOtherOriginsAreRefused(t *testing.T) {
	f := func(host string, status int, headers ...string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "POST", server.URL, strings.NewReader("SELECT 42"))
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			req.Host = host
		}
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != status || strings.Contains(string(body), "42") != (status == 200) {
			t.Errorf("%s %q: got %d %q, %v, want %d", host, headers, resp.StatusCode, body, err, status)
		}
	}
	f("", 200)
	f("database.internal:18123", 403) // no browser, or a page with this name
	f("db.localhost:18123", 200)
	f("192.0.2.7:18123", 200)
	f("localhost.page.example", 403)
	f("localhost.", 200)
	f("platform.example:18123", 200) // allowed
	f("PLATFORM.example", 200)
	f("platform.example:18123", 200, "Origin", "http://platform.example:18123")
	f("platform.example:18123", 403, "Origin", "http://other.example")
	f("", 200, "Sec-Fetch-Site", "none")
	f("", 200, "Sec-Fetch-Site", "same-origin", "Origin", server.URL)
	f("localhost:18123", 200, "Origin", "http://localhost:18123")
	f("[::1]:18123", 200, "Origin", "http://[::1]:18123")
	f("", 403, "Origin", "https://page.example")
	f("", 403, "Origin", "null")
	f("", 403, "Origin", "http://127.0.0.1:1")
	f("", 403, "Sec-Fetch-Site", "cross-site")
	f("", 403, "Sec-Fetch-Site", "same-site")
	f("rebound.example:18123", 403, "Sec-Fetch-Site", "same-origin", "Origin", "http://rebound.example:18123")
}

// As in ClickHouse, GET may read, and set what it reads with.
func TestGetIsReadOnly(t *testing.T) {
	f := func(method, sql string, status int, want string, pairs ...string) {
		t.Helper()
		r := ask(t, method, target(append(pairs, "query", sql)...), nil)
		if r.status != status || !strings.Contains(r.body, want) {
			t.Errorf("%s %s: got %d %q, want %d %q", method, sql, r.status, r.body, status, want)
		}
	}
	f("GET", "SELECT getSetting('readonly'), getSetting('max_threads')", 200, "2\t3\n", "max_threads", "3")
	f("GET", "SELECT 1 SETTINGS max_threads = 2", 200, "1\n")
	f("GET", "SELECT getSetting('readonly')", 200, "1\n", "readonly", "1")
	f("GET", "CREATE TABLE got (n UInt8) ENGINE = Memory", 500, "(READONLY)")
	f("GET", "CREATE TABLE got (n UInt8) ENGINE = Memory", 500, "(READONLY)", "readonly", "0")
	f("HEAD", "CREATE TABLE got (n UInt8) ENGINE = Memory", 500, "")
	f("POST", "CREATE TABLE got (n UInt8) ENGINE = Memory", 200, "")
	f("GET", "INSERT INTO got VALUES (1)", 500, "(READONLY)")
	f("GET", "SELECT count() FROM got", 200, "0\n")
}
