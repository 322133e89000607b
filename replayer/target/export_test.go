package target

import "time"

// End settles a request at a moment of the test's choice.
func End(t *Turn, at time.Time) { t.endAt(at, true) }

// Pending notes a poll at a moment of the test's choice.
func Pending(t *Turn, at time.Time) { t.pendingAt(at) }
