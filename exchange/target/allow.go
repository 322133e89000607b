package target

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Allowed are the places to which connections may be made; none allows all.
type Allowed []allowed

// allowed is one host, all hosts below a name, or a network; with one port or all.
type allowed struct {
	name    string // in lower case; empty for a network
	below   bool   // of name, not name itself
	network netip.Prefix
	port    string // empty is all
}

// ParseAllowed reads a list of places: a name, *.name for all below it, an address
// or a network (10.1.0.0/16), each with a port or without. IPv6 with a port stands
// in brackets.
func ParseAllowed(list []string) (Allowed, error) {
	var out Allowed
	for _, text := range list {
		a, err := parseAllowed(text)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

func parseAllowed(text string) (a allowed, err error) {
	host := text
	if rest, ok := strings.CutPrefix(text, "["); ok {
		inner, port, closed := strings.Cut(rest, "]")
		if host = inner; !closed || port != "" && port[0] != ':' {
			return a, notAPlace(text)
		}
		a.port = strings.TrimPrefix(port, ":")
		if port == ":" {
			return a, notAPlace(text)
		}
	} else if before, port, ok := strings.Cut(text, ":"); ok && !strings.Contains(port, ":") {
		if host, a.port = before, port; port == "" {
			return a, notAPlace(text)
		}
	}
	if n, err := strconv.Atoi(a.port); a.port != "" && (err != nil || n < 1 || n > 65535 || strconv.Itoa(n) != a.port) {
		return a, notAPlace(text)
	}
	if address, err := netip.ParseAddr(host); err == nil {
		address = address.Unmap()
		a.network = netip.PrefixFrom(address, address.BitLen())
		return a, nil
	}
	if strings.Contains(host, "/") {
		if a.network, err = netip.ParsePrefix(host); err != nil || a.network != a.network.Masked() {
			return a, fmt.Errorf("%q is not a network like 10.1.0.0/16, with no bits behind its length", text)
		}
		return a, nil
	}
	a.name, a.below = strings.CutPrefix(strings.ToLower(host), "*.")
	if a.name == "" || strings.ContainsAny(a.name, "*:@ /[]") {
		return a, notAPlace(text)
	}
	return a, nil
}

func notAPlace(text string) error {
	return fmt.Errorf("%q is not a host, *.host, an address or a network, with a port behind it or without", text)
}

// at says whether a place may be connected to that has a name and, if it is known,
// an address.
func (all Allowed) at(host, port string, address netip.Addr) bool {
	return len(all) == 0 || slices.ContainsFunc(all, func(a allowed) bool {
		switch {
		case a.port != "" && a.port != port:
			return false
		case a.name == "":
			return a.network.Contains(address.Unmap())
		case a.below:
			return strings.HasSuffix(strings.ToLower(host), "."+a.name)
		}
		return strings.EqualFold(host, a.name)
	})
}

// within says whether a network is given that holds an address.
func (all Allowed) within(port string, address netip.Addr) bool {
	return slices.ContainsFunc(all, func(a allowed) bool {
		return a.name == "" && (a.port == "" || a.port == port) && a.network.Contains(address.Unmap())
	})
}
