package comparator_test

import (
	"testing"

	"understudy.dev/comparator"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestVersions: an entity tag is opaque, but a 304 names the version that the
// client has, and what the session has shown as two versions is not one.
func TestVersions(t *testing.T) {
	f := func(what string, status [2]uint32, tags [2]string, condition string, want comparator.Verdict, known ...string) {
		t.Helper()
		answer := func(i int) *understudyv1.Response { return response(status[i], "", "ETag: "+tags[i]) }
		r := immediate(answer(0), answer(1), knows(known...), func(r *understudyv1.Replay) {
			r.Exchange.Request.Method, r.Exchange.Request.Target, r.Exchange.Request.Body = "GET", []byte("/docs/7"), nil
			if condition != "" {
				r.Exchange.Request.Headers = append(r.Exchange.Request.Headers, &understudyv1.Header{Name: "If-None-Match", Value: []byte(condition)})
			}
		})
		if c := judgement(t, r); c.Verdict != want {
			t.Errorf("%s: want %s, got %q", what, want, lines(c))
		}
	}
	ok, unchanged := [2]uint32{200, 200}, [2]uint32{304, 304}
	const one, two = `@version "b1"="c1"`, `@version "b2"=W/"c2"`
	f("each its own", ok, [2]string{`"b1"`, `"c1"`}, "", comparator.Match)
	f("as it was", ok, [2]string{`"b1"`, `"c1"`}, "", comparator.Match, one)
	f("as it was, weakly", ok, [2]string{`W/"b2"`, `W/"c2"`}, "", comparator.Match, one, two)
	f("a new one", ok, [2]string{`"b3"`, `"c3"`}, "", comparator.Match, one, two)
	f("of before the write", ok, [2]string{`"b3"`, `"c1"`}, "", comparator.Presumed, one)
	f("another one though nothing was written", ok, [2]string{`"b1"`, `"c3"`}, "", comparator.Presumed, one)
	f("stale", ok, [2]string{`"b2"`, `"c1"`}, "", comparator.Mismatch, one, two)

	f("one tag for two versions", ok, [2]string{`"b2"`, `"c1"`}, "", comparator.Presumed, one, `@version "b2"="c1"`)

	f("what the client has", unchanged, [2]string{`"b1"`, `"c1"`}, `"x", W/"b1"`, comparator.Match, one)
	f("the same for both", unchanged, [2]string{`"b1"`, `"b1"`}, `"b1"`, comparator.Match)
	f("another than the client has", unchanged, [2]string{`"b1"`, `"c3"`}, `"b1"`, comparator.Mismatch, one)
	f("an older one than the client has", unchanged, [2]string{`"b2"`, `W/"c1"`}, `"b2"`, comparator.Mismatch, one, two)
	f("nobody knows what the client has", unchanged, [2]string{`"b1"`, `"c3"`}, `"b1"`, comparator.Presumed)
	f("asked by a time", unchanged, [2]string{`"b1"`, `"c3"`}, "", comparator.Presumed)
	f("changed", [2]uint32{200, 304}, [2]string{`"b2"`, `"c1"`}, `"b1"`, comparator.Mismatch, one)
	f("not changed", [2]uint32{304, 200}, [2]string{`"b1"`, `"c2"`}, `"b1"`, comparator.Mismatch, one)
	f("weak and strong", ok, [2]string{`"b1"`, `W/"c1"`}, "", comparator.Mismatch, one)
}
