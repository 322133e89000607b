package noise

import (
	"understudy.dev/exchange/names"
	"understudy.dev/exchange/timestamp"
)

// Reason is one ground for the class of two values, for people. Values that
// have parts (words, links) have one for each part.
type Reason struct {
	Text string
	// Pair is the pair of names that it goes by; nil for none.
	Pair *names.Pair
}

// Explain is Class with the grounds for it, those for "" included.
func (e *Evidence) Explain(path []string, baseline, candidate Value) (class string, reasons []Reason) {
	e.reasons = &reasons
	defer func() { e.reasons = nil }()
	class = e.Class(path, baseline, candidate)
	switch {
	case len(reasons) == 0:
		e.because("nothing in the record explains it")
	case class == "" && names.IsLink(baseline.Text):
		e.because("the links differ in a part that nothing explains")
	}
	return class, reasons
}

// because notes a reason if somebody wants to know.
func (e *Evidence) because(text string) {
	if e.reasons != nil {
		*e.reasons = append(*e.reasons, Reason{Text: text})
	}
}

func (e *Evidence) byPair(p names.Pair, text string) {
	if e.reasons == nil {
		return
	}
	pair := p
	*e.reasons = append(*e.reasons, Reason{Text: text, Pair: &pair})
}

// byPut: a name was put into the baseline's answer, and the candidate says
// another.
func (e *Evidence) byPut(at names.Place, name string) {
	if e.reasons == nil {
		return
	}
	const text = "the candidate calls the thing otherwise"
	if p, ok := e.Pairs.For(at, name); ok {
		e.byPair(p, text)
	} else {
		e.because(text)
	}
}

// byShown: the session has shown the baseline's time before.
func (e *Evidence) byShown(tie timestamp.Tie) {
	switch tie {
	case timestamp.Tied:
		e.because("the session has shown the two times as one moment")
	case timestamp.Doubtful:
		e.because("the session has shown the two times as near one moment, and other events are as near")
	default:
		e.because("the session has shown the baseline's time as another one of the candidate")
	}
}

func (e *Evidence) byFrame(baseline, candidate timestamp.Time) {
	if e.reasons != nil {
		e.because(e.Frame.Explain(baseline, candidate))
	}
}
