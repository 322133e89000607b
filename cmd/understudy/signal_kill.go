//go:build unix

package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"understudy.dev/exchange/kill"
)

// killBySignal turns the kill switch on at each SIGUSR1, until ctx ends. No
// signal turns it off: that wants a decision.
func killBySignal(ctx context.Context, s *kill.Switch, log *slog.Logger) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	defer signal.Stop(signals)
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
			if err := s.Set(true, "by SIGUSR1"); err != nil {
				log.Error("kill switch", "error", err)
			}
		}
	}
}
