package target

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// handshake answers a request by which a sender makes sure that it may call
// this address, and says whether it was one. It is no callback. The forms are
// the OPTIONS of CloudEvents (HTTP 1.1 Web Hooks for Event Delivery 1.0, 4),
// the challenge of WebSub (5.3), the validation token of Microsoft Graph and
// the mere look of a HEAD. All are granted at once; WebHook-Request-Callback,
// which asks to be called, is not followed: we call nobody but the candidate.
func handshake(rw http.ResponseWriter, req *http.Request, methods []string) bool {
	query := req.URL.Query()
	switch {
	case req.Method == http.MethodOptions:
		h := rw.Header()
		h.Set("Allow", strings.Join(append([]string{http.MethodOptions}, methods...), ", "))
		if req.Header.Get("WebHook-Request-Origin") != "" {
			h.Set("WebHook-Allowed-Origin", "*")
		}
		if req.Header.Get("WebHook-Request-Rate") != "" {
			h.Set("WebHook-Allowed-Rate", "*")
		}
	case req.Method == http.MethodHead:
	case req.Method == http.MethodGet && query.Has("hub.mode") && query.Has("hub.challenge"):
		echo(rw, query.Get("hub.challenge"))
	case req.Method == http.MethodGet && query.Has("challenge"):
		echo(rw, query.Get("challenge"))
	case req.Method == http.MethodPost && query.Has("validationToken"):
		echo(rw, query.Get("validationToken"))
	default:
		return false
	}
	return true
}

// echoed answers a POST whose JSON is only a challenge, as those of Slack's
// events are (type url_verification), with that challenge, and says whether it
// was one.
func echoed(rw http.ResponseWriter, body []byte) bool {
	if len(body) > maxChallenge {
		return false
	}
	var q struct{ Type, Challenge string }
	if json.Unmarshal(body, &q) != nil || q.Type != "url_verification" || q.Challenge == "" {
		return false
	}
	echo(rw, q.Challenge)
	return true
}

// maxChallenge bounds the body of a challenge, in bytes.
const maxChallenge = 16 << 10

// echo repeats what the sender made up, as text that no browser takes for more.
func echo(rw http.ResponseWriter, challenge string) {
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(rw, challenge)
}
