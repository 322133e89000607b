package kafkatest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"
)

// image is what the containers run.
const image = "apache/kafka:" + Version

// dockerAnswers is nil when containers can be started here.
func dockerAnswers() (err error) {
	defer func() { // testcontainers panics where it finds no daemon
		if r := recover(); r != nil {
			err = fmt.Errorf("no Docker: %v", r)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	provider, err := testcontainers.NewDockerProvider()
	if err == nil {
		err = provider.Health(ctx)
	}
	if err != nil {
		return fmt.Errorf("no Docker: %w", err)
	}
	return nil
}

// containerNode is a broker in a container.
type containerNode struct {
	*testcontainers.DockerContainer
	net *testcontainers.DockerNetwork // removed by the node that has it
}

// newContainers creates n brokers in one network of their own, each reachable
// at a fixed port of loopback, so that it keeps its address over a restart.
func newContainers(n int) (addrs []string, nodes []node, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if addrs, err = freePorts(n); err != nil {
		return nil, nil, err
	}
	nw, err := tcnetwork.New(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("kafka network: %w", err)
	}
	id := make([]byte, 16)
	rand.Read(id)
	cluster := base64.RawURLEncoding.EncodeToString(id)
	for i := range n {
		c, err := newContainer(ctx, nw, cluster, i+1, n, addrs[i])
		if err != nil {
			for _, earlier := range nodes {
				earlier.remove()
			}
			_ = nw.Remove(ctx) // the reaper takes what is left
			return nil, nil, err
		}
		nodes = append(nodes, c)
	}
	nodes[n-1].(*containerNode).net = nw
	return addrs, nodes, nil
}

func newContainer(ctx context.Context, nw *testcontainers.DockerNetwork, cluster string, id, n int, addr string) (*containerNode, error) {
	var voters []string
	for i := range controllers(n) {
		voters = append(voters, fmt.Sprintf("kafka-%d:9093", i+1))
	}
	name := fmt.Sprintf("kafka-%d", id)
	m := settings(id, n, voters)
	maps.Copy(m, map[string]string{
		"listeners":                      "CLIENT://:9092,INTERNAL://:9094",
		"advertised.listeners":           "CLIENT://" + addr + ",INTERNAL://" + name + ":9094",
		"inter.broker.listener.name":     "INTERNAL",
		"listener.security.protocol.map": "CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"log.dirs":                       "/tmp/kafka-data",
	})
	if id <= len(voters) {
		m["listeners"] += ",CONTROLLER://:9093"
	}
	env := environment(m)
	env["CLUSTER_ID"] = cluster
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("kafka address: %w", err)
	}
	c, err := testcontainers.Run(ctx, image,
		testcontainers.WithNoStart(),
		testcontainers.WithEnv(env),
		testcontainers.WithExposedPorts("9092/tcp"),
		tcnetwork.WithNetwork([]string{name}, nw),
		testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
			h.PortBindings = network.PortMap{network.MustParsePort("9092/tcp"): {
				{HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: port},
			}}
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("create container of %s: %w", image, err)
	}
	return &containerNode{DockerContainer: c}, nil
}

func (c *containerNode) start() error { return c.Start(context.Background()) }

func (c *containerNode) stop() error {
	within := 30 * time.Second
	return c.Stop(context.Background(), &within)
}

func (c *containerNode) running() bool {
	state, err := c.State(context.Background())
	return err == nil && state.Running
}

func (c *containerNode) kill() error {
	return c.daemon(func(ctx context.Context, d *testcontainers.DockerClient) error {
		_, err := d.ContainerKill(ctx, c.GetContainerID(), client.ContainerKillOptions{Signal: "SIGKILL"})
		return err
	})
}

func (c *containerNode) pause() error {
	return c.daemon(func(ctx context.Context, d *testcontainers.DockerClient) error {
		_, err := d.ContainerPause(ctx, c.GetContainerID(), client.ContainerPauseOptions{})
		return err
	})
}

func (c *containerNode) resume() error {
	return c.daemon(func(ctx context.Context, d *testcontainers.DockerClient) error {
		_, err := d.ContainerUnpause(ctx, c.GetContainerID(), client.ContainerUnpauseOptions{})
		return err
	})
}

func (c *containerNode) daemon(do func(context.Context, *testcontainers.DockerClient) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	d, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, d), d.Close())
}

func (c *containerNode) remove() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.Terminate(ctx); err != nil {
		say("remove container: %v", err)
	}
	if c.net == nil {
		return
	}
	if err := c.net.Remove(ctx); err != nil {
		say("remove network: %v", err)
	}
}

func (c *containerNode) log() string {
	r, err := c.Logs(context.Background())
	if err != nil {
		return err.Error()
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, 64<<10))
	if err != nil {
		return err.Error()
	}
	return string(b)
}
