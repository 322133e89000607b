package replayer_test

import (
	"crypto/md5"  //nolint:gosec // what is asked for
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestDigestsAreThoseOfWhatIsSent: where names change a body, fields that hold its
// digest hold that of what is sent, in the trailers too; those that cannot be made
// anew go, and others stay.
func TestDigestsAreThoseOfWhatIsSent(t *testing.T) {
	const was, is = `{"order_id":10000,"n":1}`, `{"order_id":20000,"n":1}`
	b64 := base64.StdEncoding.EncodeToString
	md := func(s string) []byte { sum := md5.Sum([]byte(s)); return sum[:] }   //nolint:gosec // as above
	one := func(s string) []byte { sum := sha1.Sum([]byte(s)); return sum[:] } //nolint:gosec // as above
	two := func(s string) []byte { sum := sha256.Sum256([]byte(s)); return sum[:] }
	five := func(s string) []byte { sum := sha512.Sum512([]byte(s)); return sum[:] }
	fields := func(s string) map[string]string {
		return map[string]string{
			"Content-Md5": b64(md(s)), "Digest": "SHA-256=" + b64(two(s)) + ",SHA=" + b64(one(s)), "Content-Digest": "sha-512=:" + b64(five(s)) + ":",
			"X-Amz-Content-Sha256": hex.EncodeToString(two(s)), "X-Body-Sum": strings.ToUpper(hex.EncodeToString(one(s))), "X-Ms-Blob-Content-Md5": b64(md(s)),
			"X-Goog-Hash": "md5=" + b64(md(s)), "X-Other": hex.EncodeToString(two("other")),
		}
	}
	f := func(sent string, recorded, want map[string]string) {
		t.Helper()
		use := call("use", "s", 50, "POST /x", sent, `{}`)
		for name, value := range recorded {
			use.Request.Headers = append(use.Request.Headers, &understudyv1.Header{Name: name, Value: []byte(value)})
		}
		use.Request.Body.DeclaredLength = -1
		use.Request.Trailers = []*understudyv1.Header{{Name: "X-Sum", Value: []byte(hex.EncodeToString(two(sent)))}, {Name: "X-Order-Id", Value: []byte("10000")}}
		var mu sync.Mutex
		var got http.Header
		body, trailer := "", ""
		run, err := replay(t.Context(), t, &source{list: []*understudyv1.Exchange{call("make", "s", 0, "POST /orders", `{}`, `{"id":10000}`), use}}, &sink{}, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if r.URL.Path == "/x" {
				content, _ := io.ReadAll(r.Body)
				got, body, trailer = r.Header, string(content), r.Trailer.Get("X-Sum")+" "+r.Trailer.Get("X-Order-Id")
			}
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"id":20000}`)
		}, nil)
		if err != nil || got == nil || body == "" || trailer != hex.EncodeToString(two(body))+" 20000" {
			t.Errorf("sent %q, trailers %q, skipped %v, %v", body, trailer, run.Skipped, err)
		}
		for name := range recorded {
			if value := strings.Join(got.Values(name), "|"); value != want[name] {
				t.Errorf("%s: got %s, want %s", name, value, want[name])
			}
		}
	}
	f(was, fields(was), fields(is))
	f(`{"n":1}`, fields(`{"n":2}`), fields(`{"n":2}`)) // nothing changes
	foreign := fields("no digest of it")
	kept := map[string]string{}
	for name, value := range foreign {
		if strings.HasPrefix(name, "X-") {
			kept[name] = value
		}
	}
	f(was, foreign, kept)
	if len(kept) != 5 {
		t.Error(fmt.Sprint(kept))
	}
}
