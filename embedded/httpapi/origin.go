package httpapi

import (
	"fmt"
	"net/http"

	"understudy.dev/embedded/engine"
	"understudy.dev/setting"
)

// checkOrigin refuses what a web page of another origin has a browser send.
// There are no users, so loopback alone would leave the tables to any page that
// somebody on this machine looks at: a POST of text needs no permission.
// Browsers say where requests come from (Fetch Metadata, RFC 6454); other
// clients send neither header. A page whose owner has pointed its name here (DNS
// rebinding) sends neither with GET, so the name itself is checked, always.
func (s *Server) checkOrigin(r *http.Request) error {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	switch {
	case !s.knows(r.Host):
		return &engine.Exception{Code: 497, Name: "ACCESS_DENIED", Message: fmt.Sprintf("the embedded platform is not known as %.100q; use localhost or its address, or start it with --allow-host", r.Host)}
	case site != "" && site != "none" && site != "same-origin",
		origin != "" && origin != "http://"+r.Host:
		return &engine.Exception{Code: 497, Name: "ACCESS_DENIED", Message: "the embedded platform takes no statements from web pages of other origins"}
	}
	return nil
}

// knows reports whether a Host is an address, localhost, or a name that is
// allowed.
func (s *Server) knows(host string) bool {
	return setting.IsOwnName(host) || s.hosts[setting.HostName(host)]
}
