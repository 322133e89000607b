package stream

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// assigned starts a worker for each newly assigned partition, with the plan
// that the partition's last owner left.
func (c *Consumer) assigned(ctx context.Context, m map[string][]int32) {
	workers, err := c.prepare(ctx, m)
	if err != nil {
		c.cancel(fmt.Errorf("take over partitions of group %s: %w", c.cfg.Group, err))
		return
	}
	// kgo keeps a partition paused after the worker that paused it has ended.
	c.client.ResumeFetchPartitions(m)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range workers {
		c.workers[w.key] = w
		go w.run(ctx)
	}
}

func (c *Consumer) prepare(ctx context.Context, m map[string][]int32) ([]*worker, error) {
	if len(m) == 0 {
		return nil, nil
	}
	names := slices.Collect(maps.Keys(m))
	offsets, err := groupOffsets(ctx, c.admin, c.cfg.Group)
	if err != nil {
		return nil, err
	}
	details, err := c.admin.ListTopics(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("describe %v: %w", names, err)
	}
	starts, err := c.admin.ListStartOffsets(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("list start offsets: %w", err)
	}
	var workers []*worker
	for topic, numbers := range m {
		for _, number := range numbers {
			w := &worker{
				c: c, key: partition{topic, number}, id: details[topic].ID, position: -1,
				done: make(chan struct{}), stop: make(chan struct{}), more: make(chan struct{}, 1),
			}
			if o, ok := offsets.Lookup(topic, number); ok && o.Err != nil {
				return nil, fmt.Errorf("plan of %s/%d: %w", topic, number, o.Err)
			} else if ok && o.At >= 0 {
				w.plan = c.readPlan(w.key, o.At, o.Metadata)
			}
			start, ok := starts.Lookup(topic, number)
			w.gone = w.plan.end > 0 && ok && start.Err == nil && start.Offset >= w.plan.end
			workers = append(workers, w)
		}
	}
	return workers, nil
}

func (c *Consumer) readPlan(key partition, at int64, metadata string) plan {
	p, fingerprint := parsePlan(at, metadata)
	if p.end > 0 && fingerprint != c.cfg.Fingerprint {
		c.log.Warn("the unfinished batch was planned under another configuration; what it had written stays as it was judged then",
			"topic", key.topic, "partition", key.number, "first", p.first, "end", p.end)
	}
	return p
}
