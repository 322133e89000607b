package wire

// Error says why bytes are not a message that may be passed on.
type Error struct {
	// Status is what a server answers to such a request (RFC 9110).
	Status int
	// Fault says what is wrong. It quotes nothing of the message.
	Fault string
}

// Error implements error.
func (e *Error) Error() string { return e.Fault }

func bad(fault string) *Error { return &Error{400, fault} }

// Faults of heads, fields and chunks.
var (
	errLine        = bad("a line holds a control byte")
	errFold        = bad("a field is folded over lines")
	errName        = bad("a line is not the field of a header")
	errStartLine   = bad("the request line is malformed")
	errStatusLine  = bad("the status line is malformed")
	errVersion     = &Error{505, "the version of HTTP is not 1.0 or 1.1"}
	errTooLarge    = &Error{431, "the head is larger than is allowed"}
	errTooMany     = &Error{431, "the head has more fields than are allowed"}
	errHosts       = bad("there is not exactly one valid Host")
	errLength      = bad("Content-Length is not one decimal number")
	errCoding      = &Error{501, "the transfer coding is not chunked"}
	errCodings     = bad("there is more than one Transfer-Encoding")
	errBoth        = bad("there is a Content-Length beside a transfer coding")
	errOldCoding   = bad("HTTP/1.0 has no transfer codings")
	errChunkSize   = bad("a chunk size is malformed")
	errChunkEnd    = bad("a chunk does not end where its size says")
	errChunkLine   = bad("the line of a chunk is longer than is allowed")
	errTrailer     = bad("the trailer section is malformed or holds a field that does not belong there")
	errTrailerSize = &Error{431, "the trailer section is larger than is allowed"}
)
