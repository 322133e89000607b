package session

import (
	"net/http"
	"strings"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/wire"
)

// OfHead is a request as the rules look at it, before anything is made of its
// head. It is valid as long as that is.
func OfHead(q *wire.Request, client string) Source {
	target, _, _, _ := q.Address()
	return Source{Target: string(target), Client: client, Header: func(name string) (values []string) {
		for i := range q.Len() {
			if strings.EqualFold(string(q.Name(i)), name) {
				values = append(values, string(q.Value(i)))
			}
		}
		return values
	}}
}

// OfRequest is the same for a request as net/http has it.
func OfRequest(in *http.Request) Source {
	return Source{Header: in.Header.Values, Target: TargetOf(in), Client: in.RemoteAddr}
}

// TargetOf is the raw request target, of the absolute form what follows the
// authority, which is in in.Host: so it is sent on, and so it can be replayed. A
// request that no server parsed has only its URL.
func TargetOf(in *http.Request) string {
	switch {
	case in.RequestURI == "":
		return in.URL.RequestURI()
	case in.Method == http.MethodConnect:
		return in.RequestURI
	}
	origin, _ := message.OriginForm(in.RequestURI)
	return origin
}
