package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"understudy.dev/embedded/folder"
)

// minFree is how many bytes the disk under the data folder must have free. The
// engine's description of a table that is written to a full disk is empty, and
// then the engine does not start again.
const minFree = 32 << 20

// requireSpace refuses to start where the first write would fail.
func requireSpace(dir string) error {
	n, err := folder.Free(dir)
	if err == nil && n < minFree {
		err = fmt.Errorf("data folder %s: %d MiB are free on its disk, at least %d are needed; free some, or choose another folder (--data-dir)", dir, n>>20, minFree>>20)
	}
	return err
}

// Space is checked every lookEvery; a disk that stays full is logged again
// every sayEvery.
const (
	lookEvery = 2 * time.Second
	sayEvery  = 30 * time.Second
)

// watchDisk logs when the disk gets full, since neither Kafka's protocol nor
// ClickHouse's tells the writer the cause. It returns when ctx ends.
func watchDisk(ctx context.Context, dir string, space func(string) (uint64, error), log *slog.Logger) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var said time.Time
	blind := false
	for {
		n, err := space(dir)
		switch now := time.Now(); {
		case err != nil && !blind:
			log.Warn("cannot look at the disk", "error", err)
			blind = true
		case err != nil:
		case n < minFree && now.Sub(said) >= sayEvery:
			log.Error("the disk is full: what is written now is refused or lost; free some space", "folder", dir, "free_bytes", n)
			said = now
		case n >= minFree && !said.IsZero():
			log.Info("the disk has space again", "folder", dir, "free_bytes", n)
			said = time.Time{}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
