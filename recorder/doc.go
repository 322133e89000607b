// Package recorder records live traffic: it wraps an http.Handler and hands
// every request and its response to a Sink, as an Exchange that is redacted and
// numbered.
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
