package curl_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode"

	"understudy.dev/exchange/curl"
	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func header(name, value string) *understudyv1.Header {
	return &understudyv1.Header{Name: name, Value: []byte(value)}
}

// TestCommandSendsTheRequest runs the commands in a shell, and looks at what
// arrives.
func TestCommandSendsTheRequest(t *testing.T) {
	for _, name := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	f := func(method, target, content string, headers ...*understudyv1.Header) {
		t.Helper()
		command, _ := curl.Command(&understudyv1.Request{
			Method: method, Target: []byte(target), Scheme: "http", Authority: server.Listener.Addr().String(),
			Headers: headers, Body: message.BodyOf([]byte(content)),
		})
		if i := strings.IndexFunc(command, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("a terminal could act on byte %d of %q", i, command)
		}
		got, body = nil, nil
		shell := exec.CommandContext(t.Context(), "sh")
		shell.Stdin = strings.NewReader(command)
		if out, err := shell.CombinedOutput(); err != nil || got == nil {
			t.Fatalf("%.300s: %v\n%.300s", command, err, out)
		}
		want := http.Header{}
		for _, h := range headers {
			want.Add(h.Name, string(h.Value))
		}
		for name := range want {
			if fmt.Sprintf("%q", got.Header[name]) != fmt.Sprintf("%q", want[name]) {
				t.Errorf("%s: got %q, want %q\n%s", name, got.Header[name], want[name], command)
			}
		}
		for _, own := range []string{"Accept", "User-Agent", "Content-Type"} {
			if want[own] == nil && got.Header[own] != nil {
				t.Errorf("curl has sent its own %s\n%s", own, command)
			}
		}
		if got.Method != method || got.RequestURI != target || !bytes.Equal(body, []byte(content)) {
			t.Errorf("got %s %s with %d bytes, want %s %s with %d bytes\n%.300s", got.Method, got.RequestURI, len(body), method, target, len(content), command)
		}
	}
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	f("GET", "/orders/17?a=1&b={2}[3]", "")
	f("HEAD", "/a/../b/./c", "")
	f("DELETE", "/it's?$(touch+x)`id`&x=\"%22", "")
	f("POST", "/orders", `{"name":"it's \"$HOME\" \\ !! %s"}`+"\n", header("Content-Type", "application/json"), header("User-Agent", "me"), header("Accept", "*/*"))
	f("POST", "/", "@/etc/hostname")
	f("PUT", "/", "-n", header("X-Empty", ""), header("X-Two", "1"), header("X-Two", "2; $(id)"))
	f("PATCH", "/", string(every))
	f("POST", "/", strings.Repeat("100 % long\n", 30_000))
	f("POST", "/", "\x1b[2Jescape", header("X-Byte", "caf\xe9 \u202e\u009b"), header("Accept-Encoding", "gzip"))
}

// TestCommandSaysWhatItCannot: secrets that are gone, and what curl has no way
// to send.
func TestCommandSaysWhatItCannot(t *testing.T) {
	token := "rdx_" + strings.Repeat("a", 22)
	body := message.BodyOf([]byte(`{"password":"` + token + `"}`))
	body.Truncated, body.Length = true, 1000
	command, remarks := curl.Command(&understudyv1.Request{
		Method: "POST", Target: []byte("/login?key=" + token),
		Headers:  []*understudyv1.Header{header("Authorization", "Bearer "+token), header("@file", "x"), header("Host", "other")},
		Trailers: []*understudyv1.Header{header("X-Sum", "1")}, Body: body,
	})
	said := strings.Join(remarks, "\n")
	for _, want := range []string{"the target holds tokens", "Authorization holds a token", "the body holds tokens", "not whole: 41 of 1000", "no trailers", "in the place of HOST", "left out"} {
		if !strings.Contains(said, want) {
			t.Errorf("not said: %s\n%s", want, said)
		}
	}
	if !strings.Contains(command, "http://HOST/login") || strings.Contains(command, "@file") {
		t.Error(command)
	}
}
