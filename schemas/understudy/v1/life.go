package understudyv1

// Life is one life of a recorder. Numbers of exchanges are unique within it.
type Life struct {
	Recorder string
	// StartUnixNano is when it began; 0 for imports and for what earlier versions
	// wrote, which say no start in their exchanges.
	StartUnixNano int64
}

// Life is which life of a recorder the exchange is of.
func (x *Exchange) Life() Life { return Life{x.GetRecorder(), x.GetRecorderStartUnixNano()} }

// Life is whose tally it is.
func (x *Tally) Life() Life {
	if x.GetIntervalNano() == 0 { // an import's or an earlier version's
		return Life{Recorder: x.GetRecorder()}
	}
	return Life{x.GetRecorder(), x.GetStartUnixNano()}
}
