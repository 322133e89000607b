//go:build !linux && !darwin

package folder

import "os"

func free(string) (uint64, error) { return 0, ErrUnsupported }

func private() {}

func lock(*os.File) error { return ErrUnsupported }
