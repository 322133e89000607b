package replayer

import understudyv1 "understudy.dev/schemas/understudy/v1"

// weight is about how many bytes an exchange holds in memory while it is in
// flight, the candidate's like answer included.
func weight(e *understudyv1.Exchange) int64 {
	const heads = 4 << 10
	return heads + int64(len(e.GetRequest().GetBody().GetContent())) + 2*int64(len(e.GetResponse().GetBody().GetContent()))
}

// withControl is the weight with the control's answer, if there is to be one.
func withControl(e *understudyv1.Exchange, isControlled bool) int64 {
	n := weight(e)
	if isControlled {
		n += int64(len(e.GetResponse().GetBody().GetContent()))
	}
	return n
}
