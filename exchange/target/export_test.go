package target

import "time"

// End settles a request at a moment of the test's choice.
func End(t *Turn, at time.Time) { t.endAt(at, place{}, true) }

// Acknowledge notes that the candidate knows of a request.
func Acknowledge(t *Turn) { t.acknowledged() }

// Pending notes a poll at a moment of the test's choice.
func Pending(t *Turn, at time.Time) { t.pendingAt(at) }
