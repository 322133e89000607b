package substitute

import (
	"strings"

	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

type jar struct{}

func (x *Exchange) keepCookies(promise, answer *understudyv1.Response) {}

func (s *session) isSecret(names.Pair) bool { return false }

// cutCookie takes a Set-Cookie apart (RFC 6265, section 5.2).
func cutCookie(line string) (name, value, attributes string) {
	pair, attributes, _ := strings.Cut(line, ";")
	name, value, _ = strings.Cut(pair, "=")
	return strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"`), attributes
}
