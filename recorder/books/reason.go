package books

import "slices"

// Reasons for which a request that was served is not recorded, as they stand
// in tallies and metrics.
const (
	// ReasonBufferFull: the queue or the sink's buffer was full.
	ReasonBufferFull = "buffer_full"
	// ReasonMemory: its head did not fit under the memory limit.
	ReasonMemory = "memory"
	// ReasonTooLarge: the sink cannot take an exchange of this size.
	ReasonTooLarge = "too_large"
	// ReasonKafka: the sink lost it.
	ReasonKafka = "kafka_error"
	// ReasonShutdown: it was unfinished when the recorder stopped, or came
	// after.
	ReasonShutdown = "shutdown"
	// ReasonPanic: the handler panicked and no transport error explains it.
	ReasonPanic = "panic"
	// ReasonPaused: the kill switch was on.
	ReasonPaused = "paused"
	// ReasonControl: it was no user's but a replay's that asked the baseline
	// again.
	ReasonControl = "control"
	// ReasonReplay: it was no user's but a replay's whose candidate is behind
	// this recorder.
	ReasonReplay = "replay"
	// ReasonSampled: sampling or a selection left it out.
	ReasonSampled = "sampled"
	// ReasonKilled: the recorder was killed while it had it.
	ReasonKilled = "killed"
	// ReasonSpoolFull: the spool was at its bound, or its disk was full.
	ReasonSpoolFull = "spool_full"
	// ReasonSpoolExpired: it lay in the spool for longer than the maximum age.
	ReasonSpoolExpired = "spool_expired"
	// ReasonSpoolError: the spool's disk failed, or gave back something else
	// than was written.
	ReasonSpoolError = "spool_error"
	// ReasonInternal: a fault of this program.
	ReasonInternal = "internal"
)

// reasons stand in the order of their places in a page: new ones go before the
// last.
var reasons = []string{
	ReasonBufferFull, ReasonMemory, ReasonTooLarge, ReasonKafka, ReasonShutdown, ReasonPanic, ReasonPaused, ReasonControl,
	ReasonReplay, ReasonSampled, ReasonKilled, ReasonSpoolFull, ReasonSpoolExpired, ReasonSpoolError, ReasonInternal,
}

// Reasons lists them all.
func Reasons() []string { return slices.Clone(reasons) }
