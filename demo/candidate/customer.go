package candidate

import (
	"net/http"
	"time"

	"understudy.dev/demo/fault"
	"understudy.dev/demo/shop"
)

// key signs this system's tokens; it guards nothing.
var key = []byte("the candidate of a demo")

func (c *Candidate) register(in *request) answer {
	who, err := decode[shop.Registration](in)
	if err != nil {
		return refuse(err)
	}
	customer, err := c.shop.Register(who.Email)
	a := result(http.StatusCreated, map[string]string{"id": customer.ID, "email": customer.Email}, err)
	if err == nil {
		a.header = http.Header{"Location": {"/customers/" + customer.ID}}
	}
	return a
}

func (c *Candidate) login(in *request) answer {
	who, err := decode[shop.Registration](in)
	if err != nil {
		return refuse(err)
	}
	customer, err := c.shop.Login(who.Email)
	if err != nil {
		return refuse(err)
	}
	role := shop.Role
	if c.hit(in, fault.WrongRole) {
		role = "clerk"
	}
	now := time.Now()
	token := shop.Sign(key, map[string]any{
		"iat": now.Unix(), "exp": now.Add(shop.TokenLife).Unix(), "jti": newID(), "sub": customer.ID, "role": role,
	})
	return answer{
		status: http.StatusOK,
		header: http.Header{"Set-Cookie": {"visit=" + newID() + "; Path=/; HttpOnly"}},
		body:   map[string]any{"token": token, "token_type": "Bearer", "expires_in": int(shop.TokenLife.Seconds())},
	}
}

func (c *Candidate) logout(in *request) answer {
	cookie := "visit=; Path=/; Max-Age=0; HttpOnly"
	if c.hit(in, fault.KeptCookie) {
		cookie = "visit=" + newID() + "; Path=/; HttpOnly"
	}
	return answer{status: http.StatusNoContent, header: http.Header{"Set-Cookie": {cookie}}}
}

func (c *Candidate) export(in *request) answer {
	content, status := shop.Export(), "complete"
	digest := shop.Digest(content)
	switch {
	case c.hit(in, fault.ShortExport):
		content = content[:len(content)-len(content)/10]
	case c.hit(in, fault.WrongDigest):
		digest = shop.Digest(content[1:])
	case c.hit(in, fault.WrongTrailer):
		status = "partial"
	}
	return answer{
		status: http.StatusOK, body: content,
		header:  http.Header{"Content-Type": {"text/csv"}, "Repr-Digest": {digest}, "Trailer": {shop.ExportTrailer}},
		trailer: http.Header{shop.ExportTrailer: {status}},
	}
}

// note remembers an order for the faults that show one customer what belongs to
// another.
func (c *Candidate) note(o shop.Order) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.recent[0].Customer != o.Customer {
		c.recent[1] = c.recent[0]
	}
	c.recent[0] = o
}

// another is an order of another customer, if there is one.
func (c *Candidate) another(customer string) (shop.Order, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range c.recent {
		if o.ID != "" && o.Customer != customer {
			return o, true
		}
	}
	return shop.Order{}, false
}
