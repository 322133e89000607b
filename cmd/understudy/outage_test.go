package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/twmb/franz-go/pkg/kerr"
)

// TestOutageIsSatOut: what gives no answer is asked again for a minute, what refuses is
// not, and another outage has a minute of its own.
func TestOutageIsSatOut(t *testing.T) {
	var o outage
	at := time.Now()
	f := func(after time.Duration, err error, want bool) {
		t.Helper()
		if got := o.bear(err, at.Add(after)); got != want {
			t.Errorf("after %s, %v: %v", after, err, got)
		}
	}
	away := fmt.Errorf("roll up: %w", io.EOF)
	f(0, away, true)
	f(59*time.Second, errors.New("connection refused"), true)
	f(60*time.Second, away, false)
	f(61*time.Second, nil, false)
	f(62*time.Second, away, true)
	f(63*time.Second, fmt.Errorf("offsets: %w", kerr.CoordinatorNotAvailable), true)
	f(63*time.Second, fmt.Errorf("offsets: %w", kerr.GroupAuthorizationFailed), false)
	f(63*time.Second, fmt.Errorf("insert: %w", &clickhouse.Exception{Code: 60}), false)
	f(63*time.Second, context.Canceled, false)
}
