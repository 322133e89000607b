//go:build !static && !linux && !darwin

package engine

import "understudy.dev/embedded/folder"

func dlopen(string, map[string]any) error { return folder.ErrUnsupported }
