package comparator

import (
	"bytes"
	"slices"
	"strings"

	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// kept looks for things that should be called otherwise by now, as far as it is
// known, and are not, where that is not compared: names that are only aligned;
// names in a body of which only a part is there, which may be the same to the
// byte and wrong; numbers in texts, as keys of a map that does not say what it is
// keyed by, and where another member or nothing says what they name; moments.
func (x *comparing) kept() {
	cut := x.final.GetBody().GetTruncated() || x.baseline.GetBody().GetTruncated()
	var b, f *names.Text
	var bodies [2][]byte
	read := func() bool {
		if b != nil {
			return true
		}
		for i, r := range [...]*understudyv1.Response{x.baseline, x.final} {
			body, err := r.GetBody().GetContent(), error(nil)
			if !cut {
				body, err = x.j.decoded(r)
			}
			if err != nil || len(body) == 0 || cut && contentEncoding(r) != "" {
				return false
			}
			bodies[i] = body
		}
		b, f = names.NewText(bodies[0]), names.NewText(bodies[1])
		return true
	}
	var both *standing
	for _, p := range x.known.All() {
		name, created, moment := p.Baseline.Text, p.Proof == names.Created, p.Kind == names.Moment.Kind
		certain := names.IsUnmistakable(name)
		switch {
		case !p.Holds() || p.Candidate.Text == name || p.From == x.r.GetExchange().GetId():
			continue
		case moment && (cut || len(name) < longTime):
			continue // a day, or seconds, may be that of something else
		case !moment && created && !cut && certain:
			continue // it was replaced wherever it stood, and compared
		case !moment && !certain && (len(name) < 2 || !names.IsDigits(name)):
			continue // a word
		case !read():
			return
		case !b.Has(name) || !f.Has(name):
			continue
		}
		class := noise.Presumed(noise.Identifier)
		switch {
		case moment:
			class = noise.Presumed(noise.Timestamp)
		case created && cut && certain:
			class = ""
		case created && cut:
			class = Incomparable
		case certain:
		case !x.isTheirs(name) && isNamed(bodies[0], p.Kind, name) && isNamed(bodies[1], p.Kind, name):
		default:
			if both == nil {
				both = x.standing(bodies)
			}
			if !both.may(p) {
				continue
			}
		}
		x.add(Difference{
			Place: InBody, Path: "$", Location: "$", Kind: Value, Baseline: p.Candidate.Text, Candidate: name, Noise: class,
			Why: x.c.because("both answers hold the baseline's name, which the candidate should call otherwise by now", p),
		}, noise.Value{}, noise.Value{})
	}
}

// longTime is from which length on, in bytes, a time is that of one event.
const longTime = len("2026-11-26T10:00:00")

// standing are names that stand at the same place of two documents, unchanged.
type standing struct {
	places map[string][]names.Place
	bodies [2][]byte
	family string
	known  map[string]bool // kinds of which names are known
}

// standing finds them. Documents with other numbers of names are not the same.
func (x *comparing) standing(bodies [2][]byte) *standing {
	q := x.r.GetExchange().GetRequest()
	s := &standing{places: map[string][]names.Place{}, bodies: bodies, family: names.Family(string(q.GetTarget()), nil), known: map[string]bool{}}
	for _, p := range x.known.All() {
		s.known[p.Kind] = true
	}
	var found [2][]names.Name
	for i, body := range bodies {
		f := names.NewFinder(string(q.GetTarget()), nil).Answering(q.GetMethod())
		f.JSON(body)
		found[i], _ = f.Found()
	}
	if len(found[0]) != len(found[1]) {
		return s
	}
	for i, n := range found[0] {
		if other := found[1][i]; n.Place.Named && n.Value.Text == other.Value.Text {
			s.places[n.Value.Text] = append(s.places[n.Value.Text], n.Place)
		}
	}
	return s
}

// longNumber is from how many digits on an unchanged number is no coincidence.
const longNumber = 4

// may says whether one of them may be the name that a pair is about: one that is
// only aligned was not put where its like stands, and one of which nothing, or a
// member beside it, says what it names was not either.
func (s *standing) may(p names.Pair) bool {
	name := p.Baseline.Text
	return slices.ContainsFunc(s.places[name], func(at names.Place) bool {
		switch {
		case at.Fits(p.Kind, name):
			return p.Proof != names.Created
		case len(name) < longNumber:
			return false
		case at.Kind == "", at.Kind == s.family && !s.known[at.Kind]:
			return true
		}
		return p.Kind != "" && bytes.Contains(bytes.ToLower(s.bodies[0]), []byte(`"`+p.Kind))
	})
}

// isNamed says whether a number stands somewhere behind the word for its kind
// (order 1001, /orders/1001, "orderId":"1001"), or as a key.
func isNamed(body []byte, kind, name string) bool {
	for at := 0; ; {
		i := bytes.Index(body[at:], []byte(name))
		if i < 0 {
			return false
		}
		from, to := at+i, at+i+len(name)
		at = to
		if from > 0 && isWordByte(body[from-1]) || to < len(body) && isWordByte(body[to]) {
			continue
		}
		if from > 0 && body[from-1] == '"' && bytes.HasPrefix(body[to:], []byte(`":`)) {
			return true
		}
		end := from - min(4, from)
		between := body[end:from]
		end += len(bytes.TrimRight(between, " :/#=\"'-\\"))
		word, isID := strings.ToLower(string(body[max(0, end-len(kind)-len("s_ids")):end])), false
		for _, suffix := range [...]string{"s", "id", "_"} {
			trimmed := strings.TrimSuffix(word, suffix)
			isID = isID || suffix == "id" && trimmed != word
			word = trimmed
		}
		isMember := bytes.Contains(between, []byte(`":`)) // "order": 17 is a place in a list, perhaps
		if kind != "" && end < from && (isID || !isMember) && (strings.HasSuffix(word, kind) || strings.HasSuffix(word, strings.TrimSuffix(kind, "y")+"ie")) {
			return true
		}
	}
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

// isTheirs says whether the candidate calls something so.
func (x *comparing) isTheirs(name string) bool {
	return slices.ContainsFunc(x.known.All(), func(p names.Pair) bool { return p.Candidate.Text == name && p.Kind != names.Moment.Kind })
}
