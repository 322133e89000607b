//go:build !static && (linux || darwin)

package engine

import (
	"fmt"

	"github.com/ebitengine/purego"
)

// dlopen opens a shared library and points the functions to its symbols.
func dlopen(path string, functions map[string]any) error {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return fmt.Errorf("load the ClickHouse engine %s: %w", path, err)
	}
	for name, target := range functions {
		symbol, err := purego.Dlsym(handle, name)
		if err != nil {
			return fmt.Errorf("the library %s is not the engine we expect: %w", path, err)
		}
		purego.RegisterFunc(target, symbol)
	}
	return nil
}
