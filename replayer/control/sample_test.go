package control_test

import (
	"fmt"
	"testing"

	"understudy.dev/replayer/control"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestTheShareIsRaised on routes that have few, and is the share on the others.
func TestTheShareIsRaised(t *testing.T) {
	s := control.NewSample(control.Config{Share: 0.1, PerRoute: 20}, "r")
	taken := map[string]int{}
	for i := range 10_000 {
		route := "GET /often"
		if i%200 == 0 {
			route = fmt.Sprint("GET /rare/", i/200%2)
		}
		if s.Take(&understudyv1.Exchange{Id: fmt.Sprint(i), Route: route}) {
			taken[route]++
		}
	}
	if n := taken["GET /often"]; n < 900 || n > 1150 {
		t.Errorf("a route with 9,950 has %d", n)
	}
	for _, rare := range []string{"GET /rare/0", "GET /rare/1"} {
		if n := taken[rare]; n < 20 || n > 25 {
			t.Errorf("%s with 25 has %d", rare, n)
		}
	}
}

// TestTheRaiseIsBounded, however many routes there are.
func TestTheRaiseIsBounded(t *testing.T) {
	s := control.NewSample(control.Config{Share: 0.01, PerRoute: 20}, "r")
	taken := 0
	for i := range 50_000 {
		if s.Take(&understudyv1.Exchange{Id: fmt.Sprint(i), Route: fmt.Sprint("GET /", i)}) {
			taken++
		}
	}
	if taken < 1400 || taken > 2200 {
		t.Errorf("%d of 50,000 at a share of 0.01", taken)
	}
}

// TestSessionsAreTakenWhole by another instance, and in the share.
func TestSessionsAreTakenWhole(t *testing.T) {
	s := control.NewSample(control.Config{Share: 0.2, Isolated: true}, "r")
	choice, taken := map[string]bool{}, 0
	for i := range 20_000 {
		session := fmt.Sprint("s", i%2000)
		take := s.Take(&understudyv1.Exchange{Id: fmt.Sprint(i), Session: session, Route: fmt.Sprint("GET /", i%7)})
		if before, known := choice[session]; known && before != take {
			t.Fatalf("session %s is taken in part", session)
		}
		if choice[session] = take; take {
			taken++
		}
	}
	if taken < 3200 || taken > 4800 {
		t.Errorf("%d of 20,000, want a fifth", taken)
	}
}

// TestInShare: what may not be asked about is counted by the share, and raises
// nothing.
func TestInShare(t *testing.T) {
	s := control.NewSample(control.Config{Share: 0.1, PerRoute: 20}, "r")
	in := 0
	for i := range 2000 {
		if s.InShare(&understudyv1.Exchange{Id: fmt.Sprint(i), Route: "POST /rare"}) {
			in++
		}
	}
	if in < 150 || in > 250 {
		t.Errorf("%d of 2,000, want a tenth", in)
	}
}
