package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

const (
	recorderConns = 64
	proxyCore     = 0
	otherCore     = 1
	anyCore       = -1
)

// benchRecorder: CPU per request of `understudy record`, capture, redaction,
// compression and Kafka included, against a tuned httputil.ReverseProxy that
// captures nothing. The proxies have core 0 to themselves, load, target and
// broker share core 1.
func benchRecorder(ctx context.Context, o options) ([]result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	target, err := startListening(ctx, otherCore, "target", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer target.stop()
	broker, err := startListening(ctx, otherCore, "kafka", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer broker.stop()
	peer, err := startListening(ctx, proxyCore, "httputil", "http://"+target.address)
	if err != nil {
		return nil, err
	}
	defer peer.stop()
	ours, err := startRecorder(ctx, o, broker.address, target.address)
	if err != nil {
		return nil, err
	}
	defer ours.stop()

	for _, p := range []*listening{ours, peer} { // warm up
		if _, _, err := costPerRequest(ctx, p, o.length/5); err != nil {
			return nil, err
		}
	}
	var a, b []float64
	for i := range o.pairs {
		x, xn, err := costPerRequest(ctx, ours, o.length)
		if err != nil {
			return nil, fmt.Errorf("understudy record: %w", err)
		}
		y, yn, err := costPerRequest(ctx, peer, o.length)
		if err != nil {
			return nil, fmt.Errorf("httputil: %w", err)
		}
		fmt.Fprintf(os.Stderr, "pair %d: record %.1f us/req (%d requests), httputil %.1f us/req (%d)\n", i+1, x, xn, y, yn)
		a, b = append(a, x), append(b, y)
	}
	ratio, spread := paired(a, b)
	return []result{{
		what: "recorder: CPU per request, vs httputil", goal: 0.5, ratio: ratio, spread: spread,
		ours: fmt.Sprintf("%.1f us", median(a)), peer: fmt.Sprintf("%.1f us", median(b)),
	}}, nil
}

// listening is a child with the address it printed.
type listening struct {
	*child
	address string
}

func startListening(ctx context.Context, core int, role string, args ...string) (*listening, error) {
	c, err := startRole(ctx, core, role, args...)
	if err != nil {
		return nil, err
	}
	address, err := c.line()
	if err != nil {
		return nil, fmt.Errorf("%s did not start: %w", role, err)
	}
	return &listening{c, address}, nil
}

func startRecorder(ctx context.Context, o options, broker, target string) (*listening, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	apply, err := start(ctx, -1, o.binary, "topics", "apply", "--kafka", broker)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, apply.stdout)
	if err := apply.cmd.Wait(); err != nil {
		return nil, fmt.Errorf("topics apply: %w", err)
	}
	c, err := start(ctx, proxyCore, o.binary, "record", "--listen", address,
		"--baseline", "http://"+target, "--kafka", broker, "--log-level", "error")
	if err != nil {
		return nil, err
	}
	if err := waitFor(ctx, address); err != nil {
		c.stop()
		return nil, err
	}
	return &listening{c, address}, nil
}

// costPerRequest loads a proxy for a while and returns its CPU microseconds
// per request and the number of requests.
func costPerRequest(ctx context.Context, p *listening, length time.Duration) (float64, uint64, error) {
	before, err := p.cpu()
	if err != nil {
		return 0, 0, err
	}
	n, err := load(ctx, p.address, length)
	if err != nil {
		return 0, 0, err
	}
	// What was buffered behind the answers is part of the price.
	time.Sleep(300 * time.Millisecond)
	after, err := p.cpu()
	if err != nil {
		return 0, 0, err
	}
	return (after - before) / float64(n) * 1e6, n, nil
}

// load is a closed loop of keep-alive connections that send one canned GET
// after the other.
func load(ctx context.Context, address string, length time.Duration) (uint64, error) {
	var (
		wg    sync.WaitGroup
		total atomic.Uint64
		once  sync.Once
		first error
	)
	end := time.Now().Add(length)
	for range recorderConns {
		wg.Go(func() {
			n, err := loadOne(ctx, address, end)
			total.Add(n)
			if err != nil {
				once.Do(func() { first = err })
			}
		})
	}
	wg.Wait()
	return total.Load(), first
}

func loadOne(ctx context.Context, address string, end time.Time) (uint64, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	request := []byte("GET /orders/ord_1001?expand=items HTTP/1.1\r\nHost: orders.example\r\n" +
		"User-Agent: bench\r\nAccept: application/json\r\nAuthorization: Bearer 0123456789abcdef\r\n" +
		"X-Session-Id: s-42\r\n\r\n")
	in := bufio.NewReaderSize(conn, 16<<10)
	var n uint64
	for time.Now().Before(end) && ctx.Err() == nil {
		if _, err := conn.Write(request); err != nil {
			return n, err
		}
		first, _, length, err := readHead(in)
		if err != nil {
			return n, err
		}
		if string(first[9:12]) != "200" {
			return n, fmt.Errorf("answer %q", first)
		}
		if _, err := in.Discard(length); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// runReverseProxy is the peer: httputil.ReverseProxy as one tunes it for
// production. args: target URL.
func runReverseProxy(args []string) error {
	upstream, err := url.Parse(args[0])
	if err != nil {
		return err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{
			MaxIdleConns: 1024, MaxIdleConnsPerHost: 1024, DisableCompression: true,
			IdleConnTimeout: 90 * time.Second,
		},
		BufferPool: newBufferPool(),
		ErrorLog:   slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	return http.Serve(ln, proxy)
}

type bufferPool struct{ pool sync.Pool }

func newBufferPool() *bufferPool {
	return &bufferPool{sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}}
}

func (p *bufferPool) Get() []byte  { return *p.pool.Get().(*[]byte) }
func (p *bufferPool) Put(b []byte) { p.pool.Put(&b) }

// runKafka is a broker in a process of its own, in memory. args: address.
func runKafka(args []string) error {
	_, port, err := net.SplitHostPort(args[0])
	if err != nil {
		return err
	}
	if port == "0" {
		address, err := freeAddress()
		if err != nil {
			return err
		}
		_, port, _ = net.SplitHostPort(address)
	}
	var number int
	if _, err := fmt.Sscan(port, &number); err != nil {
		return err
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(number))
	if err != nil {
		return err
	}
	defer cluster.Close()
	fmt.Println(cluster.ListenAddrs()[0])
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	<-signals
	return nil
}
