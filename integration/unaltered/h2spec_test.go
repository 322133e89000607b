package unaltered

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/summerwind/h2spec/config"
	"github.com/summerwind/h2spec/generic"
	"github.com/summerwind/h2spec/hpack"
	"github.com/summerwind/h2spec/http2"
	"github.com/summerwind/h2spec/spec"
)

// deviations are the cases of h2spec that net/http's server fails, the recorder's
// as every other, with the reason.
func deviations(secure bool) map[string]string {
	why := map[string]string{
		"http2/4.2: Sends a large size HEADERS frame that exceeds the SETTINGS_MAX_FRAME_SIZE":                          "the suite sends what is the most by default; the server has said that it takes more",
		"http2/6.5.3: Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE":                                            "one SETTINGS frame with a setting twice is refused",
		"http2/8.1.2.2: Sends a HEADERS frame that contains the connection-specific header field":                       "answered with 400, which RFC 9113, 8.1.1 allows",
		"http2/8.1.2.2: Sends a HEADERS frame that contains the TE header field with any value other than \"trailers\"": "answered with 400, which RFC 9113, 8.1.1 allows",
	}
	if !secure {
		why["http2/3.5: Sends invalid connection preface"] = "the same port speaks HTTP/1.1, and answers that it is not valid there either"
	}
	return why
}

// TestH2Spec: the conformance suite of HTTP/2 finds nothing at the recorder's
// listener, in cleartext and over TLS, but what it finds at net/http's own server.
func TestH2Spec(t *testing.T) {
	baseline := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "hello")
	}))
	for name, secure := range map[string]bool{"cleartext": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			host, port, err := net.SplitHostPort(recorder(t, baseline, secure))
			if err != nil {
				t.Fatal(err)
			}
			c := &config.Config{Host: host, Path: "/", Timeout: 3 * time.Second, MaxHeaderLen: 4000, Strict: true, TLS: secure, Insecure: true}
			if c.Port, err = strconv.Atoi(port); err != nil {
				t.Fatal(err)
			}
			got, passed := map[string]string{}, 0
			want := deviations(secure)
			for _, suite := range []*spec.TestGroup{generic.Spec(), http2.Spec(), hpack.Spec()} {
				suite.Test(c)
				passed += suite.PassedCount
				failures(suite, func(what, why string) {
					if expected, ok := want[what]; ok {
						why = expected
					}
					got[what] = why
				})
			}
			if d := cmp.Diff(want, got); d != "" || passed < 140 {
				t.Errorf("%d passed; failures (-want +got):\n%s", passed, d)
			}
		})
	}
}

func failures(g *spec.TestGroup, tell func(what, why string)) {
	for _, c := range append(g.Tests, g.StrictTests...) {
		if c.Result != nil && c.Result.Failed {
			tell(g.ID()+": "+c.Desc, c.Result.Error.Error())
		}
	}
	for _, sub := range g.Groups {
		failures(sub, tell)
	}
}
