//go:build !linux

package engine

import "errors"

var errNoJail = errors.New("this system has no Landlock")

func (*library) confine([]string) (release func(), err error) { return nil, errNoJail }
