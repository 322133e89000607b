// Package wire is HTTP/1.1 as it stands on the wire (RFC 9112), for a proxy
// that changes as little as it can: heads are byte slices in which the lines are
// known, bodies pass in the framing in which they came.
//
// Parsing is strict where two readers could disagree about where a message ends:
// a bare CR, a folded line in a request, white space around a name, more than
// one length, a length beside chunks, any transfer coding but chunked, chunk sizes
// that are no plain hexadecimal number. All of it is an Error, whose text quotes
// nothing of the message. A line may end in a bare LF, as RFC 9112 section 2.2
// allows; a head with such lines is written with CRLF (Head.Loose).
//
// Nothing is allocated for a head but the list of its lines, which is reused.
package wire
