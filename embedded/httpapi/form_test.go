package httpapi_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"strings"
	"testing"
)

func TestForms(t *testing.T) {
	f := func(in string, fields map[string]string, file string, status int, want string) {
		t.Helper()
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for name, value := range fields {
			if err := w.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
		if file != "" {
			part, err := w.CreateFormFile(file, file)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(part, "1\n")
		}
		w.Close()
		r := ask(t, "POST", in, &b, "Content-Type", w.FormDataContentType())
		if r.status != status || !strings.Contains(r.body, want) {
			t.Errorf("%s %.100q: got %d %.200q, want %d %q", in, fields, r.status, r.body, status, want)
		}
	}
	long := strings.Repeat("x", 2<<20) // does not fit into a URL
	sql := "SELECT length({s:String}), {n:UInt8}, getSetting('max_threads')"
	f(target("query", sql, "param_n", "7", "max_threads", "3"), map[string]string{"param_s": long}, "", 200, "2097152\t7\t3\n")
	f("", map[string]string{"query": sql, "param_s": "it's", "param_n": "7", "max_threads": "3"}, "", 200, "4\t7\t3\n")
	f("", map[string]string{"query": "SELECT 1", "default_format": "JSONEachRow"}, "", 200, "{\"1\":1}\n")
	f(target("query", "SELECT * FROM ext", "ext_structure", "n UInt8"), nil, "ext", 501, "external table \"ext\"")
	f("", map[string]string{"query": strings.Repeat("x", 17<<20)}, "", 413, "QUERY_IS_TOO_LARGE")
	f("", nil, "", 400, "Empty query")
	r := ask(t, "POST", target("query", "SELECT 1"), strings.NewReader("no parts"), "Content-Type", "multipart/form-data; boundary=b")
	if r.status != 400 || !strings.Contains(r.body, "not multipart/form-data") {
		t.Errorf("got %d %q", r.status, r.body)
	}
}
