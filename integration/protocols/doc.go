// Package protocols plays one recording against a candidate in each style in
// which asynchronous systems answer, as docs/protocols.md configures them, with
// losses, repeats, delays, reorderings and early and late completions in known
// numbers, and counts the verdicts.
package protocols
