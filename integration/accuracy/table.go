package accuracy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"understudy.dev/comparator"
)

// row counts the pairs of one kind.
type row struct {
	kind *kind // nil: nothing but names and times
	// n were sent as their client would have sent them and compared.
	n int
	// strayed were sent otherwise, skipped not at all.
	strayed, skipped int
	// What was said of n.
	match, presumed, incomplete, reported int
	// found: reported, and at the right place.
	found int
	// exact and diffy are those that these rules report; diffyFound are reported
	// at a field that is the planted one.
	exact, diffy int
}

func (r row) name() string {
	if r.kind == nil {
		return "nothing but names and times"
	}
	return r.kind.name
}

func (r row) class() class {
	if r.kind == nil {
		return noises
	}
	return r.kind.class
}

// table is the outcome of a measurement.
type table struct {
	rows   map[*kind]*row
	diffy  *diffy
	fields []fields
	seeds  int
	took   time.Duration
	// places are the differences that count; strange those of them that stand
	// where nothing was planted.
	places, strange int
	oracle          oracle
	// faults are examples of wrong verdicts, a few of each kind.
	faults map[*kind][]judged
	// wronged are the pairs whose request was sent wrongly.
	wronged []judged
	// sessions are what made orders in them.
	sessions map[string][]string
}

// fields are what a pair differs in, for Diffy's rule.
type fields struct {
	kind *kind
	real bool
	end  string
	raw  []string
}

func newTable() *table {
	return &table{rows: map[*kind]*row{}, diffy: newDiffy(), faults: map[*kind][]judged{}, sessions: map[string][]string{}}
}

func (t *table) row(k *kind) *row {
	if t.rows[k] == nil {
		t.rows[k] = &row{kind: k}
	}
	return t.rows[k]
}

// add counts what became of a world.
func (t *table) add(all []judged) {
	t.seeds++
	for _, j := range all {
		if j.route == "POST /orders" {
			t.sessions[j.session] = append(t.sessions[j.session], row{kind: j.kind}.name()+" "+string(j.comparison.Verdict))
		}
		t.one(j)
	}
}

func (t *table) one(j judged) {
	k := j.kind
	if k != nil && k.class != noises && !j.real() {
		k = nil
	}
	r := t.row(k)
	o := &t.oracle
	o.needed, o.done, o.wrong = o.needed+j.oracle.needed, o.done+j.oracle.done, o.wrong+j.oracle.wrong
	o.needCredentials, o.given = o.needCredentials+j.oracle.needCredentials, o.given+j.oracle.given
	for _, err := range j.oracle.errs {
		o.errs = append(o.errs, fmt.Sprintf("%s %s, session %s, speed %v: %s", j.route, j.exchange.GetRequest().GetTarget(), j.session, j.replay.GetSpeed(), err))
	}
	if len(j.oracle.errs) > 0 {
		t.wronged = append(t.wronged, j)
	}
	if len(o.says) < 40 && len(j.oracle.says) > 0 {
		o.says = append(o.says, j.route+": "+strings.Join(j.oracle.says, "; "))
	}
	v := j.comparison.Verdict
	counting := 0
	for _, d := range j.comparison.Differences {
		if d.Counts() {
			counting++
			if !j.real() || !j.at(d) && k.class != outcomes {
				t.strange++
			}
		}
	}
	t.places += counting
	switch {
	case k != nil && k.class == unsent:
		r.n++
		if v == comparator.Skipped {
			r.found++
			r.skipped++
		} else {
			r.reported++
			t.fault(j)
		}
		return
	case v == comparator.Skipped:
		r.skipped++
		t.fault(j)
		return
	case j.strayed:
		r.strayed++
		if reported(v) {
			r.reported++
		}
		t.fault(j)
		return
	}
	r.n++
	t.rivals(j, r)
	switch {
	case v == comparator.Match:
		r.match++
	case v == comparator.Presumed:
		r.presumed++
	case v == comparator.Incomplete:
		r.incomplete++
	case reported(v):
		r.reported++
	}
	switch {
	case r.class() == noises:
		if reported(v) || v == comparator.Incomplete || v == comparator.Presumed && (k == nil || !k.presumed) {
			t.fault(j)
		}
	case j.found():
		r.found++
	default:
		t.fault(j)
	}
}

// fault keeps an example.
func (t *table) fault(j judged) {
	if len(t.faults[j.kind]) < 60 {
		t.faults[j.kind] = append(t.faults[j.kind], j)
	}
}

// rivals asks the other rules about the same pair.
func (t *table) rivals(j judged, r *row) {
	final := j.final()
	if !exact(j.exchange.GetResponse(), final) {
		r.exact++
	}
	if final == nil {
		return // Diffy leaves failed requests out
	}
	raw := raws(j.route, j.exchange.GetResponse(), final)
	t.diffy.add(j.route, raw, raws(j.route, j.exchange.GetResponse(), j.secondary))
	if r.kind == nil || len(raw) > 0 {
		t.fields = append(t.fields, fields{r.kind, j.real(), j.route, raw})
	}
}

// settle asks Diffy's rule once all pairs are counted.
func (t *table) settle() {
	for _, f := range t.fields {
		if slices.ContainsFunc(f.raw, func(field string) bool { return t.diffy.reports(f.end, field) }) {
			t.row(f.kind).diffy++
		}
	}
	t.fields = nil
}

// sum adds rows up.
func (t *table) sum(of func(c class) bool) row {
	var out row
	for _, r := range t.rows {
		if !of(r.class()) {
			continue
		}
		out.n, out.strayed, out.skipped = out.n+r.n, out.strayed+r.strayed, out.skipped+r.skipped
		out.match, out.presumed, out.incomplete, out.reported = out.match+r.match, out.presumed+r.presumed, out.incomplete+r.incomplete, out.reported+r.reported
		out.found, out.exact, out.diffy = out.found+r.found, out.exact+r.exact, out.diffy+r.diffy
	}
	return out
}

func (t *table) of(c class) row { return t.sum(func(x class) bool { return x == c }) }

func share(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func percent(a, b int) string {
	if b == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f %%", 100*share(a, b))
}

// differing are the classes of real differences in answers.
func differing(c class) bool { return c != noises && c != unsent }

// falseDiscoveries is the share of reported pairs that have no real difference.
func (t *table) falseDiscoveries() (pairs, places float64) {
	harmless, all := t.of(noises).reported, t.sum(func(class) bool { return true }).reported
	return share(harmless, all), share(t.strange, t.places)
}

// String is the table in Markdown.
func (t *table) String() string {
	var b strings.Builder
	all := t.sum(func(class) bool { return true })
	fmt.Fprintf(&b, "%d pairs of %d worlds in %s; %d kinds.\n\n", all.n+all.strayed+all.skipped, t.seeds, t.took.Round(time.Second), len(allKinds)+1)
	b.WriteString("| | Understudy | exact comparison | Diffy's rule |\n|---|---|---|---|\n")
	for _, c := range []class{outcomes, structures, values} {
		r := t.of(c)
		fmt.Fprintf(&b, "| recall, %s | %s | %s | %s |\n", c, percent(r.found, r.n), percent(r.exact, r.n), percent(r.diffy, r.n))
	}
	d, h := t.sum(differing), t.of(noises)
	fmt.Fprintf(&b, "| real differences that are called a match | %d | %d | %d |\n", d.match, d.n-d.exact, d.n-d.diffy)
	fmt.Fprintf(&b, "| … presumed or incomplete | %d, %d | | |\n", d.presumed, d.incomplete)
	fmt.Fprintf(&b, "| harmless pairs that are reported | %s | %s | %s |\n", percent(h.reported-min(h.strayed, h.reported), h.n), percent(h.exact, h.n), percent(h.diffy, h.n))
	pairs, places := t.falseDiscoveries()
	fmt.Fprintf(&b, "| false discoveries, of reported pairs | %.2f %% | %s | %s |\n", 100*pairs, percent(h.exact, h.exact+d.exact), percent(h.diffy, h.diffy+d.diffy))
	fmt.Fprintf(&b, "| false discoveries, of reported places | %.2f %% | | |\n", 100*places)
	fmt.Fprintf(&b, "| harmless pairs that match, that are presumed | %s, %s | %s | %s |\n", percent(h.match, h.n), percent(h.presumed, h.n), percent(h.n-h.exact, h.n), percent(h.n-h.diffy, h.n))
	o := t.oracle
	fmt.Fprintf(&b, "| names replaced in requests, of those needed | %s of %d | | |\n", percent(o.done, o.needed), o.needed)
	fmt.Fprintf(&b, "| cookies and tokens sent back, of those needed | %s of %d | | |\n", percent(o.given, o.needCredentials), o.needCredentials)
	fmt.Fprintf(&b, "| wrong replacements | %d | | |\n", o.wrong)
	u := t.of(unsent)
	fmt.Fprintf(&b, "| requests not sent, whose name was never made | %d of %d | | |\n", u.found, u.n)
	fmt.Fprintf(&b, "| others that were not sent; sent at another thing | %d; %d | | |\n\n", all.skipped-u.skipped, all.strayed)
	b.WriteString("| kind | class | pairs | match | presumed | incomplete | reported | found | exact | Diffy |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range t.sorted() {
		found := ""
		if r.class() != noises {
			found = percent(r.found, r.n)
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d | %d | %s | %d | %d |\n", r.name(), r.class(), r.n, r.match, r.presumed, r.incomplete, r.reported, found, r.exact, r.diffy)
	}
	return b.String()
}

// sorted are the rows in the order of the kinds.
func (t *table) sorted() []*row {
	out := make([]*row, 0, len(t.rows))
	for _, r := range t.rows {
		out = append(out, r)
	}
	at := func(r *row) int { return slices.Index(allKinds, r.kind) }
	slices.SortFunc(out, func(a, b *row) int { return cmp.Compare(at(a), at(b)) })
	return out
}
