package pace_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"understudy.dev/exchange/pace"
)

func TestUntilWaitsAndGivesUp(t *testing.T) {
	p, stop := pace.Start()
	defer stop()
	due := time.Now().Add(10 * time.Millisecond)
	if err := p.Until(t.Context(), due); err != nil || time.Now().Before(due) {
		t.Errorf("came back %s early, %v", time.Until(due), err)
	}
	if err := p.Until(t.Context(), due.Add(-time.Hour)); err != nil {
		t.Errorf("the past is waited for: %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		q, stop := pace.Start()
		defer stop()
		due := time.Now().Add(10 * time.Millisecond) // to the end, in which threads sleep and virtual time does not run
		if err := q.Until(ctx, due); err != nil || !time.Now().Equal(due) {
			t.Errorf("%v, %s after", err, time.Since(due))
		}
		if err := q.Until(ctx, time.Now().Add(time.Hour)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
