//go:build !unix

package books

import (
	"errors"
	"os"
)

func mapPage(*os.File) (page, func() error, error) { return nil, nil, errors.ErrUnsupported }

func syncPage(page) error { return errors.ErrUnsupported }
