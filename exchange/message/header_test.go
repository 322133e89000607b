package message_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func headers(lines ...string) (out []*understudyv1.Header) {
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		out = append(out, &understudyv1.Header{Name: name, Value: []byte(value)})
	}
	return out
}

func TestFieldsAreFoundWithoutRegardToCase(t *testing.T) {
	h := headers("Accept: a", "X: 1", "accept: b, c", "X: \xe4")
	f := func(name, first, joined string, values ...string) {
		t.Helper()
		if diff := cmp.Diff(values, message.Values(h, name)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		if got := message.First(h, name); got != first {
			t.Errorf("%s: first %q, want %q", name, got, first)
		}
		if got := message.Joined(h, name); got != joined {
			t.Errorf("%s: joined %q, want %q", name, got, joined)
		}
	}
	f("ACCEPT", "a", "a, b, c", "a", "b, c")
	f("x", "1", "1, \xe4", "1", "\xe4")
	f("Y", "", "")
}

func TestTokensOfLists(t *testing.T) {
	f := func(token string, want bool, lists ...string) {
		t.Helper()
		if got := message.HasToken(lists, token); got != want {
			t.Errorf("%q in %q: got %t", token, lists, got)
		}
	}
	f("upgrade", true, "keep-alive,\tUpgrade ")
	f("upgrade", true, "close", "upgrade")
	f("upgrade", false, "upgrades, up grade")
	f("upgrade", false)
	f("", false, ", ,")
}

func TestElementsOfLists(t *testing.T) {
	f := func(want string, lists ...string) {
		t.Helper()
		if got := strings.Join(slices.Collect(message.Elements(lists)), "|"); got != want {
			t.Errorf("%q: got %q, want %q", lists, got, want)
		}
	}
	f("")
	f("a|B c|d", "a,\tB c ", ", ,d,")
	for e := range message.Elements([]string{"a,b", "c"}) {
		if e != "a" {
			t.Errorf("%q came after the end", e)
		}
		break
	}
}

func TestWhatIsAToken(t *testing.T) {
	f := func(s string, want bool) {
		t.Helper()
		if got := message.IsToken(s); got != want {
			t.Errorf("%q: got %t", s, got)
		}
	}
	f("GET", true)
	f("x-!#$%&'*+.^_`|~9", true)
	f("", false)
	for _, c := range "\"(),/:;<=>?@[\\]{} \t\r\n\x00\x7fä" {
		f("a"+string(c), false)
	}
}

// TestWhatIsHopByHop: what belongs to a connection, and what Connection adds
// to it. Proxy-Authorization is not in the list (RFC 9110, 11.7.2): a gateway
// that is no proxy of the client's passes it on.
func TestWhatIsHopByHop(t *testing.T) {
	for _, name := range message.HopByHop() {
		if !message.IsHopByHop(name) || http.CanonicalHeaderKey(name) != name {
			t.Errorf("%s is listed, but not found", name)
		}
	}
	for _, name := range []string{"Proxy-Authorization", "Authorization", "Host", "Content-Length", ""} {
		if message.IsHopByHop(name) {
			t.Errorf("%q belongs to a connection", name)
		}
	}
	f := func(want string, connection ...string) {
		t.Helper()
		if got := strings.Join(message.Nominated(connection), " "); got != want {
			t.Errorf("%q: got %q, want %q", connection, got, want)
		}
	}
	f("")
	f("", "close", "Keep-Alive, ,TE,")
	f("X-A X-B Foo", "x-a,\tX-B ", "close, foo")
	f("", "Upgrade, HTTP2-Settings")
}

func TestWhatIsSafe(t *testing.T) {
	for method, want := range map[string]bool{
		"GET": true, "HEAD": true, "OPTIONS": true, "TRACE": true,
		"POST": false, "PUT": false, "DELETE": false, "CONNECT": false, "QUERY": false, "get": false, "": false,
	} {
		if got := message.IsSafe(method); got != want {
			t.Errorf("%q: got %t", method, got)
		}
	}
}

// TestSendOnceKeepsTheKey under a spelling that the Transport does not know;
// that it then sends once is tested where requests are sent.
func TestSendOnceKeepsTheKey(t *testing.T) {
	h := http.Header{"Idempotency-Key": {"a", "b"}, "X-Idempotency-Key": {"c"}, "X": {"d"}}
	message.SendOnce(h)
	want := http.Header{"idempotency-key": {"a", "b"}, "x-idempotency-key": {"c"}, "X": {"d"}}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestIdempotencyKeys(t *testing.T) {
	for name, want := range map[string]bool{
		"Idempotency-Key": true, "idempotency-key": true, "X-IDEMPOTENCY-KEY": true,
		"Idempotency-Key-Id": false, "My-Idempotency-Key": false, "": false,
	} {
		if got := message.IsIdempotencyKey(name); got != want {
			t.Errorf("%q: got %t", name, got)
		}
	}
	f := func(want string, h http.Header) {
		t.Helper()
		if got := message.IdempotencyKey(h); got != want {
			t.Errorf("%v: got %q, want %q", h, got, want)
		}
	}
	f("", http.Header{"X": {"a"}})
	f("a", http.Header{"Idempotency-Key": {"a"}, "X-Idempotency-Key": {"b"}})
	f("b", http.Header{"Idempotency-Key": {""}, "X-Idempotency-Key": {"b"}})
}

func TestMediaTypes(t *testing.T) {
	f := func(contentType, want string, is ...string) {
		t.Helper()
		got := message.MediaType(contentType)
		if got != want {
			t.Errorf("%q: got %q, want %q", contentType, got, want)
		}
		for name, holds := range map[string]bool{"JSON": message.IsJSON(got), "XML": message.IsXML(got), "form": message.IsForm(got), "gRPC": message.IsGRPC(got)} {
			if holds != slices.Contains(is, name) {
				t.Errorf("%q is %s: %t", contentType, name, holds)
			}
		}
	}
	f("", "")
	f(" Application/JSON ; charset=UTF-8", "application/json", "JSON")
	f("text/json", "text/json", "JSON")
	f("application/problem+json", "application/problem+json", "JSON")
	f("application/jsonp", "application/jsonp")
	f("image/svg+xml", "image/svg+xml", "XML")
	f("text/xml;charset=latin1", "text/xml", "XML")
	f("application/x-www-form-urlencoded", "application/x-www-form-urlencoded", "form")
	f("multipart/form-data; boundary=x", "multipart/form-data")
	f("application/grpc", "application/grpc", "gRPC")
	f("Application/gRPC; charset=utf-8", "application/grpc", "gRPC")
	f("application/grpc+proto", "application/grpc+proto", "gRPC")
	f("application/grpc+json", "application/grpc+json", "gRPC", "JSON")
	f("application/grpc-web", "application/grpc-web")
	f("application/grpc-web+proto", "application/grpc-web+proto")
	f("application/grpcx", "application/grpcx")
	// Faults in the parameters do not hide the type; two types are none.
	f("application/json; charset", "application/json", "JSON")
	f("application/json; a=1; a=2", "application/json", "JSON")
	f("application/json;;;", "application/json", "JSON")
	f("application/json, text/plain", "")
	f("json", "json")
	f("a/b/c", "")
	f("; charset=utf-8", "")
}
