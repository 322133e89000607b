package unaltered

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"understudy.dev/exchange/message"
)

// bare takes messages as the bytes that they are.
type bare struct{}

func (bare) Name() string                    { return "proto" }
func (bare) Marshal(v any) ([]byte, error)   { return *v.(*[]byte), nil }
func (bare) Unmarshal(b []byte, v any) error { *v.(*[]byte) = bytes.Clone(b); return nil }

// sizes are those of the messages of a stream.
var sizes = []int{0, 1, 5, 16 << 10, 70_000, 300_000, 3}

func bytesOf(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// answer is a service with a method of each kind, and some that go wrong. Its
// header is the metadata that it was sent, so that a client can see what came.
func answer(_ any, s grpc.ServerStream) error {
	in, _ := metadata.FromIncomingContext(s.Context())
	var seen []string
	for name, values := range in {
		if name != strings.ToLower(message.HopMark) { // the one that the recorder adds
			seen = append(seen, fmt.Sprintf("%s: %q", name, values))
		}
	}
	slices.Sort(seen)
	_, hurried := s.Context().Deadline()
	_ = s.SetHeader(metadata.Pairs("seen-bin", strings.Join(seen, "\n"), "hurried", fmt.Sprint(hurried), "twice", "a", "twice", "b"))
	s.SetTrailer(metadata.Pairs("after", "all", "after-bin", "\x00\xff"))
	send := func(b []byte) error { return s.SendMsg(&b) }
	var got []byte
	method, _ := grpc.MethodFromServerStream(s)
	switch method {
	case "/shop.Orders/Unary":
		if err := s.RecvMsg(&got); err != nil {
			return err
		}
		slices.Reverse(got)
		return send(got)
	case "/shop.Orders/Client":
		var all []byte
		for {
			err := s.RecvMsg(&got)
			if errors.Is(err, io.EOF) {
				return send(all)
			} else if err != nil {
				return err
			}
			all = append(all, got...)
		}
	case "/shop.Orders/Server":
		if err := s.RecvMsg(&got); err != nil {
			return err
		}
		for _, n := range sizes {
			if err := send(bytesOf(n)); err != nil {
				return err
			}
		}
		return nil
	case "/shop.Orders/Bidi":
		for {
			err := s.RecvMsg(&got)
			if errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			if err := send(got); err != nil {
				return err
			}
		}
	case "/shop.Orders/Midway":
		if err := send([]byte("one")); err != nil {
			return err
		}
		return status.Error(codes.DataLoss, "after the first")
	case "/shop.Orders/Forever":
		<-s.Context().Done()
		return status.FromContextError(s.Context().Err()).Err()
	}
	with, err := status.New(codes.NotFound, "keine Bestellung „7%“\n").WithDetails(durationpb.New(time.Second))
	if err != nil {
		return err
	}
	return with.Err()
}

// seen is what a client has seen of a call.
type seen struct {
	Header, Trailer metadata.MD
	Messages        [][]byte
	Code            codes.Code
	Message         string
	Details         string
}

// call sends messages, each after the answer to the one before if that is asked
// for, and takes what comes.
func call(t *testing.T, c *grpc.ClientConn, method string, d grpc.StreamDesc, messages []int, options ...grpc.CallOption) seen {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if method == "Forever" {
		ctx, cancel = context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
	}
	ctx = metadata.AppendToOutgoingContext(ctx, "x-order", "1", "x-order", "2", "x-raw-bin", "\x00\x01\xfe", "x-empty", "")
	var x seen
	ended := func(err error) seen {
		s := status.Convert(err)
		if method == "Forever" { // either side may be the first to see that time is up
			code := s.Code()
			if code == codes.Unavailable && ctx.Err() != nil {
				code = codes.DeadlineExceeded // the baseline was first, and reset the stream: see docs/record.md
			}
			return seen{Code: code}
		}
		x.Code, x.Message, x.Details = s.Code(), s.Message(), fmt.Sprint(s.Details())
		return x
	}
	s, err := c.NewStream(ctx, &d, "/shop.Orders/"+method, options...)
	if err != nil {
		return ended(err)
	}
	take := func() error {
		var got []byte
		err := s.RecvMsg(&got)
		if err == nil {
			x.Messages = append(x.Messages, got)
		}
		return err
	}
	for _, n := range messages {
		b := bytesOf(n)
		if err := s.SendMsg(&b); err != nil {
			break // RecvMsg says why
		}
		if d.ClientStreams && d.ServerStreams {
			if err := take(); err != nil {
				return ended(err)
			}
		}
	}
	_ = s.CloseSend()
	for err == nil {
		err = take()
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	x.Header, _ = s.Header()
	x.Trailer = s.Trailer()
	return ended(err)
}

// TestGRPC: calls of all four kinds, whole and broken, are the same with and
// without a recorder between client and server, in cleartext and over TLS.
func TestGRPC(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(answer), grpc.ForceServerCodec(bare{}))
	go func() { _ = server.Serve(l) }()
	defer server.Stop()
	connect := func(address string, how credentials.TransportCredentials) *grpc.ClientConn {
		t.Helper()
		c, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(how), grpc.WithAuthority("example.com"),
			grpc.WithDefaultCallOptions(grpc.ForceCodec(bare{})))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	baseline := l.Addr().String()
	direct := connect(baseline, insecure.NewCredentials())
	for name, c := range map[string]*grpc.ClientConn{
		"cleartext": connect(recorder(t, baseline, false), insecure.NewCredentials()),
		"TLS":       connect(recorder(t, baseline, true), credentials.NewTLS(roots())),
	} {
		f := func(method string, d grpc.StreamDesc, code codes.Code, answers int, messages []int, options ...grpc.CallOption) {
			t.Helper()
			want := call(t, direct, method, d, messages, options...)
			got := call(t, c, method, d, messages, options...)
			if d := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); d != "" {
				t.Errorf("%s: %s: -direct +recorded:\n%.4000s", name, method, d)
			}
			if want.Code != code || len(want.Messages) != answers {
				t.Errorf("%s: %v with %d messages, want %v with %d", method, want.Code, len(want.Messages), code, answers)
			}
		}
		client, both := grpc.StreamDesc{ClientStreams: true}, grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
		downward := grpc.StreamDesc{ServerStreams: true}
		for range 3 {
			f("Unary", grpc.StreamDesc{}, codes.OK, 1, []int{70_000})
			f("Unary", grpc.StreamDesc{}, codes.OK, 1, []int{0})
			f("Unary", grpc.StreamDesc{}, codes.OK, 1, []int{9000}, grpc.UseCompressor(gzip.Name))
			f("Client", client, codes.OK, 1, sizes)
			f("Client", client, codes.OK, 1, nil)
			f("Server", downward, codes.OK, len(sizes), []int{10})
			f("Bidi", both, codes.OK, len(sizes), sizes)
			f("Bidi", both, codes.OK, 0, nil)
			f("Missing", grpc.StreamDesc{}, codes.NotFound, 0, []int{1}) // trailers only
			f("Midway", downward, codes.DataLoss, 1, []int{1})
			f("Forever", both, codes.DeadlineExceeded, 0, nil)
		}
	}
}
