package target

import "context"

// channel is one way in which the completion of a request can come.
type channel interface {
	// expect prepares for the completion of the request that w is about to send,
	// and may change it. forget is called once the request is over, however.
	expect(w *wait) (forget func(after string))
	// await waits for the completion that the acknowledgement has promised, and
	// writes into w's observation what it sees.
	await(ctx context.Context, w *wait)
}

// channels of a Completion policy.
const (
	// ChannelAuto takes what the candidate does.
	ChannelAuto = "auto"
	// ChannelResponse takes the direct answer as final, whatever it says.
	ChannelResponse = "response"
	// ChannelNone is the older name of ChannelResponse.
	ChannelNone = "none"
	// ChannelPoll asks a status monitor again and again.
	ChannelPoll = "poll"
	// ChannelLongPoll asks a status monitor that answers when there is news.
	ChannelLongPoll = "long_poll"
	// ChannelStream reads server-sent events.
	ChannelStream = "sse"
	// ChannelCallback waits to be called.
	ChannelCallback = "callback"
	// ChannelTopic reads a Kafka topic.
	ChannelTopic = "topic"
)

// channelNames are all of them.
var channelNames = []string{ChannelAuto, ChannelResponse, ChannelNone, ChannelPoll, ChannelLongPoll, ChannelStream, ChannelCallback, ChannelTopic}

// channel makes that of one request.
func (c *Client) channel(p *Completion) channel {
	switch p.Channel {
	case ChannelCallback:
		return &callback{}
	case ChannelTopic:
		return &topic{}
	case ChannelStream:
		return stream{}
	case ChannelLongPoll:
		return poll{held: true}
	}
	return poll{}
}

// nothing is the forget of a channel that expects nothing.
func nothing(string) {}

// promised says whether an acknowledgement is a promise rather than an answer.
func promised(w *wait) (bool, error) {
	ack := w.o.GetAck()
	switch w.p.Channel {
	case ChannelNone, ChannelResponse:
		return false, nil
	case ChannelCallback, ChannelTopic:
		return w.p.Accepts(ack)
	case ChannelPoll, ChannelLongPoll, ChannelStream:
		if accepted, err := w.p.Accepts(ack); accepted || err != nil {
			return accepted, err
		}
	}
	return w.p.Promises(ack, w.r.Recorded)
}
