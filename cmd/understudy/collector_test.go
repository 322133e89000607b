package main

import (
	"errors"
	"math"
	"runtime/debug"
	"testing"
)

func TestWithinCgroup(t *testing.T) {
	f := func(limit int64, allowed uint64, err error, want int64) {
		t.Helper()
		if got := withinCgroup(limit, func() (uint64, error) { return allowed, err }); got != want {
			t.Errorf("limit %d, cgroup %d, %v: got %d, want %d", limit, allowed, err, got, want)
		}
	}
	f(512<<20, 0, errors.New("no cgroup"), 512<<20)
	f(512<<20, 1<<30, nil, 512<<20)
	f(1000, 1000, nil, 900)
	f(512<<20, math.MaxUint64, nil, 512<<20) // no limit is written as the largest number
}

// TestTheOperatorsLimitsStay: GOGC and GOMEMLIMIT go before what a command
// would like.
func TestTheOperatorsLimitsStay(t *testing.T) {
	percent, limit := debug.SetGCPercent(77), debug.SetMemoryLimit(123<<20)
	defer func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) }()
	t.Setenv("GOGC", "77")
	t.Setenv("GOMEMLIMIT", "123MiB")
	calmCollector(400, 512<<20)
	if p, l := debug.SetGCPercent(77), debug.SetMemoryLimit(-1); p != 77 || l != 123<<20 {
		t.Errorf("GOGC is %d, GOMEMLIMIT %d: changed", p, l)
	}
}
