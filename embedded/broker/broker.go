// Package broker runs one broker that speaks Kafka's protocol in this process.
package broker

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Start starts a broker at a free address, host:port, with its data in a
// folder. The caller closes it.
//
// Records are written to files before they are acknowledged, so they survive
// the end of this process, however it comes; as with Kafka itself the system
// brings the files to the disk later, so a power cut may take the last ones.
// kfake.SyncWrites would wait for the disk: records of 1 KiB, each sent when the
// one before is acknowledged, then go at 2,400/s instead of 22,000/s (2 cores,
// virtual SSD; in batches both ways at more than 400,000/s).
func Start(ctx context.Context, address, folder string) (*kfake.Cluster, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("kafka address %q: %w", address, err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("kafka address %q: %w", address, err)
	}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.Ports(port), kfake.ClusterID("understudy-dev"), kfake.DataDir(folder),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) {
			return (&net.ListenConfig{}).Listen(ctx, network, net.JoinHostPort(host, portText))
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("start the broker on %s with the data in %s: %w", address, folder, err)
	}
	return cluster, nil
}
