package comparator

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"understudy.dev/exchange/names"
	"understudy.dev/exchange/timestamp"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Statistic is what a coin of a place compares. Each is antisymmetric in control
// and candidate, so that it is fair if they are two instances of one system
// (docs/statistics.md).
type Statistic string

// The statistics, with what heads are.
const (
	// Differs: the candidate differs from the recording and the control does not.
	Differs Statistic = "differs"
	// Presence: the candidate has the member or element and the control has not.
	Presence Statistic = "presence"
	// Number: the candidate's number is greater, its time later, each from its
	// own request.
	Number Statistic = "number"
	// Share: the candidate says Toss.Word, and the control another.
	Share Statistic = "share"
	// PresumedPlace is no coin: control or candidate differ from the recording in what
	// is only presumed to be harmless, as a name or a token that is made anew. What
	// they say is told apart by nothing, but the place is volatile all the same.
	PresumedPlace Statistic = "presumed"
)

// Toss is what one controlled replay adds to a coin of a place. A replay tosses
// each coin at most once, however many elements of a list are one place: they
// were made together.
type Toss struct {
	// Path with array positions folded, as in Difference.
	Path      string
	Statistic Statistic
	// Word is the value whose share it is; empty for other statistics.
	Word string
	// Heads and Tails: at most one is set; none if it fell on neither side.
	Heads, Tails bool
	// Control and Candidate, of Differs and PresumedPlace, say whether each differs from
	// the recording here.
	Control, Candidate bool
}

// Bounds of what is tossed. Beyond them nothing is: to leave out some would not
// be fair.
const (
	maxTosses = 500 // of a replay
	maxWords  = 8   // of a place
	maxWord   = 40  // bytes
)

// coin is a place and a statistic.
type coin struct {
	path      string
	statistic Statistic
	word      string
}

// tossing adds up what the places of a replay say.
type tossing struct {
	sums               map[coin]int
	control, candidate map[string]bool
	// presumed are the places that toss nothing for what is presumed of them.
	presumed map[string]Toss
	words    map[string]int
	// sent is when each side was asked: times are told from there.
	sent, controlSent time.Time
}

// tosses are what control and candidate tell of each place where one of them
// differs from the recording, if nothing but a control could explain either.
func tosses(r *understudyv1.Replay, control, candidate places) []Toss {
	if control.over || candidate.over {
		return nil
	}
	if control.refusal || candidate.refusal {
		control, candidate = control.status(), candidate.status() // there are no two answers to compare
	}
	t := tossing{
		sums: map[coin]int{}, control: map[string]bool{}, candidate: map[string]bool{}, presumed: map[string]Toss{}, words: map[string]int{},
		sent: time.Unix(0, r.GetSentUnixNano()), controlSent: time.Unix(0, r.GetControlSentUnixNano()),
	}
	closed := lids{}
	closed.add(control)
	closed.add(candidate)
	for key, c := range candidate.at {
		k, also := control.at[key]
		switch {
		case c.proven() || k.proven() || closed.hides(c):
		case c.class != "" || k.class != "":
			t.presume(c.path, also, true)
		case also:
			t.both(k, c)
		default:
			t.one(c, +1)
		}
	}
	for key, k := range control.at {
		switch _, also := candidate.at[key]; {
		case also || k.proven() || closed.hides(k):
		case k.class != "":
			t.presume(k.path, true, false)
		default:
			t.one(k, -1)
		}
	}
	return t.result()
}

// presume notes a place where what is presumed lets no coin be tossed.
func (t *tossing) presume(path string, control, candidate bool) {
	p := t.presumed[path]
	t.presumed[path] = Toss{Path: path, Statistic: PresumedPlace, Control: p.Control || control, Candidate: p.Candidate || candidate}
}

// lids are the locations where one of the answers has something else as a whole:
// a body that cannot be read, an object that is missing. What lies within was not
// compared there, so that it does not differ shows nothing.
type lids map[string]bool

func (l lids) add(p places) {
	for _, n := range p.at {
		if n.place == InBody && n.kind != Value {
			l[n.location] = true
		}
	}
}

// hides says whether a place lies within one of them.
func (l lids) hides(n note) bool {
	if n.place != InBody || len(l) == 0 {
		return false
	}
	if l["$"] && n.location != "$" {
		return true
	}
	for i, c := range n.location {
		if strings.ContainsRune(".[(:/", c) && l[n.location[:i]] {
			return true
		}
	}
	return false
}

// both differ from the recording.
func (t *tossing) both(k, c note) {
	t.candidate[c.path], t.control[k.path] = true, true
	t.sums[coin{c.path, Differs, ""}] += 0
	has := func(n note) bool { return n.kind != Missing }
	switch {
	case k.kind == c.kind && k.other == c.other:
	case has(c) != has(k):
		t.toss(c.path, Presence, "", has(c))
	case has(c):
		t.values(c.path, k, k.other.Text, k.other.Number, c, c.other.Text, c.other.Number)
	}
}

// one of them differs from the recording, and the other is like it.
func (t *tossing) one(n note, heads int) {
	if heads > 0 {
		t.candidate[n.path] = true
	} else {
		t.control[n.path] = true
	}
	t.toss(n.path, Differs, "", heads > 0)
	switch {
	case n.kind == Missing || n.kind == Extra:
		t.toss(n.path, Presence, "", (n.kind == Extra) == (heads > 0))
	case heads > 0:
		t.values(n.path, n, n.recorded.Text, n.recorded.Number, n, n.other.Text, n.other.Number)
	default:
		t.values(n.path, n, n.other.Text, n.other.Number, n, n.recorded.Text, n.recorded.Number)
	}
}

// values compares the control's value with the candidate's.
func (t *tossing) values(path string, kn note, k string, kNumber bool, cn note, c string, cNumber bool) {
	for _, n := range []note{kn, cn} {
		if n.kind != Value && n.kind != Type && n.kind != Extra && n.kind != Status {
			return
		}
	}
	if k == c && kNumber == cNumber {
		return
	}
	kt, okK := timestamp.Read(k, kNumber)
	ct, okC := timestamp.Read(c, cNumber)
	switch {
	case okK && okC && kt.Style == ct.Style:
		// The recording is from another time: its distance cannot be told here.
		if kn.kind == Value && cn.kind == Value && kn != cn {
			if later := ct.Sub(t.sent) - kt.Sub(t.controlSent); later != 0 {
				t.toss(path, Number, "", later > 0)
			}
		}
	case kNumber && cNumber:
		kf, errK := strconv.ParseFloat(k, 64)
		cf, errC := strconv.ParseFloat(c, 64)
		if errK == nil && errC == nil && kf != cf {
			t.toss(path, Number, "", cf > kf)
		}
	default:
		t.word(path, wordOf(cn, c, cNumber), true)
		t.word(path, wordOf(kn, k, kNumber), false)
	}
}

// word tosses for a value that may come again.
func (t *tossing) word(path, word string, heads bool) {
	if len(word) > maxWord || !utf8.ValidString(word) || names.IsUnmistakable(word) {
		return
	}
	if _, known := t.sums[coin{path, Share, word}]; !known {
		t.words[path]++
	}
	t.toss(path, Share, word, heads)
}

// wordOf is what a value is called where shares are counted. Values of another
// type are as they were written.
func wordOf(n note, text string, number bool) string {
	switch {
	case n.kind == Status:
		status, _, _ := strings.Cut(text, " ")
		return strings.TrimSuffix(status, ",")
	case number:
		return "(number)"
	case n.kind != Type:
		return text
	}
	switch typeOf(text) {
	case '{':
		return "(object)"
	case '[':
		return "(list)"
	case '"':
		return strings.Trim(text, `"`)
	}
	return text
}

func (t *tossing) toss(path string, s Statistic, word string, heads bool) {
	if heads {
		t.sums[coin{path, s, word}]++
	} else {
		t.sums[coin{path, s, word}]--
	}
}

// result has the places in order.
func (t *tossing) result() []Toss {
	var out []Toss
	for c, sum := range t.sums {
		if c.statistic == Share && t.words[c.path] > maxWords || c.statistic != Differs && sum == 0 {
			continue
		}
		toss := Toss{Path: c.path, Statistic: c.statistic, Word: c.word, Heads: sum > 0, Tails: sum < 0}
		if c.statistic == Differs {
			toss.Control, toss.Candidate = t.control[c.path], t.candidate[c.path]
		}
		out = append(out, toss)
	}
	if len(out) > maxTosses {
		return nil
	}
	var presumed []Toss
	for path, p := range t.presumed {
		if _, tossed := t.sums[coin{path, Differs, ""}]; !tossed { // its row has the place
			presumed = append(presumed, p)
		}
	}
	if len(out)+len(presumed) <= maxTosses {
		out = append(out, presumed...)
	}
	slices.SortFunc(out, func(a, b Toss) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Statistic, b.Statistic), cmp.Compare(a.Word, b.Word))
	})
	return out
}
