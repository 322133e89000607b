package stream

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// ErrTaken is wrapped when a run of the name is there, or another start has
// claimed it first.
var ErrTaken = errors.New("is taken")

var runName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// CheckRunName reports a name that cannot be that of a run: it stands in keys,
// headers, tables, file names and on terminals.
func CheckRunName(name string) error {
	if !runName.MatchString(name) {
		return fmt.Errorf("%+q is no name of a run: want 1 to 100 letters, digits, '.', '_' or '-'", name[:min(len(name), 60)])
	}
	return nil
}

// claimMark stands between the name of a run and the id of a start in the key of
// a claim. No name has a slash.
const claimMark = "/claim/"

// IsClaim says whether a record of the runs topic is the claim of a start, and
// not the state of a run.
func IsClaim(r *kgo.Record) bool { return kindOf(r) == topic.TypeRunClaim }

func claimRecord(n topic.Names, c *understudyv1.RunClaim) (*kgo.Record, error) {
	id := c.Name + claimMark + c.Start
	return encode(n.Runs, id, topic.TypeRunClaim, id, c.TimeUnixNano, c)
}

// Claim takes the name of a run for a start. Of several that claim one name at a
// time, that one has it whose claim stands first in the runs topic, which has
// one partition; the error of the others wraps ErrTaken and says who has it.
// Each claim has a key of its own, so that compaction leaves their order.
func Claim(ctx context.Context, cfg Config, names topic.Names, p *Producer, name string) error {
	if err := CheckRunName(name); err != nil {
		return err
	}
	claim := &understudyv1.RunClaim{Name: name, Start: rand.Text(), TimeUnixNano: time.Now().UnixNano()}
	record, err := claimRecord(names, claim)
	if err != nil {
		return err
	}
	if err := p.ProduceSync(ctx, record); err != nil {
		return fmt.Errorf("claim run %s: %w", name, err)
	}
	var first *understudyv1.RunClaim
	var run *understudyv1.Run
	err = scan(ctx, cfg, names.Runs, func(r *kgo.Record) error {
		switch {
		case string(r.Key) == name:
			if m, err := DecodeRun(r); err == nil {
				run = m
			}
		case first == nil && IsClaim(r) && strings.HasPrefix(string(r.Key), name+claimMark):
			m := &understudyv1.RunClaim{}
			if err := proto.Unmarshal(r.Value, m); err == nil {
				first = m
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("claim run %s: %w", name, err)
	case run != nil:
		return fmt.Errorf("run %s %w: it is %s since %s; choose another name", name, ErrTaken, understudyv1.Label(run.GetState()), clock(run.GetStartUnixNano()))
	case first != nil && first.GetStart() == claim.Start:
		return nil
	case first == nil:
		return fmt.Errorf("claim run %s: the claim is not in topic %s, though Kafka took it", name, names.Runs)
	}
	return fmt.Errorf("run %s %w by another start at %s; choose another name", name, ErrTaken, clock(first.GetTimeUnixNano()))
}

func clock(unixNano int64) string { return time.Unix(0, unixNano).UTC().Format(time.RFC3339) }
