package target

import (
	"errors"
	"fmt"
	"net/url"

	"understudy.dev/setting"
)

// CheckURL says what is wrong with the URL of a system.
func CheckURL(s string) error {
	_, err := parseBase(s)
	return err
}

func parseBase(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q does not look like http://host:port or https://host:port, with at most a path", setting.Address(s))
	}
	if u.User != nil {
		return nil, errors.New("credentials do not belong in the URL; use a header (--header \"Authorization: …\")")
	}
	return u, nil
}
