package embedded

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"github.com/twmb/franz-go/pkg/kfake"
)

// startBroker starts one kfake broker. Records are written to files before they
// are acknowledged, so they survive the end of this process, however it comes;
// as with Kafka itself the system brings the files to the disk later, so a
// power cut may take the last ones. kfake.SyncWrites would wait for the disk:
// records of 1 KiB, each sent when the one before is acknowledged, then go at
// 2,400/s instead of 22,000/s (2 cores, virtual SSD; in batches both ways at
// more than 400,000/s).
func startBroker(ctx context.Context, c Config) (*kfake.Cluster, error) {
	// kfake's own listen error names no remedy, so the port is tried first;
	// with port 0 this also chooses it.
	probe, err := listen(ctx, "Kafka", c.Kafka)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(c.Kafka)
	_, portText, _ := net.SplitHostPort(probe.Addr().String())
	probe.Close()
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("kafka address %q: %w", c.Kafka, err)
	}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.Ports(port), kfake.ClusterID("understudy-dev"),
		kfake.DataDir(filepath.Join(c.DataDir, "kafka")),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) {
			return (&net.ListenConfig{}).Listen(ctx, network, net.JoinHostPort(host, portText))
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("start the broker on %s: %w", c.Kafka, err)
	}
	return cluster, nil
}
