package target_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/target"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

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
