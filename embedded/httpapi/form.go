package httpapi

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"understudy.dev/embedded/engine"
)

// form reads the parameters from a multipart/form-data body, which clients use
// for parameters too long for a URL; the returned request has them in addition
// to those of its URL, and an empty body. Other bodies stay as they are. All
// parameters together are bounded by maxStatement.
func form(r *http.Request, body io.Reader) (*http.Request, io.Reader, error) {
	// An error leaves kind empty: a body that is not a form is a statement or
	// its rows.
	kind, with, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		return r, body, nil
	}
	values, room := r.URL.Query(), int64(maxStatement)
	for parts := multipart.NewReader(body, with["boundary"]); ; {
		part, err := parts.NextRawPart()
		if err == io.EOF { //nolint:errorlint // wrapped, it is a form without an end
			break
		}
		if err != nil {
			return nil, nil, notAForm(err)
		}
		if part.FileName() != "" {
			return nil, nil, &engine.Exception{Code: 48, Name: "NOT_IMPLEMENTED",
				Message: fmt.Sprintf("external table %q: the embedded platform takes none; insert the rows into a table", part.FormName())}
		}
		value, err := io.ReadAll(io.LimitReader(part, room+1))
		if err != nil {
			return nil, nil, notAForm(err)
		}
		if room -= int64(len(value)); room < 0 {
			return nil, nil, &engine.Exception{Code: 229, Name: "QUERY_IS_TOO_LARGE", Message: fmt.Sprintf("the form is longer than %d bytes", maxStatement)}
		}
		values.Set(part.FormName(), string(value))
	}
	return withValues(r, values), strings.NewReader(""), nil
}

// withValues is a request with other parameters.
func withValues(r *http.Request, values url.Values) *http.Request {
	address := *r.URL
	address.RawQuery = values.Encode()
	r = r.WithContext(r.Context())
	r.URL = &address
	return r
}

// notAForm keeps the exceptions of the body's own decoding.
func notAForm(err error) error {
	var e *engine.Exception
	if errors.As(err, &e) {
		return e
	}
	return &engine.Exception{Code: 36, Name: "BAD_ARGUMENTS", Message: "the body is not multipart/form-data: " + err.Error()}
}
