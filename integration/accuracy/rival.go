package accuracy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"sort"
	"strings"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// document is a body as JSON, if it is.
func document(r *understudyv1.Response) (any, bool) {
	body, err := message.Decode(r.GetBody().GetContent(), message.Joined(r.GetHeaders(), "Content-Encoding"), 8<<20)
	if err != nil || !message.IsJSON(message.MediaType(message.Joined(r.GetHeaders(), "Content-Type"))) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return nil, false
	}
	return v, true
}

// exact is the rule of exact comparison: the status and the body are equal,
// JSON as JSON.
func exact(b, c *understudyv1.Response) bool {
	if c == nil || b.GetStatus() != c.GetStatus() {
		return false
	}
	x, okX := document(b)
	y, okY := document(c)
	if okX && okY {
		return reflect.DeepEqual(x, y)
	}
	return bytes.Equal(b.GetBody().GetContent(), c.GetBody().GetContent())
}

// raws are the fields in which two answers differ, as Diffy names them: arrays
// are folded; the same elements in another order, and another number of
// elements, are fields of their own.
func raws(endpoint string, b, c *understudyv1.Response) []string {
	found := map[string]bool{}
	at := func(field string) { found[endpoint+" "+field] = true }
	if b.GetStatus() != c.GetStatus() {
		at("status")
	}
	fields := func(r *understudyv1.Response) map[string]string {
		out := map[string]string{}
		for _, h := range r.GetHeaders() {
			out[strings.ToLower(h.GetName())] += "\n" + string(h.GetValue())
		}
		return out
	}
	x, y := fields(b), fields(c)
	for name := range x {
		if x[name] != y[name] {
			at("headers." + name)
		}
	}
	for name := range y {
		if _, ok := x[name]; !ok {
			at("headers." + name)
		}
	}
	v, okV := document(b)
	u, okU := document(c)
	switch {
	case okV && okU:
		rawJSON(at, "body", v, u)
	case !bytes.Equal(b.GetBody().GetContent(), c.GetBody().GetContent()):
		at("body")
	}
	out := make([]string, 0, len(found))
	for f := range found {
		out = append(out, f)
	}
	return out
}

func rawJSON(at func(string), path string, a, b any) {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			at(path + ".TypeDifference")
			return
		}
		for k, v := range x {
			if w, has := y[k]; has {
				rawJSON(at, path+"."+k, v, w)
			} else {
				at(path + "." + k + ".MissingField")
			}
		}
		for k := range y {
			if _, has := x[k]; !has {
				at(path + "." + k + ".ExtraField")
			}
		}
	case []any:
		y, ok := b.([]any)
		switch {
		case !ok:
			at(path + ".TypeDifference")
		case len(x) != len(y):
			at(path + ".SeqSizeDifference")
		case reflect.DeepEqual(sorted(x), sorted(y)):
			if !reflect.DeepEqual(x, y) {
				at(path + ".OrderingDifference")
			}
		default:
			for i := range x {
				rawJSON(at, path, x[i], y[i])
			}
		}
	default:
		if reflect.TypeOf(a) != reflect.TypeOf(b) {
			at(path + ".TypeDifference")
		} else if a != b {
			at(path + ".PrimitiveDifference")
		}
	}
}

func sorted(l []any) []string {
	out := make([]string, len(l))
	for i, e := range l {
		out[i] = fmt.Sprint(e)
	}
	sort.Strings(out)
	return out
}

// Diffy's thresholds, in percent.
const (
	relativeThreshold = 20.0
	absoluteThreshold = 0.03
)

// diffy counts raw differences between primary and candidate, and noise between
// primary and secondary, over all pairs of an endpoint.
type diffy struct {
	requests   map[string]int
	raw, noise map[string]int
}

func newDiffy() *diffy {
	return &diffy{map[string]int{}, map[string]int{}, map[string]int{}}
}

func (d *diffy) add(endpoint string, raw, noise []string) {
	d.requests[endpoint]++
	for _, f := range raw {
		d.raw[f]++
	}
	for _, f := range noise {
		d.noise[f]++
	}
}

// reports says whether a field is shown as a difference.
func (d *diffy) reports(endpoint, field string) bool {
	r, n := float64(d.raw[field]), float64(d.noise[field])
	relative := math.Abs(r-n) / (r + n) * 100
	absolute := math.Abs(r-n) / float64(d.requests[endpoint]) * 100
	return r > n && relative > relativeThreshold && absolute > absoluteThreshold
}
