// Package target sends requests to the system under rehearsal and waits for
// how they end. A channel is one way in which a completion comes, and has a file
// of its own: poll.go (held polls too), stream.go, callback.go and topic.go. What
// is delivered finds its request through the correlator. What the documents of
// long-running operations mean is known to exchange/operation.
//
// Everything that the candidate says is hostile input: where it points, how
// much it sends, how long it takes.
package target
