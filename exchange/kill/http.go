package kill

import (
	"fmt"
	"net/http"
	"strings"

	"understudy.dev/exchange/access"
)

// ReasonHeader says in a request to Handler why the switch is turned. No page of
// a browser can send it to another origin without being asked first.
const ReasonHeader = "Understudy-Reason"

// Handler shows the switch to a GET of those who may look, turns it on by a POST or
// PUT and off by a DELETE of those who may operate. To turn it, a client must say
// why in ReasonHeader.
func (s *Switch) Handler(guard *access.Guard) http.Handler {
	show := guard.Require(access.View, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { s.show(w) }))
	turn := guard.Require(access.Operate, http.HandlerFunc(s.turnByHTTP))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			show.ServeHTTP(w, r)
		case http.MethodPost, http.MethodPut, http.MethodDelete:
			turn.ServeHTTP(w, r)
		default:
			w.Header().Set("Allow", "GET, POST, PUT, DELETE")
			http.Error(w, "want GET, POST, PUT or DELETE", http.StatusMethodNotAllowed)
		}
	})
}

func (s *Switch) show(w http.ResponseWriter) {
	fmt.Fprintln(w, map[bool]string{true: "on", false: "off"}[s.On()])
}

func (s *Switch) turnByHTTP(w http.ResponseWriter, r *http.Request) {
	reason := strings.TrimSpace(r.Header.Get(ReasonHeader))
	if reason == "" {
		http.Error(w, "say why in the header "+ReasonHeader, http.StatusBadRequest)
		return
	}
	if err := s.Turn(r.Method != http.MethodDelete, access.Who(r), fmt.Sprintf("%.300q", reason)); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.show(w)
}
