package shop

import (
	"net/http"
	"net/url"
	"strconv"
)

// Page reads offset (default 0) and limit (default 20, at most 100) of a
// query; anything else is refused with 422.
func Page(query url.Values) (offset, limit int, err error) {
	offset, ok := number(query.Get("offset"), 0, 1_000_000)
	if !ok {
		return 0, 0, invalid([]string{"offset"})
	}
	if limit, ok = number(query.Get("limit"), 20, 100); !ok || limit == 0 {
		return 0, 0, invalid([]string{"limit"})
	}
	return offset, limit, nil
}

func number(text string, otherwise, most int) (int, bool) {
	if text == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0 && n <= most
}

// Session is the key under which a client's requests keep their order: the
// header X-Session-Id, else the cookie "session", else "".
func Session(r *http.Request) string {
	if s := r.Header.Get("X-Session-Id"); s != "" {
		return s
	}
	if c, err := r.Cookie("session"); err == nil {
		return c.Value
	}
	return ""
}
