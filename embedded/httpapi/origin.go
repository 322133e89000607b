package httpapi

import (
	"net"
	"net/http"
	"strings"

	"understudy.dev/embedded/engine"
)

// checkOrigin refuses what a web page of another origin has a browser send.
// There are no users, so loopback alone would leave the tables, and with them
// all files that the process may read, to any page that somebody on this
// machine looks at: a POST of text needs no permission. Browsers say where
// requests come from (Fetch Metadata, RFC 6454); a name that is not localhost
// may have been pointed here by the page's owner. Other clients send neither
// header.
func checkOrigin(r *http.Request) error {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	switch {
	case site == "" && origin == "":
		return nil
	case !local(r.Host),
		site != "" && site != "none" && site != "same-origin",
		origin != "" && origin != "http://"+r.Host:
		return &engine.Exception{Code: 497, Name: "ACCESS_DENIED", Message: "the embedded platform takes no statements from web pages of other origins"}
	}
	return nil
}

// local tells whether a Host is an address or localhost.
func local(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	name = strings.Trim(name, "[]")
	return strings.EqualFold(name, "localhost") || net.ParseIP(name) != nil
}
