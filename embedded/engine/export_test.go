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

// HigherOrder tells whether fence.go knows that a function takes a function.
func HigherOrder(name string) bool { return higherOrder[strings.ToLower(name)] }

// Sealed are the settings that keep their value.
func Sealed() []string { return sealed }

// Unconfined is the configuration of an engine without Landlock.
func Unconfined(c Config) Config { c.unconfined = true; return c }
