package target_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/replayer/target"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// FuzzMonitor: whatever an acknowledgement says, only the candidate is called.
func FuzzMonitor(f *testing.F) {
	f.Add("Location", "/op", "")
	f.Add("Link", `<//elsewhere/op>; rel="status"`, "")
	f.Add("Operation-Location", "http://candidate.example@elsewhere/", "")
	f.Add("", "", `{"_links":{"monitor":{"href":"https://candidate.example:80/"}}}`)
	c := target.DefaultConfig()
	c.URL = "http://candidate.example"
	client, err := target.New(c, func(*understudyv1.Orphan) {}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, value, body string) {
		h := http.Header{}
		h.Set(name, value)
		u, err := target.Monitor(client, h, []byte(body))
		if err != nil {
			return
		}
		again, err := url.Parse(u.String()) // as the request line will say it
		if err != nil {
			return // cannot be asked
		}
		port := again.Port()
		if again.Scheme != "http" || !strings.EqualFold(again.Hostname(), "candidate.example") || port != "" && port != "80" || again.User != nil {
			t.Errorf("%q: %q, %q leads to %s", name, value, body, u)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add(200, `{"name":"op/1","done":true,"response":{"n":1}}`, "/status", "running", "/result")
	f.Add(202, `{"status":"running"}`, "", "", "")
	f.Add(200, `{"a~b":{"/":[1,{"x":null}]}}`, "/a~0b/~1/1/x", "null", "/a~0b")
	f.Fuzz(func(t *testing.T, status int, body, pointer, value, result string) {
		p := target.Completion{Pending: target.Condition{Pointer: pointer, Values: []string{value}}, Result: result}
		r := &understudyv1.Response{Status: uint32(status), Body: &understudyv1.Body{Content: []byte(body)}}
		for _, operation := range []bool{false, true} {
			isPending, answer := target.Read(p, r, operation)
			if isPending != (answer == nil) {
				t.Errorf("pending %v, answer %v", isPending, answer)
			}
		}
		if string(r.GetBody().GetContent()) != body {
			t.Error("reading changed the document")
		}
	})
}

func FuzzWithString(f *testing.F) {
	f.Add(`{"a":{"b":1}}`, "/a/b")
	f.Add(`{"a":{}}`, "/a/x~1y")
	f.Fuzz(func(t *testing.T, body, pointer string) {
		got, err := target.WithString([]byte(body), pointer, "u")
		if err != nil || !json.Valid([]byte(body)) {
			return
		}
		if !json.Valid(got) {
			t.Fatalf("%q at %q became %q", body, pointer, got)
		}
	})
}

func BenchmarkDo(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"id":1}`) }))
	defer server.Close()
	c := target.DefaultConfig()
	c.URL, c.Run = server.URL, "r"
	client, err := target.New(c, func(*understudyv1.Orphan) {}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	stop, err := client.Start(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer stop()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		q := post(client)
		q.URL.Opaque = fmt.Sprint("/orders/", i)
		client.Do(b.Context(), target.Request{
			HTTP: q, Body: []byte(`{"n":1}`), Route: "POST /orders/{id}", Scheduled: time.Now(),
			Sent: func(time.Time) {}, Acked: func(*understudyv1.Response) {}, Final: func(*understudyv1.Response) {},
		})
	}
}
