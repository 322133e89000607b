package comparator

import (
	"strings"

	"understudy.dev/comparator/noise"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// control is what the baseline said when it was asked again beside the
// candidate, as far as it differs from what was recorded. nil is a replay
// without a control.
type control struct {
	answer *understudyv1.Response
	places places
	// elements are the folded paths of lists whose elements differ: which of them
	// is another one cannot be said.
	elements map[string]bool
}

// control compares the baseline's second answer with its first, in the same way
// as the candidate's: in the names of who answered, with all rules and noise.
func (j *Judge) control(r *understudyv1.Replay) *control {
	answer := r.GetControl().GetAck()
	if answer == nil {
		return nil
	}
	out := &control{answer: answer, places: newPlaces(), elements: map[string]bool{}}
	recorded := r.GetExchange().GetResponse()
	if accepts(answer) != accepts(recorded) {
		out.places.refuse(refused(recorded, answer))
		return out
	}
	again := &understudyv1.Replay{
		Exchange: r.GetExchange(), Candidate: r.GetControl(), CandidateAuthority: r.GetControlAuthority(), CandidateScheme: r.GetControlScheme(),
		SentUnixNano: r.GetControlSentUnixNano(), ClosedUnixNano: r.GetClosedUnixNano(), Speed: r.GetSpeed(), Moments: r.GetMoments(),
		Substitutions: r.GetControlSubstitutions(),
	}
	found := &collector{max: 1}
	x := &comparing{j: j, c: found, r: again, rs: j.rulesFor(r), baseline: recorded, final: answer, places: &out.places}
	x.compare()
	if x.stuck {
		out.places.overflow()
	}
	for _, n := range out.places.at {
		if n.isElement() && !n.proven() {
			out.elements[n.path] = true
		}
	}
	return out
}

// refused is the difference of two answers of which one is a refusal. A refusal
// has nothing in common with an answer: field by field they would only bury what
// happened.
func refused(baseline, final *understudyv1.Response) Difference {
	return Difference{
		Place: InStatus, Path: "status", Location: "status", Kind: Status,
		Baseline: describe(baseline), Candidate: describe(final),
	}
}

// ownDifference is why a control excuses a difference.
const ownDifference = "the baseline, asked again in this replay, differs from its own recording here in the same way"

// class is the noise class of a difference of the candidate, of this class
// without a control: harmless where the baseline differs from itself in the same
// way. What the record or a rule explains stays theirs.
func (k *control) class(d Difference, baseline, candidate noise.Value) string {
	if k == nil || k.places.over || !d.Counts() && !d.Presumed() || d.Place == InCompletion {
		return d.Noise
	}
	n := newNote(d, baseline, candidate)
	own, ok := k.places.at[n.key()]
	switch {
	case n.isElement() && k.elements[n.path]:
	case ok && !own.proven() && n.like(own):
		if n.kind == Unparsable {
			return Incomparable // two that nobody can read may be anything
		}
	default:
		return d.Noise
	}
	return noise.ByControl(d.Noise)
}

// maxPlaces bounds the places of one answer that are kept for a comparison with
// the other; beyond it none is.
const maxPlaces = 2000

// places are those at which an answer differs from the recorded one.
type places struct {
	at map[string]note
	// over: there were too many, or the search ended early. A part of them would
	// make the two answers look more different than they are.
	over bool
	// refusal: one of the two is a refusal, and nothing but the status is known.
	refusal bool
}

func newPlaces() places { return places{at: map[string]note{}} }

func (p *places) note(d Difference, baseline, other noise.Value) {
	n := newNote(d, baseline, other)
	if old, ok := p.at[n.key()]; ok && !old.proven() {
		return // one that counts stands for its place
	}
	if len(p.at) >= maxPlaces {
		p.overflow()
	}
	if !p.over {
		p.at[n.key()] = n
	}
}

func (p *places) refuse(d Difference) {
	*p = newPlaces()
	p.refusal = true
	p.note(d, noise.Value{}, noise.Value{})
}

// status is what is known of the status alone.
func (p places) status() places {
	out := newPlaces()
	for key, n := range p.at {
		if n.kind == Status {
			out.at[key] = n
		}
	}
	return out
}

func (p *places) overflow() { p.over, p.at = true, map[string]note{} }

// note is a place at which an answer differs from the recorded one.
type note struct {
	place          Place
	path, location string
	kind           Kind
	class          string
	// recorded and other are the values as text; those of another type are as
	// they were written, with their quotes.
	recorded, other noise.Value
}

func newNote(d Difference, baseline, other noise.Value) note {
	return note{
		place: d.Place, path: d.Path, location: d.Location, kind: d.Kind, class: d.Noise,
		recorded: noise.Value{Text: d.Baseline, Number: baseline.Number}, other: noise.Value{Text: d.Candidate, Number: other.Number},
	}
}

func (n note) key() string { return string(n.place) + " " + n.location }

// proven: something else than a control explains it.
func (n note) proven() bool { return n.class != "" && !noise.IsPresumed(n.class) }

// isElement: an element of a list is missing, more, or elsewhere.
func (n note) isElement() bool {
	return (n.kind == Missing || n.kind == Extra) && strings.HasSuffix(n.path, "[]") || n.kind == Order
}

// like says whether two answers differ from the recorded one in the same way:
// neither gives what the other could not have given.
func (n note) like(own note) bool {
	switch {
	case (n.kind == Value || n.kind == Extra) && n.other.Text == "" && own.other.Text != "":
		return false // nothing is no other value
	case n.kind == Value && own.kind == Type:
		return true // it has the recorded type
	case n.kind != own.kind:
		return false
	case n.kind == Type:
		return typeOf(n.other.Text) == typeOf(own.other.Text)
	case n.kind == Status:
		return n.other == own.other // each says something else
	case n.kind == Extra:
		return n.other.Number == own.other.Number
	}
	return true
}

// typeOf is the type of a JSON value by how it begins.
func typeOf(raw string) byte {
	if raw == "" {
		return 0
	}
	switch c := raw[0]; c {
	case '"', '{', '[', 'n':
		return c
	case 't', 'f':
		return 't'
	}
	return '0'
}
