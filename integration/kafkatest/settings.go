package kafkatest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// controllers is how many of n brokers vote: three can lose one, two cannot,
// so two have one controller.
func controllers(n int) int {
	if n < 3 {
		return 1
	}
	return 3
}

// settings are the properties of broker id (from 1) of n that do not depend
// on where it runs. voters are the controllers' host:port.
func settings(id, n int, voters []string) map[string]string {
	replicas := strconv.Itoa(min(n, 3))
	inSync := strconv.Itoa(max(1, min(n, 3)-1))
	roles := "broker"
	if id <= controllers(n) {
		roles = "broker,controller"
	}
	var quorum []string
	for i, v := range voters {
		quorum = append(quorum, fmt.Sprintf("%d@%s", i+1, v))
	}
	return map[string]string{
		"node.id":                          strconv.Itoa(id),
		"process.roles":                    roles,
		"controller.quorum.voters":         strings.Join(quorum, ","),
		"controller.listener.names":        "CONTROLLER",
		"auto.create.topics.enable":        "false",
		"group.initial.rebalance.delay.ms": "0",
		// A broker that was killed is given up within seconds.
		"broker.session.timeout.ms":                        "3000",
		"broker.heartbeat.interval.ms":                     "500",
		"replica.lag.time.max.ms":                          "5000",
		"default.replication.factor":                       replicas,
		"min.insync.replicas":                              inSync,
		"offsets.topic.num.partitions":                     "8",
		"offsets.topic.replication.factor":                 replicas,
		"transaction.state.log.num.partitions":             "4",
		"transaction.state.log.replication.factor":         replicas,
		"transaction.state.log.min.isr":                    inSync,
		"share.coordinator.state.topic.num.partitions":     "4",
		"share.coordinator.state.topic.replication.factor": replicas,
		"share.coordinator.state.topic.min.isr":            inSync,
	}
}

// properties is the text of a server.properties file.
func properties(m map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "%s=%s\n", k, m[k])
	}
	return b.String()
}

// environment spells properties as the Apache image reads them: upper case,
// "_" for ".", "__" for "-", behind KAFKA_.
func environment(m map[string]string) map[string]string {
	out := map[string]string{}
	spell := strings.NewReplacer(".", "_", "-", "__", "_", "___")
	for k, v := range m {
		out["KAFKA_"+strings.ToUpper(spell.Replace(k))] = v
	}
	return out
}
