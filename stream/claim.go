package stream

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"slices"
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

var runName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$`)

// CheckRunName reports a name that cannot be that of a run: it stands in keys,
// headers, tables, file names and on terminals, and must be neither a flag nor a
// folder there.
func CheckRunName(name string) error {
	if !runName.MatchString(name) {
		return fmt.Errorf("%+q is no name of a run: want 1 to 100 letters, digits, '.', '_' or '-', the first a letter, a digit or '_'", name[:min(len(name), 60)])
	}
	return nil
}

// claimMark stands between the name of a run and the id of a start in the key of
// a claim. No name has a slash.
const claimMark = "/claim/"

func claimRecord(n topic.Names, c *understudyv1.RunClaim) (*kgo.Record, error) {
	id := c.Name + claimMark + c.Start
	return encode(n.Runs, id, topic.TypeRunClaim, id, c.TimeUnixNano, c)
}

// ClaimLease is how long a claim keeps a name from which no run begins: the start
// that made it was killed before its first record, which comes at once.
const ClaimLease = 30 * time.Second

// holderOf is the claim that has a name: the first one, until one is made more
// than ClaimLease after it. That is told from what the topic holds alone, so all
// who look see the same one.
func holderOf(claims []*understudyv1.RunClaim) *understudyv1.RunClaim {
	var holder *understudyv1.RunClaim
	for _, c := range claims {
		if holder == nil || c.GetTimeUnixNano()-holder.GetTimeUnixNano() > int64(ClaimLease) {
			holder = c
		}
	}
	return holder
}

// Claim takes the name of a run for a start. Of several that claim one name at a
// time, that one has it whose claim stands first in the runs topic, which has
// one partition; the error of the others wraps ErrTaken and says who has it.
// Each claim has a key of its own, so that compaction leaves their order. A name
// from whose claim no run began within ClaimLease is taken over: dead is when
// that was claimed, zero if there was none.
func Claim(ctx context.Context, cfg Config, names topic.Names, p *Producer, name string) (dead time.Time, err error) {
	if err := CheckRunName(name); err != nil {
		return dead, err
	}
	claim := &understudyv1.RunClaim{Name: name, Start: rand.Text(), TimeUnixNano: time.Now().UnixNano()}
	record, err := claimRecord(names, claim)
	if err != nil {
		return dead, err
	}
	if err := p.ProduceSync(ctx, record); err != nil {
		return dead, fmt.Errorf("claim run %s: %w", name, err)
	}
	claims, run, err := claimsOf(ctx, cfg, names, name)
	if err != nil {
		return dead, fmt.Errorf("claim run %s: %w", name, err)
	}
	if run != nil {
		return dead, fmt.Errorf("run %s %w: it is %s since %s; choose another name", name, ErrTaken, understudyv1.Label(run.GetState()), clock(run.GetStartUnixNano()))
	}
	own := slices.IndexFunc(claims, func(c *understudyv1.RunClaim) bool { return c.GetStart() == claim.Start })
	if own < 0 {
		return dead, fmt.Errorf("claim run %s: the claim is not in topic %s, though Kafka took it", name, names.Runs)
	}
	before := holderOf(claims[:own])
	switch holder := holderOf(claims[:own+1]); {
	case holder.GetStart() != claim.Start:
		at := time.Unix(0, holder.GetTimeUnixNano())
		return dead, fmt.Errorf("run %s %w by another start at %s; choose another name, or, if that start was killed, take this one from %s on",
			name, ErrTaken, clock(at.UnixNano()), clock(at.Add(ClaimLease+time.Second).UnixNano()))
	case before != nil:
		dead = time.Unix(0, before.GetTimeUnixNano())
	}
	return dead, nil
}

// claimsOf are the claims of a name in their order, and the last record of its
// run; nil is none.
func claimsOf(ctx context.Context, cfg Config, names topic.Names, name string) (claims []*understudyv1.RunClaim, run *understudyv1.Run, err error) {
	err = scan(ctx, cfg, names.Runs, func(r *kgo.Record) error {
		switch {
		case string(r.Key) == name:
			if m, err := DecodeRun(r); err == nil {
				run = m
			}
		case kindOf(r) == topic.TypeRunClaim && strings.HasPrefix(string(r.Key), name+claimMark):
			m := &understudyv1.RunClaim{}
			if err := proto.Unmarshal(r.Value, m); err == nil {
				claims = append(claims, m)
			}
		}
		return nil
	})
	return claims, run, err
}

func clock(unixNano int64) string { return time.Unix(0, unixNano).UTC().Format(time.RFC3339) }
