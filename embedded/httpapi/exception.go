package httpapi

import (
	"fmt"
	"io"
	"net/http"

	"understudy.dev/embedded/engine"
)

// fail answers with an error; nothing of another answer has been sent.
func fail(w http.ResponseWriter, err error) {
	e := engine.ExceptionOf(err)
	h := w.Header()
	for _, name := range []string{"Content-Encoding", "X-ClickHouse-Format", "X-ClickHouse-Summary", "X-ClickHouse-Progress", "X-ClickHouse-Exception-Tag"} {
		h.Del(name)
	}
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("X-ClickHouse-Exception-Code", fmt.Sprint(e.Code))
	w.WriteHeader(status(e.Code))
	_, _ = io.WriteString(w, e.Error()+"\n")
}

// status is the HTTP status for an exception's code. Source: ClickHouse's
// exceptionCodeToHTTPStatus.cpp, but for the codes of a body that breaks off
// or cannot be decompressed, which here are the client's fault.
func status(code int32) int {
	switch code {
	case 194: // REQUIRED_PASSWORD
		return http.StatusUnauthorized
	case 192, 193, 497, 512, 516: // users and rights
		return http.StatusForbidden
	case 33, 271: // CANNOT_READ_ALL_DATA, CANNOT_DECOMPRESS
		return http.StatusBadRequest
	case 6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675, 676:
		// arguments, columns, syntax, values that cannot be parsed
		return http.StatusBadRequest
	case 46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511: // UNKNOWN_…
		return http.StatusNotFound
	case 159: // TIMEOUT_EXCEEDED
		return http.StatusRequestTimeout
	case 381: // HTTP_LENGTH_REQUIRED
		return http.StatusLengthRequired
	case 229: // QUERY_IS_TOO_LARGE
		return http.StatusRequestEntityTooLarge
	case 779: // UNSUPPORTED_MEDIA_TYPE
		return http.StatusUnsupportedMediaType
	case 48: // NOT_IMPLEMENTED
		return http.StatusNotImplemented
	case 76, 209, 439: // CANNOT_OPEN_FILE, SOCKET_TIMEOUT, CANNOT_SCHEDULE_TASK
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
