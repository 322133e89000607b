package stream

// Lag is how many records of a topic this member has still to handle, as far as
// it has fetched. It may be called while Run runs.
func (c *Consumer) Lag(topic string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var sum int64
	for key, w := range c.workers {
		if key.topic == topic {
			sum += w.lag()
		}
	}
	return sum
}
