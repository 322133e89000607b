package stream

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// assigned starts a worker for each newly assigned partition.
func (c *Consumer) assigned(ctx context.Context, m map[string][]int32) {
	workers, err := c.prepare(ctx, m)
	if err != nil {
		c.cancel(fmt.Errorf("take over partitions of group %s: %w", c.cfg.Group, err))
		return
	}
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
	details, err := c.admin.ListTopics(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("describe %v: %w", names, err)
	}
	var workers []*worker
	for topic, numbers := range m {
		for _, number := range numbers {
			workers = append(workers, &worker{
				c: c, key: partition{topic, number}, id: details[topic].ID, position: -1,
				done: make(chan struct{}), stop: make(chan struct{}), more: make(chan struct{}, 1),
			})
		}
	}
	return workers, nil
}
