package seal_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/route"
	"understudy.dev/exchange/seal"
	"understudy.dev/exchange/session"
	"understudy.dev/exchange/token"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// sealed is what sealing makes of a request with these headers.
func sealed(t *testing.T, redacted bool, h http.Header) *understudyv1.Exchange {
	t.Helper()
	key, err := token.New([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := session.New([]string{"header:X-User"}, key)
	if err != nil {
		t.Fatal(err)
	}
	routes, err := route.New([]string{"/users/{name}"})
	if err != nil {
		t.Fatal(err)
	}
	s := &seal.Sealer{Recorder: "r", StartUnixNano: 5, Source: "import/x", ServedBy: understudyv1.Side_SIDE_CANDIDATE, Sessions: sessions, Routes: routes}
	if redacted {
		s.Redactor = redact.New(redact.Config{Headers: []string{"Tracestate"}}, key)
	}
	e := &understudyv1.Exchange{Request: &understudyv1.Request{Method: "PUT", Target: []byte("/users/ann?token=x")}}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			e.Request.Headers = append(e.Request.Headers, &understudyv1.Header{Name: name, Value: []byte(value)})
		}
	}
	s.Seal(e, "id", 7, session.Source{Header: h.Values, Target: "/users/ann?token=x"})
	return e
}

func TestSeal(t *testing.T) {
	got := sealed(t, true, http.Header{"Traceparent": {"00-a-b-01"}, "Tracestate": {"v=1"}})
	state := got.Tracestate // which this operator calls secret
	if !redact.IsToken(state) {
		t.Errorf("tracestate %q is not redacted", state)
	}
	want := &understudyv1.Exchange{
		RedactionKey: got.RedactionKey, Id: "id", Recorder: "r", RecorderStartUnixNano: 5, Sequence: 7, Source: "import/x", ServedBy: understudyv1.Side_SIDE_CANDIDATE,
		Route: "PUT /users/{name}", Session: "id", Traceparent: "00-a-b-01", Tracestate: state,
		Request: &understudyv1.Request{Method: "PUT", Target: got.Request.Target, Headers: []*understudyv1.Header{
			{Name: "Traceparent", Value: []byte("00-a-b-01")}, {Name: "Tracestate", Value: []byte(state)},
		}},
		Redactions: []*understudyv1.Redaction{
			{Place: understudyv1.Redaction_PLACE_REQUEST_TARGET, Name: "token", Count: 1},
			{Place: understudyv1.Redaction_PLACE_REQUEST_HEADER, Name: "Tracestate", Count: 1},
		},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if string(got.Request.Target) == "/users/ann?token=x" {
		t.Error("the secret is still there")
	}
	got = sealed(t, false, http.Header{"X-User": {"ann"}})
	if got.Session == "id" || len(got.Session) < 20 {
		t.Errorf("session %q, want a token of the user", got.Session)
	}
	if string(got.Request.Target) != "/users/ann?token=x" {
		t.Errorf("target %q without a redactor", got.Request.Target)
	}
}

// TestSealedExchangesCanBeWritten: a trace context may hold any bytes, a
// protobuf string may not.
func TestSealedExchangesCanBeWritten(t *testing.T) {
	e := sealed(t, false, http.Header{"Traceparent": {"\xff", "00-a-b-01"}, "Tracestate": {"\xe4"}})
	if e.Traceparent != "00-a-b-01" || e.Tracestate != "" {
		t.Errorf("traceparent %q, tracestate %q", e.Traceparent, e.Tracestate)
	}
	if _, err := proto.Marshal(e); err != nil {
		t.Error(err)
	}
}

func TestIndexed(t *testing.T) {
	got := seal.Indexed([]string{"X-Tenant", "x-tenant", "Authorization"})
	if diff := cmp.Diff([]string{"x-tenant", "authorization"}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	var many []string
	for i := range 20 {
		many = append(many, fmt.Sprintf("h-%d", i))
	}
	if got := seal.Indexed(many); len(got) != seal.MaxIndexed {
		t.Errorf("%d names", len(got))
	}
}
