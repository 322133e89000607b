//go:build !unix

package main

import (
	"context"

	"understudy.dev/exchange/kill"
)

// killBySignal has no signal on this system.
func killBySignal(context.Context, *kill.Switch) {}
