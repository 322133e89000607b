package stream

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// inFlightKey is that of an entry of the ledger; no migration has a slash in its
// name.
func inFlightKey(migration, id string) string { return migration + "/" + id }

// InFlightRecord is the record of an entry of the ledger.
func InFlightRecord(n topic.Names, e *understudyv1.InFlight) (*kgo.Record, error) {
	key := inFlightKey(e.GetMigration(), e.GetId())
	return encode(n.InFlight, key, topic.TypeInFlight, key, e.GetTimeUnixNano(), e)
}

// InFlightEnd is the record by which an entry is gone.
func InFlightEnd(n topic.Names, migration, id string) *kgo.Record {
	return &kgo.Record{Topic: n.InFlight, Key: []byte(inFlightKey(migration, id))}
}

// InFlightTallyRecord is the record of what one life of a gateway has counted.
func InFlightTallyRecord(n topic.Names, t *understudyv1.InFlightTally) (*kgo.Record, error) {
	key := t.GetMigration() + "/tally/" + t.GetGateway() + "/" + strconv.FormatInt(t.GetStartUnixNano(), 10)
	return encode(n.InFlight, key, topic.TypeInFlights, key, t.GetTimeUnixNano(), t)
}

// InFlightFollower is told what the topic of the ledgers holds. One goroutine
// calls all of it.
type InFlightFollower struct {
	// Entry is called for every record of an entry, in the topic's order, Ended for
	// every one by which an entry is gone, and Tally for every tally.
	Entry func(*understudyv1.InFlight)
	Ended func(migration, id string)
	Tally func(*understudyv1.InFlightTally)
	// Current and Problem are as those of a StageFollower.
	Current func(at time.Time)
	Problem func(error)
}

func (f InFlightFollower) take(r *kgo.Record) error {
	if len(r.Value) == 0 {
		if migration, id, ok := strings.Cut(string(r.Key), "/"); ok {
			f.Ended(migration, id)
		}
		return nil
	}
	if kindOf(r) == topic.TypeInFlights {
		t, err := decode(r, topic.TypeInFlights, &understudyv1.InFlightTally{})
		if err == nil {
			f.Tally(t)
		}
		return err
	}
	e, err := decode(r, topic.TypeInFlight, &understudyv1.InFlight{})
	if err == nil {
		f.Entry(e)
	}
	return err
}

// FollowInFlight reads the topic of the ledgers until ctx ends, as FollowStages
// does that of the stages.
func FollowInFlight(ctx context.Context, cfg Config, names topic.Names, f InFlightFollower) error {
	return follow(ctx, cfg, names.InFlight, follower{record: f.take, current: f.Current, problem: f.Problem})
}

// InFlights are the entries that the topic holds now, by migration and id, and the
// last tally of each life, in the order in which they first came.
func InFlights(ctx context.Context, cfg Config, names topic.Names, migration string) (entries []*understudyv1.InFlight, tallies []*understudyv1.InFlightTally, err error) {
	var order, lives []string
	byID, byLife := map[string]*understudyv1.InFlight{}, map[string]*understudyv1.InFlightTally{}
	f := InFlightFollower{
		Entry: func(e *understudyv1.InFlight) {
			key := inFlightKey(e.GetMigration(), e.GetId())
			if _, known := byID[key]; !known {
				order = append(order, key)
			}
			byID[key] = e
		},
		Ended: func(migration, id string) { delete(byID, inFlightKey(migration, id)) },
		Tally: func(t *understudyv1.InFlightTally) {
			key := t.GetMigration() + "/" + t.GetGateway() + "/" + strconv.FormatInt(t.GetStartUnixNano(), 10)
			if byLife[key] == nil {
				lives = append(lives, key)
			}
			byLife[key] = t
		},
	}
	err = scan(ctx, cfg, names.InFlight, func(r *kgo.Record) error {
		if err := f.take(r); err != nil && !errors.Is(err, ErrForeign) {
			return err
		}
		return nil
	})
	for _, key := range order {
		if e := byID[key]; e != nil && (migration == "" || e.GetMigration() == migration) {
			entries = append(entries, e)
			delete(byID, key) // it may stand in order twice
		}
	}
	for _, key := range lives {
		if t := byLife[key]; migration == "" || t.GetMigration() == migration {
			tallies = append(tallies, t)
		}
	}
	return entries, tallies, err
}
