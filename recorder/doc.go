// Package recorder keeps what passes: it wraps an http.Handler and makes an
// Exchange of every request and response that goes through, redacted and
// numbered, for a Sink.
//
// The live path waits for nothing: a request costs a copy of its head and of
// its body up to a limit, and one attempt to put the result into a bounded
// queue. Everything else (hashing, redaction, naming the route, the sink) is
// done behind it by Run. What does not fit is dropped and counted; every
// request consumes a sequence number and ends as recorded, as dropped for one
// reason, or is pending:
//
//	served = recorded + Σ dropped{reason} + pending
package recorder
