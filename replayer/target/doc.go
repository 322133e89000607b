// Package target sends requests to the system under rehearsal and waits for
// how they end: at once, by polling a status monitor, or by a callback to a
// receiver of its own. What the documents of long-running operations mean is
// known to exchange/operation.
//
// Everything that the candidate says is hostile input: where it points, how
// much it sends, how long it takes.
package target
