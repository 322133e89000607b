package noise

import "testing"

// TestSchemesOfOwnLinks: a link that no longer leads over TLS is not its side's own
// unless the side itself was asked without.
func TestSchemesOfOwnLinks(t *testing.T) {
	const b, c = "://orders.internal:8080/a", "://candidate:9090/a"
	for _, x := range []struct{ asked, askedThere, baseline, candidate, want string }{
		{"http", "http", "http" + b, "http" + c, Identifier},
		{"https", "http", "https" + b, "https" + c, Identifier},
		{"", "", "https" + b, "https" + c, Identifier},
		{"https", "http", "https" + b, "http" + c, Identifier}, // each as it was asked
		{"http", "https", "http" + b, "https" + c, Identifier},
		{"https", "https", "https" + b, "http" + c, Presumed(Identifier)},
		{"http", "http", "https" + b, "http" + c, Presumed(Identifier)}, // TLS ended before the recorder, perhaps
		{"http", "http", "http" + b, "https" + c, Presumed(Identifier)},
		{"", "http", "https" + b, "http" + c, Presumed(Identifier)},
		{"https", "", "https" + b, "http" + c, Presumed(Identifier)},
		{"https", "http", "https" + b, "/a", Identifier},
		{"https", "http", "/a", "http" + c, Identifier},
		{"https", "https", "/a", "http" + c, Presumed(Identifier)},
		{"https", "https", "http" + b, "/a", Presumed(Identifier)},
		{"", "", "/a", "http" + c, Presumed(Identifier)},
		{"https", "http", "form-action https" + b, "form-action http" + c, Identifier},
		{"https", "https", "form-action https" + b, "form-action http" + c, Presumed(Identifier)},
		{"https", "https", "https://orders.internal:8080", "http://candidate:9090", Presumed(Identifier)},
	} {
		e := evidence()
		e.BaselineScheme, e.CandidateScheme = x.asked, x.askedThere
		if got := e.Class([]string{"u"}, Value{Text: x.baseline}, Value{Text: x.candidate}); got != x.want {
			t.Errorf("asked by %q and %q, %s and %s: want %q, got %q", x.asked, x.askedThere, x.baseline, x.candidate, x.want, got)
		}
	}
}
