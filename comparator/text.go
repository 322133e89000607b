package comparator

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"understudy.dev/comparator/diff"
	"understudy.dev/comparator/noise"
)

// compareForm compares fields by name; the values of one name in their order.
func compareForm(emit emitter, b, f []byte) {
	bs, errB := url.ParseQuery(string(b))
	fs, errF := url.ParseQuery(string(f))
	if errB != nil || errF != nil {
		compareText(emit, b, f)
		return
	}
	var names []string
	for name := range bs {
		names = append(names, name)
	}
	for name := range fs {
		if !bs.Has(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if slices.Equal(bs[name], fs[name]) {
			continue
		}
		path := diff.Member("$", name)
		d := Difference{Place: InBody, Path: path, Location: path, Kind: Value,
			Baseline: strings.Join(bs[name], "\n"), Candidate: strings.Join(fs[name], "\n")}
		switch {
		case !fs.Has(name):
			d.Kind = Missing
		case !bs.Has(name):
			d.Kind = Extra
		}
		if !emit(d, noise.Value{Text: d.Baseline}, noise.Value{Text: d.Candidate}, name) {
			return
		}
	}
}

// maxLines is how many differing lines of a text are reported.
const maxLines = 20

// compareText compares line by line, the ends of lines and blanks at them
// apart. What is the same at the beginning and at the end is set aside, so one
// line more is one difference.
func compareText(emit emitter, b, f []byte) {
	bs, fs := lines(b), lines(f)
	head := 0
	for head < len(bs) && head < len(fs) && bs[head] == fs[head] {
		head++
	}
	bs, fs = bs[head:], fs[head:]
	for len(bs) > 0 && len(fs) > 0 && bs[len(bs)-1] == fs[len(fs)-1] {
		bs, fs = bs[:len(bs)-1], fs[:len(fs)-1]
	}
	reported := 0
	for i := range max(len(bs), len(fs)) {
		d := Difference{Place: InBody, Path: "$", Location: fmt.Sprintf("line %d", head+i+1), Kind: Body}
		if i < len(bs) {
			d.Baseline = bs[i]
		}
		if i < len(fs) {
			d.Candidate = fs[i]
		}
		if d.Baseline == d.Candidate && i < len(bs) && i < len(fs) {
			continue
		}
		if reported++; reported > maxLines || !emit(d, noise.Value{}, noise.Value{}, "") {
			return
		}
	}
}

func lines(text []byte) []string {
	out := strings.Split(strings.TrimRight(string(text), " \t\r\n"), "\n")
	for i, l := range out {
		out[i] = strings.TrimRight(l, " \t\r")
	}
	return out
}
