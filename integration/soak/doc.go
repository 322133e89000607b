// Package soak drives the live path, recorder and proxy together, for long
// and against the worst of baselines.
package soak
