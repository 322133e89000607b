package books

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
	// ReasonPanic: the handler panicked and no transport error explains it, or
	// recording did.
	ReasonPanic = "panic"
	// ReasonPaused: the kill switch was on.
	ReasonPaused = "paused"
	// ReasonControl: it was no user's but a replay's that asked the baseline
	// again.
	ReasonControl = "control"
)

// Reasons lists them all.
func Reasons() []string {
	return []string{ReasonBufferFull, ReasonMemory, ReasonTooLarge, ReasonKafka, ReasonShutdown, ReasonPanic, ReasonPaused, ReasonControl}
}
