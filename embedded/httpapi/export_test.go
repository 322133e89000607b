package httpapi

import "time"

// Patient sets how long a client may stall.
func (s *Server) Patient(d time.Duration) *Server {
	s.patience = d
	return s
}

// Grace sets how long running statements have once Serve is to end.
func (s *Server) Grace(d time.Duration) *Server {
	s.grace = d
	return s
}
