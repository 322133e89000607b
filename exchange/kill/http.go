package kill

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// ReasonHeader says in a request to Handler why the switch is turned. No page of
// a browser can send it to another origin without being asked first.
const ReasonHeader = "Understudy-Reason"

// Handler shows the switch to a GET, turns it on by a POST or PUT and off by a
// DELETE. To turn it, a client must be on this machine, speak to it under a local
// name, and say why in ReasonHeader.
func (s *Switch) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		on := r.Method != http.MethodDelete
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			fmt.Fprintln(w, map[bool]string{true: "on", false: "off"}[s.On()])
			return
		case http.MethodPost, http.MethodPut, http.MethodDelete:
		default:
			w.Header().Set("Allow", "GET, POST, PUT, DELETE")
			http.Error(w, "want GET, POST, PUT or DELETE", http.StatusMethodNotAllowed)
			return
		}
		reason := strings.TrimSpace(r.Header.Get(ReasonHeader))
		switch {
		case !local(r.RemoteAddr) || !localName(r.Host):
			http.Error(w, "the kill switch is turned from this machine only, under a local name; elsewhere make its file", http.StatusForbidden)
			return
		case reason == "":
			http.Error(w, "say why in the header "+ReasonHeader, http.StatusBadRequest)
			return
		}
		if err := s.Set(on, fmt.Sprintf("by HTTP: %.300q", reason)); err != nil {
			s.log.Error("kill switch", "error", err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		s.log.Warn("the kill switch was turned by HTTP", "on", on, "reason", fmt.Sprintf("%.300q", reason))
		fmt.Fprintln(w, map[bool]string{true: "on", false: "off"}[s.On()])
	})
}

func local(address string) bool {
	a, err := netip.ParseAddrPort(address)
	return err == nil && a.Addr().Unmap().IsLoopback()
}

func localName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && a.IsLoopback()
}
