package recorder_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/recorder"
	"understudy.dev/recorder/recordertest"
)

// A Go service records itself: no proxy stands before it. Here the sink keeps what
// it is given; kafka.NewSink writes it to Kafka.
func ExampleRecorder_Wrap() {
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":1042,"state":"placed"}`)
	})

	cfg := recorder.DefaultConfig()
	cfg.Instance, cfg.Key = "orders-1", "sixteen bytes or more, from a file"
	sink := new(recordertest.Sink)
	rec, err := recorder.New(cfg, sink, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- rec.Run(ctx) }()

	server := httptest.NewServer(rec.Wrap(orders))
	answer, err := http.Post(server.URL+"/shops/7/orders?token=s3cret", "application/json", strings.NewReader(`{"sku":"book"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	answer.Body.Close()

	// First the traffic ends, then the recorder: it writes what is pending, and a
	// last tally.
	server.Close()
	stop()
	if err := <-ended; err != nil {
		fmt.Println(err)
	}
	for _, e := range sink.Exchanges() {
		path, _, _ := strings.Cut(string(e.GetRequest().GetTarget()), "?")
		fmt.Printf("%d: %s (%s), answered %d: %s\n", e.GetSequence(), e.GetRoute(), path, e.GetResponse().GetStatus(), e.GetResponse().GetBody().GetContent())
		for _, r := range e.GetRedactions() {
			fmt.Println("redacted:", r.GetPlace(), r.GetName())
		}
	}
	n := rec.Tally()
	fmt.Println("served", n.Served, "recorded", n.Recorded)

	// Output:
	// 1: POST /shops/{id}/orders (/shops/7/orders), answered 201: {"id":1042,"state":"placed"}
	// redacted: PLACE_REQUEST_TARGET token
	// served 1 recorded 1
}
