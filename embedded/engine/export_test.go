package engine

import "strings"

// JudgedFunction tells whether fence.go knows a table function.
func JudgedFunction(name string) bool {
	name = strings.ToLower(name)
	return safeFunctions[name] || refusedFunctions[name]
}

// JudgedEngine tells whether fence.go knows an engine.
func JudgedEngine(name string) bool {
	name = strings.ToLower(name)
	return safeEngines[name] || refusedEngines[name]
}
