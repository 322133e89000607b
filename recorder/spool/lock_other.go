//go:build !unix

package spool

import (
	"errors"
	"os"
)

func lockFile(*os.File) error { return errors.ErrUnsupported }

func full(error) bool { return false }
