package main

import (
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// calmCollector lets the heap grow further between collections: a small heap
// that is collected all the time costs the traffic more CPU, and the schedule
// more delay, than the memory is worth. Near limit bytes it is collected more
// often again. What the operator sets takes precedence: GOGC and GOMEMLIMIT are
// left alone, and limit is at most nine tenths of what the cgroup allows.
func calmCollector(percent int, limit int64) {
	_, ownPercent := os.LookupEnv("GOGC")
	_, ownLimit := os.LookupEnv("GOMEMLIMIT")
	if !ownPercent {
		debug.SetGCPercent(percent)
	}
	if !ownLimit {
		debug.SetMemoryLimit(withinCgroup(limit, memlimit.FromCgroup))
	}
}

// withinCgroup is limit, or less where the cgroup does not allow as much. A
// process outside any cgroup has no bound but limit.
func withinCgroup(limit int64, cgroup memlimit.Provider) int64 {
	allowed, err := cgroup()
	if err != nil || allowed == 0 {
		return limit
	}
	return min(limit, int64(min(allowed, 1<<62)/10*9))
}
