package baseline

import (
	"net/http"
	"time"

	"understudy.dev/demo/shop"
)

// key signs this system's tokens; it guards nothing.
var key = []byte("the baseline of a demo")

type customer struct {
	ID    string `json:"id"`
	Email string `json:"email"`
}

func (s *server) register(h http.Header, r *http.Request) (int, any, error) {
	in, err := decode[shop.Registration](r)
	if err != nil {
		return 0, nil, err
	}
	c, err := s.shop.Register(in.Email)
	if err == nil {
		h.Set("Location", "/customers/"+c.ID)
	}
	return http.StatusCreated, customer(c), err
}

type claims struct {
	Subject string `json:"sub"`
	Role    string `json:"role"`
	Issued  int64  `json:"iat"`
	Expires int64  `json:"exp"`
	ID      string `json:"jti"`
}

type session struct {
	Token string `json:"token"`
	Type  string `json:"token_type"`
	Lasts int    `json:"expires_in"`
}

func (s *server) login(h http.Header, r *http.Request) (int, any, error) {
	in, err := decode[shop.Registration](r)
	if err != nil {
		return 0, nil, err
	}
	c, err := s.shop.Login(in.Email)
	if err != nil {
		return 0, nil, err
	}
	now := time.Now()
	id := s.id("login")
	h.Set("Set-Cookie", "visit="+id+"; Path=/; HttpOnly")
	token := shop.Sign(key, claims{c.ID, shop.Role, now.Unix(), now.Add(shop.TokenLife).Unix(), id})
	return http.StatusOK, session{token, "Bearer", int(shop.TokenLife.Seconds())}, nil
}

func (s *server) logout(h http.Header, _ *http.Request) (int, any, error) {
	h.Set("Set-Cookie", "visit=; Path=/; Max-Age=0; HttpOnly")
	return http.StatusNoContent, nil, nil
}

func (s *server) export(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/csv")
	w.Header().Set("Repr-Digest", shop.Digest(shop.Export()))
	w.Header().Set("Trailer", shop.ExportTrailer)
	w.Write(shop.Export())
	w.Header().Set(shop.ExportTrailer, "complete")
}
