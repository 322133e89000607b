package demo

import (
	"context"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"understudy.dev/demo/baseline"
	"understudy.dev/demo/candidate"
	"understudy.dev/demo/fault"
	"understudy.dev/demo/traffic"
)

// drive runs the demo's traffic against one system in virtual time.
func drive(t *testing.T, async bool, book *fault.Book) (*client, traffic.Counts) {
	t.Helper()
	c := newClient()
	var counts traffic.Counts
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		if c.async = async; async {
			system := candidate.New(candidate.Config{Authorization: credential, Faults: book, Callbacks: c})
			go func() { ended <- system.Run(ctx) }()
			c.handler = system
		} else {
			c.handler = baseline.New()
			ended <- nil
		}
		config := traffic.DefaultConfig()
		config.BaseURL = "http://demo.invalid"
		users, err := traffic.New(config, c)
		if err != nil {
			t.Fatal(err)
		}
		if counts, err = users.Run(ctx); err != nil {
			t.Fatal(err)
		}
		c.background.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
	return c, counts
}

func TestAgreeWithoutFaults(t *testing.T) {
	b, counts := drive(t, false, nil)
	c, same := drive(t, true, nil)
	if counts.Requests != same.Requests || !reflect.DeepEqual(counts.ByRoute, same.ByRoute) {
		t.Errorf("counts: baseline %+v, candidate %+v", counts, same)
	}
	if counts.Broken+counts.Failed > 0 || counts.Requests < 1200 || counts.Requests > 2000 {
		t.Errorf("traffic: %+v", counts)
	}
	for reference, want := range b.outcomes {
		got := c.outcomes[reference]
		if got == nil || got.Status != want.Status || got.Content != want.Content {
			t.Fatalf("%s %s: baseline %+v, candidate %+v", reference, want.Route, want, got)
		}
		if len(got.Bodies) != 1 || got.Took > 300*time.Millisecond {
			t.Errorf("%s: %d completions after %v", reference, len(got.Bodies), got.Took)
		}
	}
	if raw(b, "POST /orders") == raw(c, "POST /orders") {
		t.Error("no noise at all between the two systems")
	}
}

func raw(c *client, route string) string {
	for _, o := range c.outcomes {
		if o.Route == route {
			return o.Bodies[0]
		}
	}
	return ""
}

func TestFaultsAreThoseInTheBook(t *testing.T) {
	b, _ := drive(t, false, nil)
	book := fault.NewBook()
	c, _ := drive(t, true, book)

	planted := map[string]fault.Name{}
	orphans := 0
	for _, p := range book.Planted() {
		t.Logf("%-14s %d", p.Name, len(p.References))
		if len(p.References) < 3 {
			t.Errorf("%s: planted %d times, want enough to be seen", p.Name, len(p.References))
		}
		for _, reference := range p.References {
			if other := planted[reference]; other != "" {
				t.Errorf("%s carries %s and %s", reference, other, p.Name)
			}
			planted[reference] = p.Name
		}
		if p.Name == fault.Orphan {
			orphans = len(p.References)
		}
	}
	if c.orphans != orphans {
		t.Errorf("%d callbacks that nobody asked for, the book says %d", c.orphans, orphans)
	}
	for reference, want := range b.outcomes {
		if got := seen(want, c.outcomes[reference], c, reference); got != planted[reference] {
			t.Errorf("%s %s shows %q, the book says %q", reference, want.Route, got, planted[reference])
		}
	}
}
