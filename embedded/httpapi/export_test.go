package httpapi

import "time"

// Accepted is the coding that is chosen for an Accept-Encoding.
var Accepted = accepted

// StallTimeout sets how long a client may stall.
func (s *Server) StallTimeout(d time.Duration) *Server {
	s.stallTimeout = d
	return s
}

// Grace sets how long running statements have once Serve is to end.
func (s *Server) Grace(d time.Duration) *Server {
	s.grace = d
	return s
}
