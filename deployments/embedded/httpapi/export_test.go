package httpapi

import "time"

// Patient sets how long a client may stall.
func (s *Server) Patient(d time.Duration) *Server {
	s.patience = d
	return s
}
