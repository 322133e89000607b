// Package shop is the business that both demo systems carry on: a catalogue,
// prices, and the life of an order. It knows nothing of HTTP servers, of
// latencies or of waiting, so the baseline and the candidate agree on what is
// right and can differ only in how, and how faithfully, they answer.
package shop
