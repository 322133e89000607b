package message

// Fields that mark a request of Understudy's own; their value is the name of the
// run.
const (
	// RunMark is on what is sent to a candidate.
	RunMark = "Understudy-Run"
	// ControlMark is on what a baseline is asked again. A recorder does not take
	// it for a user's.
	ControlMark = "Understudy-Control"
	// HopMark is on what a recorder sends to its baseline: an id of each recorder
	// on the way, by which one knows a request that comes back to it.
	HopMark = "Understudy-Hop"
)
