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

// Change is one thing that Apply did to a topic.
type Change struct {
	Topic string
	// What is "created", "config" or "unchanged".
	What string
	// Detail says which settings changed, "name: before -> after", or how the
	// topic was made.
	Detail string
}

// Apply creates the topics that are missing and sets the configuration of the
// others. It never changes the number of partitions (that would move sessions
// to other partitions and break their order); a different number stays as it is
// and is reported in the Change. Replication is the broker's default.
func Apply(ctx context.Context, client *kgo.Client, specs []topic.Spec) ([]Change, error) {
	admin := kadm.NewClient(client)
	existing, err := admin.ListTopics(ctx)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	var changes []Change
	for _, s := range specs {
		change, err := applyOne(ctx, admin, existing, s)
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

func applyOne(ctx context.Context, admin *kadm.Client, existing kadm.TopicDetails, s topic.Spec) (Change, error) {
	if !existing.Has(s.Name) {
		_, err := admin.CreateTopic(ctx, s.Partitions, -1, pointers(s.Config), s.Name)
		if err == nil {
			return Change{s.Name, "created", fmt.Sprintf("%d partition(s)", s.Partitions)}, nil
		}
		if !errors.Is(err, kerr.TopicAlreadyExists) { // another process was faster
			return Change{}, fmt.Errorf("create: %w", err)
		}
	}
	differ, err := differences(ctx, admin, s)
	if err != nil {
		return Change{}, err
	}
	note := ""
	if d, ok := existing[s.Name]; ok && len(d.Partitions) != int(s.Partitions) {
		note = fmt.Sprintf("keeps its %d partition(s)", len(d.Partitions))
	}
	if len(differ) == 0 {
		return Change{s.Name, "unchanged", note}, nil
	}
	var alter []kadm.AlterConfig
	detail := note
	for _, name := range slices.Sorted(maps.Keys(differ)) {
		value := s.Config[name]
		alter = append(alter, kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value})
		if detail != "" {
			detail += "; "
		}
		detail += fmt.Sprintf("%s: %s -> %s", name, differ[name], value)
	}
	responses, err := admin.AlterTopicConfigs(ctx, alter, s.Name)
	if err != nil {
		return Change{}, fmt.Errorf("alter config: %w", err)
	}
	for _, r := range responses {
		if r.Err != nil {
			return Change{}, fmt.Errorf("alter config: %w", r.Err)
		}
	}
	return Change{s.Name, "config", detail}, nil
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
		return fmt.Errorf("%w; run understudy topics apply: %w", ErrTopics, errors.Join(errs...))
	}
	return nil
}
