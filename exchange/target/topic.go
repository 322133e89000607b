package target

import (
	"context"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/operation"
	"understudy.dev/exchange/target/sender"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Topics is the Kafka by which a candidate is asked or answers.
type Topics interface {
	// Subscribe hands over every message that is written to a topic after it has
	// returned, in any of its partitions, each partition's in its order. take
	// must not block.
	Subscribe(ctx context.Context, topic string, take func(Message)) (stop func(), err error)
	// Produce writes a message and waits until Kafka has it.
	Produce(ctx context.Context, topic string, m Message) error
}

// Message is a record of a topic.
type Message struct {
	Key, Value []byte
	Headers    []*understudyv1.Header
	Partition  int32
	Offset     int64
}

// Topic says how a candidate answers on Kafka.
type Topic struct {
	// Reply is the topic that completions come on.
	Reply string `yaml:"reply"`
	// ReplyTo is the header field or record header that tells the candidate that
	// topic's name; empty tells it nowhere.
	ReplyTo string `yaml:"reply_to"`
	// Request is the topic that requests are written to; empty sends them by
	// HTTP. A record has the session as its key, the request's body as its value
	// and its fields as its headers, beside :method and :path.
	Request string `yaml:"request"`
	// Correlate says how a completion names its request.
	Correlate Correlation `yaml:"correlate"`
}

// Correlation says how a completion names its request.
type Correlation struct {
	// Send is where the request carries an identifier of ours, which the
	// completion repeats.
	Send Carrier `yaml:"send"`
	// Ack is where the acknowledgement holds an identifier of the candidate's,
	// when there is no Send.
	Ack operation.Locator `yaml:"ack"`
	// Reply is where the completion holds it.
	Reply operation.Locator `yaml:"reply"`
	// Keyed says that it is the key of the completion's record.
	Keyed bool `yaml:"keyed"`
}

// Given says whether there is one.
func (c Correlation) Given() bool { return c != Correlation{} }

func (c Correlation) mistakes(isTopic bool, say sayer) {
	c.Send.mistakes(say.under("send"))
	c.Ack.Mistakes(say.under("ack"))
	c.Reply.Mistakes(say.under("reply"))
	switch {
	case c.Send.Given() == c.Ack.Given():
		say("send", nil, "or ack is needed, one of them: where the identifier comes from")
	case !c.Reply.Given() && !c.Keyed:
		say("reply", nil, "is needed: where a completion holds the identifier")
	case c.Keyed && !isTopic:
		say("keyed", c.Keyed, "is for topics")
	}
}

func (t Topic) mistakes(say sayer) {
	if t.Reply == "" {
		say("reply", nil, "is needed: the topic that completions come on")
	}
	if t.ReplyTo != "" && !message.IsToken(t.ReplyTo) {
		say("reply_to", t.ReplyTo, "is not the name of a field")
	}
	t.Correlate.mistakes(true, say.under("correlate"))
}

// topic waits for a record of the candidate's.
type topic struct{ waiter *waiter }

func (b *topic) expect(w *wait) func(string) {
	b.waiter = w.correlated(w.p.Topic.Correlate, w.p.Topic.Reply, nil)
	w.put(Carrier{Header: w.p.Topic.ReplyTo}, w.p.Topic.Reply)
	return func(after string) { w.c.callbacks.calls.forget(b.waiter, after) }
}

func (b *topic) await(ctx context.Context, w *wait) {
	d := w.begin(understudyv1.Channel_CHANNEL_TOPIC)
	d.Location = w.p.Topic.Reply
	if w.name(b.waiter, w.p.Topic.Correlate, w.p.Topic.Reply) {
		w.awaitCalls(ctx, b.waiter)
	}
}

// subscribe reads the topics that completions come on.
func (c *Client) subscribe(ctx context.Context) (stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, s := range stops {
			s()
		}
	}
	done := map[string]bool{}
	for _, p := range c.policies {
		name := p.Topic.Reply
		if p.Channel != ChannelTopic || done[name] {
			continue
		}
		done[name] = true
		s, err := c.cfg.Topics.Subscribe(ctx, name, func(m Message) { c.replied(name, m) })
		if err != nil {
			stop()
			return nil, err
		}
		stops = append(stops, s)
	}
	return stop, nil
}

// replied hands a record to the request that it names. The same record may be
// named in several ways, those of the policies with that topic.
func (c *Client) replied(name string, m Message) {
	at := time.Now()
	body := message.BodyOf(m.Value)
	message.CutBody(body, c.cfg.CaptureLimit)
	answer := typed(&understudyv1.Response{Status: 200, Protocol: "Kafka", Headers: m.Headers, Body: body})
	x := call{
		at: at, answer: answer, place: place{name, m.Partition, m.Offset},
		orphan: &understudyv1.Orphan{
			Channel: understudyv1.Channel_CHANNEL_TOPIC, TimeUnixNano: at.UnixNano(),
			Received: &understudyv1.Request{Method: "RECORD", Target: []byte(name), Protocol: "Kafka", Headers: m.Headers, Body: body},
		},
	}
	key := keyIn(name, "")
	for _, p := range c.policies {
		if p.Channel != ChannelTopic || p.Topic.Reply != name {
			continue
		}
		id := ""
		if p.Topic.Correlate.Keyed {
			id = string(m.Key)
		} else if found, err := p.Topic.Correlate.Reply.Find(answer); err == nil {
			id = found
		}
		if id != "" {
			key = keyIn(name, id)
			break
		}
	}
	if c.callbacks.calls.deliver(key, x) == tooMany {
		c.callbacks.orphaned(x)
	}
}

// requestMessage is a request as a record.
func requestMessage(r Request) Message {
	u := r.HTTP.URL
	path := u.Opaque
	if path == "" {
		path = u.EscapedPath()
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	fields := []*understudyv1.Header{{Name: ":method", Value: []byte(r.HTTP.Method)}, {Name: ":path", Value: []byte(path)}}
	return Message{Key: []byte(r.Session), Value: r.Body, Headers: append(fields, sender.Headers(r.HTTP.Header)...)}
}
