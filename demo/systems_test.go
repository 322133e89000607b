package demo

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"understudy.dev/demo/traffic"
)

func TestSystemsServeAndEnd(t *testing.T) {
	s := New(true)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()

	config := traffic.DefaultConfig()
	config.BaseURL, config.Sessions, config.Arrive, config.ThinkMin, config.ThinkMax = s.Baseline, 8, 0, 0, 0
	users, err := traffic.New(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	if counts, err := users.Run(ctx); err != nil || counts.Failed+counts.Broken > 0 {
		t.Errorf("traffic: %+v, %v", counts, err)
	}
	r, _ := http.NewRequest("POST", s.Candidate+"/orders", strings.NewReader(`{}`))
	r.Header.Set("Authorization", Credential)
	w, err := http.DefaultClient.Do(r)
	if err != nil || w.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("candidate: %v, %v", w, err)
	}
	w.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if len(s.Planted()) == 0 || New(false).Planted() != nil {
		t.Error("the faulty systems have no book, or the others have one")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
