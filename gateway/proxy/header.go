package proxy

import (
	"net/http"

	"understudy.dev/exchange/message"
)

// copyEndToEnd shares the value slices; it copies none.
func copyEndToEnd(to, from http.Header) {
	for name, values := range from {
		if !message.IsHopByHop(name) {
			to[name] = values
		}
	}
	for _, name := range message.Nominated(from["Connection"]) {
		delete(to, name)
	}
}
