//go:build unix

package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"understudy.dev/exchange/kill"
)

// killBySignal turns the kill switch on at each SIGUSR1, until ctx ends. No
// signal turns it off: that wants a decision.
func killBySignal(ctx context.Context, s *kill.Switch) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	defer signal.Stop(signals)
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
			_ = s.Turn(true, "somebody who may signal "+who(), "by SIGUSR1") // it has said what went wrong
		}
	}
}
