package comparator

import (
	"slices"

	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
)

// bytes looks into bodies that are not compared in parts, and for what was in none of
// the parts of others. What stands there by chance nobody can tell.
func (k *keeping) bytes(messages bool) {
	b, errB := k.j.decoded(k.baseline)
	f, errF := k.j.decoded(k.final)
	if errB != nil || errF != nil {
		return
	}
	holds := map[string]bool{}
	k.search.InBytes(f, messages, func(name string) { holds[name] = !k.sighted[name] })
	if len(holds) == 0 {
		return
	}
	k.search.InBytes(b, messages, func(name string) {
		if ps := k.pairs(name); holds[name] && len(ps) > 0 {
			k.say(&spot{place: InBody}, ps[0], noise.Presumed(noise.Identifier), "")
		}
	})
}

// cut looks into the beginnings of bodies that are not whole, in which nothing
// was translated.
func (k *keeping) cut() {
	if contentEncoding(k.baseline) != "" || contentEncoding(k.final) != "" {
		return
	}
	b, f := names.NewText(k.baseline.GetBody().GetContent()), names.NewText(k.final.GetBody().GetContent())
	for _, p := range k.known.All() {
		name := p.Baseline.Text
		certain := names.IsUnmistakable(name)
		if len(k.pairs(name)) == 0 || p.Candidate.Text == name || !p.Holds() || p.Kind == names.Moment.Kind || !certain && (len(name) < 2 || !names.IsDigits(name)) || !b.Has(name) || !f.Has(name) {
			continue
		}
		class := noise.Presumed(noise.Identifier)
		switch {
		case p.Proof != names.Created:
		case certain:
			class = ""
		default:
			class = Incomparable
		}
		k.say(&spot{place: InBody}, p, class, "")
	}
}

// longTime is from which length on, in bytes, a time is that of one event.
const longTime = len("2026-11-26T10:00:00")

// moments looks for times that both bodies hold, though the session has shown
// them as others, and for tokens of values that should have another name in them.
func (x *comparing) moments() {
	var b, f *names.Text
	said := map[string]bool{}
	for _, p := range x.known.All() {
		if p.Kind != names.Redacted.Kind && p.Kind != names.Moment.Kind {
			continue
		}
		name, class := p.Baseline.Text, noise.Presumed(noise.Timestamp)
		switch p.Kind {
		case names.Redacted.Kind:
			if _, put := x.translator.Put(p.Candidate.Text); put {
				continue // compared already
			}
			class = noise.Presumed(noise.Identifier)
			if p.Proof == names.Created {
				class = ""
			}
		case names.Moment.Kind:
			if p.From == x.r.GetExchange().GetId() || len(name) < longTime {
				continue
			}
		}
		// Two events of one millisecond contradict a pair of times, and neither is kept.
		if !p.Holds() && p.Kind != names.Moment.Kind {
			continue
		}
		if p.Candidate.Text == name || said[name] || !p.Holds() && x.isTime(name) {
			continue
		}
		if b == nil {
			if x.final.GetBody().GetTruncated() || x.baseline.GetBody().GetTruncated() {
				return // a day, or seconds, may be that of something else
			}
			before, errB := x.j.decoded(x.baseline)
			after, errF := x.j.decoded(x.final)
			if errB != nil || errF != nil || len(before) == 0 || len(after) == 0 {
				return
			}
			b, f = names.NewText(before), names.NewText(after)
		}
		if b.Has(name) && f.Has(name) {
			said[name] = true
			x.add(Difference{
				Place: InBody, Path: "$", Location: "$", Kind: Value, Baseline: p.Candidate.Text, Candidate: name, Noise: class,
				Why: x.c.because("both answers hold the baseline's name, which the candidate should call otherwise by now", p),
			}, noise.Value{}, noise.Value{})
		}
	}
}

// cookies looks for tokens of values that should have another name in them, in
// cookies of one name.
func (x *comparing) cookies() {
	for _, p := range x.known.All() {
		if p.Kind != names.Redacted.Kind || !p.Holds() || p.Candidate.Text == p.Baseline.Text {
			continue
		}
		for _, line := range message.Values(x.final.GetHeaders(), "Set-Cookie") {
			c := parseCookie(line, x.evidence.Frame.Candidate.From)
			if c.value != p.Baseline.Text || valueOf(x.baseline, c.name) != c.value {
				continue
			}
			d := Difference{Place: InHeader, Path: headerPath + "set-cookie:" + c.name, Kind: Value, Baseline: hidden, Candidate: hidden}
			d.Location = d.Path
			if d.Noise = x.rs.class(d); d.Noise == "" && p.Proof != names.Created {
				d.Noise = noise.Presumed(noise.Identifier)
			}
			x.add(d, noise.Value{}, noise.Value{})
		}
	}
}

// isTime says whether the session has shown a time as the same on both sides.
func (x *comparing) isTime(name string) bool {
	return slices.ContainsFunc(x.known.All(), func(p names.Pair) bool {
		return p.Kind == names.Moment.Kind && p.Baseline.Text == name && p.Candidate.Text == name
	})
}
