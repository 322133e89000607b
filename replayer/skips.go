package replayer

import "context"

// What may wait to be written as skipped. Beyond either bound the schedule waits
// as well, which shows as lag: to forget an exchange would be worse.
const (
	maxSkips      = 16_384
	maxSkipsBytes = 64 << 20
)

// skips writes what is skipped on the schedule, so that a sink that takes its
// time holds up no request.
type skips struct {
	queue chan *one
	room  *room
	done  chan struct{}
}

// startSkips writes with write until end is called.
func startSkips(ctx context.Context, write func(context.Context, *one)) *skips {
	s := &skips{queue: make(chan *one, maxSkips), room: newRoom(maxSkipsBytes), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		for one := range s.queue {
			write(ctx, one)
			s.room.give(weight(one.GetExchange()))
		}
	}()
	return s
}

func (s *skips) add(one *one) {
	s.room.take(weight(one.GetExchange()))
	s.queue <- one
}

// end waits until all is handed over.
func (s *skips) end() { close(s.queue); <-s.done }
