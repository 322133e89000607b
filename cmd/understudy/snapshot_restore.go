package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/exchange/file"
	"understudy.dev/gateway/snapshot"
	"understudy.dev/gateway/stage"
	"understudy.dev/stream"
)

func (a *app) snapshotRestoreCommand() *cobra.Command {
	filesTo := ""
	c := &cobra.Command{
		Use: "restore FILE", Short: "Go on from a snapshot", Args: exactly("FILE"),
		Long: `Writes what is missing and changes nothing that is there: again it does nothing.
A migration that has gone on since, or has another history, is refused. Gateways
of the folder must not run. Offsets are restored where the topics are the same
ones, and the group has not read further.`,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := readSnapshot(args[0])
			if err != nil {
				return err
			}
			return a.restoreSnapshot(c.Context(), s, filesTo)
		},
	}
	a.kafkaFlags(c)
	c.Flags().StringVar(&a.cfg.Gateway.StateDir, "state-dir", a.cfg.Gateway.StateDir, "folder for the state of the gateway; empty leaves it out")
	c.Flags().StringVar(&filesTo, "files-to", filesTo, "folder for the files of the snapshot; empty leaves them out")
	return c
}

func (a *app) restoreSnapshot(ctx context.Context, s *snapshot.Snapshot, filesTo string) error {
	missing, fresh, err := a.missing(ctx, s)
	if err != nil {
		return err
	}
	// What can be refused is, before anything is written.
	state := filepath.Join(a.cfg.Gateway.StateDir, s.Head.Migration)
	if a.cfg.Gateway.StateDir == "" {
		s.State = nil
	}
	if filesTo == "" {
		s.Files = nil
	}
	if err := errors.Join(conflicts(state, s.State), conflicts(filesTo, s.Files)); err != nil {
		return err
	}
	var records []*kgo.Record
	add := func(r *kgo.Record, failed error) {
		err = errors.Join(err, failed)
		records = append(records, r)
	}
	for _, step := range missing {
		add(stream.StageRecord(a.names(), step))
	}
	if fresh {
		for _, e := range s.Entries {
			add(stream.InFlightRecord(a.names(), e))
		}
		for _, t := range s.Tallies {
			add(stream.InFlightTallyRecord(a.names(), t))
		}
	}
	if err != nil {
		return err
	}
	// The ledger of a gateway is read under its name: that must be there first.
	if err := errors.Join(putFiles(state, s.State), putFiles(filesTo, s.Files)); err != nil {
		return err
	}
	if err := a.produceAll(ctx, records); err != nil {
		return err
	}
	var offsets []stream.GroupOffset
	for _, o := range s.Offsets {
		offsets = append(offsets, stream.GroupOffset(o))
	}
	restored, err := stream.RestoreOffsets(ctx, a.cfg.Kafka.Config, offsets)
	if err != nil {
		return dependency(err)
	}
	left, _, err := a.missing(ctx, s)
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("%d steps of the snapshot are not in Kafka, though they were written; somebody else has written at the same time", len(left))
	}
	if err != nil {
		return fmt.Errorf("verify what was restored: %w", err)
	}
	now, _ := stage.Fold(s.Stages)
	entries := 0
	if fresh {
		entries = len(s.Entries)
	}
	fmt.Fprintf(a.out, "%s is at %s (step %d): %d steps, %d entries of the ledger and %d of %d offsets were missing and are restored\n",
		s.Head.Migration, stage.Describe(now.At("")), now.Version(), len(missing), entries, restored, len(s.Offsets))
	return nil
}

func (a *app) produceAll(ctx context.Context, records []*kgo.Record) error {
	if len(records) == 0 {
		return nil
	}
	p, err := a.newProducer(ctx, tallyProducer())
	if err != nil {
		return err
	}
	defer p.Close()
	for batch := range slices.Chunk(records, 500) {
		if err := p.ProduceSync(ctx, batch...); err != nil {
			return dependency(fmt.Errorf("write what is restored: %w; restore again, it goes on", err))
		}
	}
	return nil
}

// conflicts reports files that are there and are others than those to write.
func conflicts(dir string, files map[string][]byte) error {
	var err error
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		switch have, failed := os.ReadFile(path); {
		case errors.Is(failed, fs.ErrNotExist):
		case failed != nil:
			err = errors.Join(err, failed)
		case !bytes.Equal(have, data):
			err = errors.Join(err, fmt.Errorf("%s is there and is not that of the snapshot; move it away, or restore into another folder", path))
		}
	}
	return err
}

// putFiles writes those that are not there.
func putFiles(dir string, files map[string][]byte) error {
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if _, err := os.Lstat(path); err == nil {
			continue
		}
		if err := file.Write(path, data); err != nil {
			return err
		}
	}
	return nil
}
