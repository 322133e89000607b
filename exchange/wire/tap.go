package wire

import (
	"understudy.dev/exchange/visit"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Side is the sender of a part of an exchange.
type Side uint8

// Sides.
const (
	Client Side = iota
	Server
)

// Tap sees what a proxy relays, on the bytes that it relays.
type Tap interface {
	// Begin is called with the head of each request, before it is sent on. remote
	// is the client's address, v what the door knows of the request, nil without
	// one; it may change until Answer or Close. nil says that the exchange is not
	// looked at.
	Begin(r *Request, remote string, secure bool, v *visit.Visit) Exchange
}

// Exchange sees one exchange. Nothing that it is given is valid after the call.
// The calls for one side come one after the other, those for the two sides at
// the same time.
type Exchange interface {
	// Answer is given the head of the final answer of the server, or of a 101.
	Answer(r *Response)
	// Body is given a body's next bytes, without the transfer coding.
	Body(s Side, p []byte)
	// End says that a body was whole, and which fields came after it.
	End(s Side, trailer *Head)
	// Close is the last call. Without an error the answer was whole; if its End was
	// not said either, the proxy has failed.
	Close(failure *understudyv1.TransportError)
}
