package stream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"understudy.dev/schemas/topic"
)

// Change is one thing that Apply did to a topic, or left.
type Change struct {
	Topic string
	// What is "created", "config", "kept" (something differs and stays) or
	// "unchanged".
	What string
	// Detail says which settings changed, "name: before -> after", which stay
	// although they differ, or how the topic was made.
	Detail string
}

// Apply creates the topics that are missing and sets the configuration of the
// others. It takes nothing away: a retention, a message size or a number of
// replicas in sync that is larger than specified stays, as do the policy of
// cleaning up, the number of partitions (to change it would move sessions to
// other partitions and break their order) and that of replicas; the Change says
// so.
func Apply(ctx context.Context, client *kgo.Client, specs []topic.Spec) ([]Change, error) {
	return apply(ctx, client, specs, false)
}

// ApplyForced is Apply that also sets what takes something away. Partitions and
// replicas stay all the same.
func ApplyForced(ctx context.Context, client *kgo.Client, specs []topic.Spec) ([]Change, error) {
	return apply(ctx, client, specs, true)
}

func apply(ctx context.Context, client *kgo.Client, specs []topic.Spec, force bool) ([]Change, error) {
	admin := kadm.NewClient(client)
	metadata, err := admin.Metadata(ctx)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	var changes []Change
	for _, s := range specs {
		change, err := applyOne(ctx, admin, metadata, s, force)
		if err != nil {
			return changes, fmt.Errorf("topic %s: %w", s.Name, err)
		}
		changes = append(changes, change)
	}
	absent, err := missing(ctx, client, specs)
	if err != nil {
		return changes, err
	}
	if len(absent) > 0 {
		return changes, fmt.Errorf("created, but after %s not known to every broker: %s; try again", settleTime, strings.Join(slices.Sorted(maps.Keys(absent)), ", "))
	}
	return changes, nil
}

// settleTime is how long a new topic may take to become known to the broker
// that is asked: brokers learn of it one by one.
const settleTime = 3 * time.Second

// missing returns the topics that the broker does not know. While there are any
// it asks again, for settleTime.
func missing(ctx context.Context, client *kgo.Client, specs []topic.Spec) (map[string]bool, error) {
	for end := time.Now().Add(settleTime); ; {
		unknown, err := unknown(ctx, client, specs)
		if err != nil {
			return nil, fmt.Errorf("list topics: %w", err)
		}
		if len(unknown) == 0 || time.Now().After(end) {
			return unknown, nil
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// unknown asks once, and not through kadm, whose cached answer may be some
// seconds old.
func unknown(ctx context.Context, client *kgo.Client, specs []topic.Spec) (map[string]bool, error) {
	request := kmsg.NewPtrMetadataRequest()
	names := map[string]bool{}
	for _, s := range specs {
		names[s.Name] = true
		asked := kmsg.NewMetadataRequestTopic()
		asked.Topic = kmsg.StringPtr(s.Name)
		request.Topics = append(request.Topics, asked)
	}
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	for _, t := range response.Topics {
		switch err := kerr.ErrorForCode(t.ErrorCode); {
		case t.Topic == nil, errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.LeaderNotAvailable):
		case err != nil:
			return nil, fmt.Errorf("topic %s: %w", *t.Topic, err)
		default:
			delete(names, *t.Topic)
		}
	}
	return names, nil
}

// minInSync is the setting without which acks=all may mean one copy.
const minInSync = "min.insync.replicas"

// wanted is the configuration of a topic of so many replicas.
func wanted(s topic.Spec, replicas int) map[string]string {
	n := int(s.MinInSync)
	if n == 0 {
		n = replicas - 1
	}
	config := maps.Clone(s.Config)
	config[minInSync] = strconv.Itoa(max(1, min(n, replicas))) // more than there are would refuse every record
	return config
}

func applyOne(ctx context.Context, admin *kadm.Client, metadata kadm.Metadata, s topic.Spec, force bool) (Change, error) {
	replicas := int(s.Replicas)
	if replicas == 0 {
		replicas = max(1, min(3, len(metadata.Brokers)))
	}
	if !metadata.Topics.Has(s.Name) {
		_, err := admin.CreateTopic(ctx, s.Partitions, int16(replicas), pointers(wanted(s, replicas)), s.Name)
		if err == nil {
			return Change{s.Name, "created", fmt.Sprintf("%d partition(s), %d replica(s)", s.Partitions, replicas)}, nil
		}
		if !errors.Is(err, kerr.TopicAlreadyExists) { // another process was faster
			return Change{}, fmt.Errorf("create: %w", err)
		}
	}
	var notes []string
	if d, ok := metadata.Topics[s.Name]; ok {
		if n := len(d.Partitions); n != int(s.Partitions) {
			notes = append(notes, fmt.Sprintf("keeps its %d partition(s)", n))
		}
		if n := d.Partitions.NumReplicas(); n < replicas {
			notes = append(notes, fmt.Sprintf("keeps its %d replica(s), %d are wanted (kafka-reassign-partitions.sh changes that)", n, replicas))
			replicas = n
		}
	}
	s.Config = wanted(s, replicas)
	differ, err := differences(ctx, admin, s)
	if err != nil {
		return Change{}, err
	}
	what := "unchanged"
	var alter []kadm.AlterConfig
	for _, name := range slices.Sorted(maps.Keys(differ)) {
		before, after := differ[name], s.Config[name]
		if less(name, before, after) && !force {
			notes = append(notes, fmt.Sprintf("%s: %s stays, %s would take away (--force)", name, before, after))
			what = "kept"
			continue
		}
		alter = append(alter, kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &after})
		notes = append(notes, fmt.Sprintf("%s: %s -> %s", name, before, after))
	}
	change := Change{s.Name, what, strings.Join(notes, "; ")}
	if len(alter) == 0 {
		return change, nil
	}
	change.What = "config"
	responses, err := admin.AlterTopicConfigs(ctx, alter, s.Name)
	if err != nil {
		return Change{}, fmt.Errorf("alter config: %w", err)
	}
	for _, r := range responses {
		if r.Err != nil {
			return Change{}, fmt.Errorf("alter config: %w", r.Err)
		}
	}
	return change, nil
}

// less says whether a setting takes something away: records, room or copies. A
// negative number has no bound.
func less(name, before, after string) bool {
	if name == "cleanup.policy" {
		return before != ""
	}
	b, errBefore := strconv.ParseInt(before, 10, 64)
	a, errAfter := strconv.ParseInt(after, 10, 64)
	switch {
	case errBefore != nil || errAfter != nil || a < 0:
		return false
	case b < 0:
		return true
	}
	return a < b
}

// differences returns the settings of an existing topic that are not as
// specified, with their current values.
func differences(ctx context.Context, admin *kadm.Client, s topic.Spec) (map[string]string, error) {
	configs, err := admin.DescribeTopicConfigs(ctx, s.Name)
	if err != nil {
		return nil, fmt.Errorf("describe config: %w", err)
	}
	config, err := configs.On(s.Name, nil)
	if err != nil {
		return nil, fmt.Errorf("describe config: %w", err)
	}
	present := map[string]string{}
	for _, c := range config.Configs {
		present[c.Key] = c.MaybeValue()
	}
	out := map[string]string{}
	for name, want := range s.Config {
		if present[name] != want {
			out[name] = present[name]
		}
	}
	return out, nil
}

func pointers(m map[string]string) map[string]*string {
	out := make(map[string]*string, len(m))
	for k, v := range m {
		out[k] = &v
	}
	return out
}

// ErrTopics is wrapped by what Check returns when topics are missing or too
// small.
var ErrTopics = errors.New("topics are missing or too small")

// Check reports, joined, every topic that is missing or whose max.message.bytes
// is below the specification. It changes nothing. It waits some seconds for
// topics that are missing: they may have been created just now.
func Check(ctx context.Context, client *kgo.Client, specs []topic.Spec) error {
	admin := kadm.NewClient(client)
	absent, err := missing(ctx, client, specs)
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range specs {
		if absent[s.Name] {
			errs = append(errs, fmt.Errorf("topic %s does not exist", s.Name))
			continue
		}
		differ, err := differences(ctx, admin, s)
		if err != nil {
			return fmt.Errorf("topic %s: %w", s.Name, err)
		}
		have, err := strconv.ParseInt(differ["max.message.bytes"], 10, 64)
		want, _ := strconv.ParseInt(s.Config["max.message.bytes"], 10, 64)
		if err == nil && have < want {
			errs = append(errs, fmt.Errorf("topic %s takes messages of %d bytes, %d are needed", s.Name, have, want))
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("%w; run understudy topics apply with the same --kafka and --prefix: %w", ErrTopics, errors.Join(errs...))
	}
	return nil
}
