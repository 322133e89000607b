package target

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/operation"
	"understudy.dev/exchange/target/sender"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// receiver is the server that candidates call back.
type receiver struct {
	c     *Client
	root  string
	calls *correlator

	// replies are the places where a callback at the shared path names its
	// request, those of all policies; signed are what a callback must be signed
	// with, and methods those with which one calls.
	replies []operation.Locator
	signed  []signature
	methods []string

	mu         sync.Mutex
	orphanRoom int64
}

const (
	callbackRoot = "/understudy/callback/"
	// sharedPath is that of callbacks which name their request.
	sharedPath = "/understudy/callback"
	// maxOrphanBytes bounds the bodies of orphans that a run keeps; of what comes
	// later their hash and length are kept.
	maxOrphanBytes = 64 << 20
	// maxCallback bounds the body of a callback, in bytes.
	maxCallback = 64 << 20
)

func newReceiver(c *Client) (*receiver, error) {
	r := &receiver{c: c, orphanRoom: maxOrphanBytes}
	r.calls = newCorrelator(r.orphaned)
	for _, p := range c.policies {
		if p.Channel != ChannelCallback {
			continue
		}
		if p.Callback.Correlate.Given() && !slices.Contains(r.replies, p.Callback.Correlate.Reply) {
			r.replies = append(r.replies, p.Callback.Correlate.Reply)
		}
		for _, m := range p.Callback.methods() {
			if !slices.Contains(r.methods, m) {
				r.methods = append(r.methods, m)
			}
		}
		s, err := p.Callback.Signature.load()
		if err != nil {
			return nil, err
		}
		if s.secret != nil && r.signature(s.Signature) == nil {
			r.signed = append(r.signed, s)
		}
	}
	return r, nil
}

func (r *receiver) start(ctx context.Context) (stop func(), err error) {
	ln, err := r.c.cfg.listen(ctx, r.c.cfg.CallbackListen)
	if err != nil {
		return nil, fmt.Errorf("listen for callbacks: %w; choose another address (--callback-listen)", err)
	}
	r.root = strings.TrimSuffix(r.c.cfg.CallbackURL, "/")
	if r.root == "" {
		r.root = "http://" + ln.Addr().String()
	}
	server := &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(ln) }()
	return func() { _ = server.Close(); <-done }, nil
}

// orphaned writes a delivery that belongs to no request, or to one that is over.
func (r *receiver) orphaned(x call) {
	if x.orphan.GetChannel() == understudyv1.Channel_CHANNEL_CALLBACK {
		r.c.metrics.callbacks.WithLabelValues(callbackOrphan).Inc()
	}
	body := x.orphan.GetReceived().GetBody()
	r.mu.Lock()
	keep := int64(len(body.GetContent())) <= r.orphanRoom
	if keep {
		r.orphanRoom -= int64(len(body.GetContent()))
	}
	r.mu.Unlock()
	if !keep {
		message.CutBody(body, 0)
	}
	r.c.orphan(x.orphan)
}

// ServeHTTP takes one callback: for a request that waits, or an orphan. An
// address may be validated before it is called.
func (r *receiver) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	at := time.Now()
	if handshake(rw, req, r.methods) {
		r.c.metrics.callbacks.WithLabelValues(callbackHandshake).Inc()
		return
	}
	if !slices.Contains(r.methods, req.Method) {
		rw.Header().Set("Allow", strings.Join(append([]string{http.MethodOptions}, r.methods...), ", "))
		r.reject(rw, "callbacks come by "+strings.Join(r.methods, ", "), http.StatusMethodNotAllowed)
		return
	}
	raw := io.Reader(http.MaxBytesReader(rw, req.Body, maxCallback))
	macs := make([]hash.Hash, len(r.signed))
	for i, s := range r.signed {
		macs[i] = s.begin()
		raw = io.TeeReader(raw, macs[i])
	}
	body, err := sender.Capture(raw, req.ContentLength, r.c.cfg.CaptureLimit)
	if err != nil {
		status := http.StatusBadRequest
		var tooLong *http.MaxBytesError
		if errors.As(err, &tooLong) {
			status = http.StatusRequestEntityTooLarge
		}
		r.reject(rw, "callback not understood", status)
		return
	}
	answer := &understudyv1.Response{Status: http.StatusOK, Protocol: req.Proto, Headers: sender.Headers(req.Header), Body: body}
	key := r.key(req.URL.Path, answer)
	if !r.isSigned(key, macs, req.Header) {
		r.c.metrics.callbacks.WithLabelValues(callbackUnsigned).Inc()
		http.Error(rw, "the signature is missing or wrong", http.StatusUnauthorized)
		return
	}
	if echoed(rw, body.GetContent()) {
		r.c.metrics.callbacks.WithLabelValues(callbackHandshake).Inc()
		return
	}
	x := call{
		at:     at,
		answer: answer,
		orphan: &understudyv1.Orphan{
			Channel: understudyv1.Channel_CHANNEL_CALLBACK, TimeUnixNano: at.UnixNano(),
			Received: &understudyv1.Request{
				Method: req.Method, Target: []byte(cut(req.RequestURI)), Authority: req.Host, Scheme: "http", Protocol: req.Proto,
				Headers: sender.Headers(req.Header), Body: body,
			},
		},
	}
	switch r.calls.deliver(key, x) {
	case taken:
		r.c.metrics.callbacks.WithLabelValues(callbackTaken).Inc()
		rw.WriteHeader(http.StatusNoContent)
	case tooMany:
		r.reject(rw, "too many callbacks", http.StatusTooManyRequests)
	default:
		http.Error(rw, "no request waits for this callback", http.StatusGone)
	}
}

// isSigned says whether a callback is signed as that of its request must be. One
// for which nobody waits must have one of the signatures that there are.
func (r *receiver) isSigned(key string, macs []hash.Hash, h http.Header) bool {
	needed, known := r.calls.signedWith(key)
	if len(macs) == 0 || known && needed == nil {
		return true
	}
	for i := range r.signed {
		if (!known || needed == &r.signed[i]) && r.signed[i].fits(macs[i], h) {
			return true
		}
	}
	return false
}

// signature is the loaded one of a policy, nil if it has none.
func (r *receiver) signature(s Signature) *signature {
	for i := range r.signed {
		if r.signed[i].Signature == s {
			return &r.signed[i]
		}
	}
	return nil
}

// key is what a callback is known by: its path, or the identifier that it names.
func (r *receiver) key(path string, answer *understudyv1.Response) string {
	if strings.TrimSuffix(path, "/") != sharedPath {
		return path
	}
	for _, l := range r.replies {
		if id, err := l.Find(answer); err == nil && id != "" {
			return keyIn(sharedPath, id)
		}
	}
	return path
}

func (r *receiver) reject(rw http.ResponseWriter, why string, status int) {
	r.c.metrics.callbacks.WithLabelValues(callbackRejected).Inc()
	http.Error(rw, why, status)
}

// Signature says how callbacks prove who sent them: by an HMAC of their body
// (RFC 2104). A callback without the right one is refused and counted.
type Signature struct {
	// Header is the field that carries it; empty checks nothing.
	Header string `yaml:"header"`
	// SecretEnv is the environment variable that holds the secret.
	SecretEnv string `yaml:"secret_env"`
	// Algorithm is sha256 (default), sha1 or sha512.
	Algorithm string `yaml:"algorithm"`
	// Encoding is hex (default) or base64.
	Encoding string `yaml:"encoding"`
	// Prefix stands before it, as in "sha256=".
	Prefix string `yaml:"prefix"`
}

// signature is one with its secret.
type signature struct {
	Signature
	secret []byte
}

func (s Signature) mistakes(say sayer) {
	if s.Header != "" && !message.IsToken(s.Header) {
		say("header", s.Header, "is not the name of a field")
	}
	if (s.Header == "") != (s.SecretEnv == "") {
		say("secret_env", s.SecretEnv, "and header are needed together")
	}
	if !slices.Contains([]string{"", "sha256", "sha1", "sha512"}, s.Algorithm) {
		say("algorithm", s.Algorithm, "is not one of sha256, sha1, sha512")
	}
	if !slices.Contains([]string{"", "hex", "base64"}, s.Encoding) {
		say("encoding", s.Encoding, "is not one of hex, base64")
	}
}

// load reads the secret; without a header there is none.
func (s Signature) load() (signature, error) {
	if s.Header == "" {
		return signature{}, nil
	}
	secret := os.Getenv(s.SecretEnv)
	if secret == "" {
		return signature{}, fmt.Errorf("the environment has no %s, which callback.signature.secret_env names", s.SecretEnv)
	}
	return signature{s, []byte(secret)}, nil
}

func (s signature) begin() hash.Hash {
	switch s.Algorithm {
	case "sha1":
		return hmac.New(sha1.New, s.secret)
	case "sha512":
		return hmac.New(sha512.New, s.secret)
	}
	return hmac.New(sha256.New, s.secret)
}

// fits says whether a field has the signature.
func (s signature) fits(mac hash.Hash, h http.Header) bool {
	sum := mac.Sum(nil)
	want := hex.EncodeToString(sum)
	if s.Encoding == "base64" {
		want = base64.StdEncoding.EncodeToString(sum)
	}
	for _, v := range h.Values(s.Header) {
		got := strings.TrimPrefix(strings.TrimSpace(v), s.Prefix)
		if s.Encoding != "base64" {
			got = strings.ToLower(got)
		}
		if subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1 {
			return true
		}
	}
	return false
}
