package shop

import (
	"net/http"
	"strings"
)

// Customer is somebody who registered.
type Customer struct {
	ID    string
	Email string
}

// Registration is the body of POST /customers and of POST /sessions.
type Registration struct {
	Email string `json:"email"`
}

// Validate refuses what is no address of a person (422).
func (r Registration) Validate() error {
	if name, host, ok := strings.Cut(r.Email, "@"); ok && name != "" && host != "" {
		return nil
	}
	return invalid([]string{"email"})
}

// Register makes a customer, or gives the one who has this address.
func (s *Shop) Register(email string) (Customer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.customers[email]; ok {
		return c, nil
	}
	if len(s.customers) >= maxOrders {
		return Customer{}, errFull
	}
	c := Customer{s.newID("customer"), email}
	s.customers[email], s.emails[c.ID] = c, email
	return c, nil
}

// Login finds a customer by the address (401 if there is none).
func (s *Shop) Login(email string) (Customer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.customers[email]; ok {
		return c, nil
	}
	return Customer{}, &Error{http.StatusUnauthorized, "unauthorized", "nobody has this address"}
}

// accountLocked is the account of a customer, which does not depend on the
// identifier that this system gave to one who is registered.
func (s *Shop) accountLocked(customer string) int64 {
	if email, ok := s.emails[customer]; ok {
		return Account(email)
	}
	return Account(customer)
}
