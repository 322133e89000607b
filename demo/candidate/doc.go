// Package candidate is the demo's asynchronous order service, the successor of
// package baseline.
//
// Reads, quotes, deletions, registrations and logins are answered at once. Other
// writes are checked and accepted with 202; the work is done later, in order
// within a session. The answer names an operation in Operation-Location (POST /orders) or
// Location (the others), to be polled until its status is "succeeded" or
// "failed"; status_code and result are then what the baseline would have
// answered. A payment with a header Callback-Url has no operation to poll: the
// same document is posted to that URL, which must be on this machine.
//
// With a fault.Book in its Config the candidate makes the mistakes of package
// fault.
package candidate
