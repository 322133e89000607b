package candidate

import "time"

// End settles an operation at a moment of the test's choice.
func End(op *Operation, at time.Time) { op.endAt(at, true) }

// Pending notes a poll at a moment of the test's choice.
func Pending(op *Operation, at time.Time) { op.pendingAt(at) }
