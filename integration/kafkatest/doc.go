// Package kafkatest gives tests a real Apache Kafka: endpoints named by the
// environment, else a container when a Docker daemon answers, else brokers on
// the JVM whose jars Maven fetches once into the user's cache folder. Which it
// is, is printed. With CI=true a missing Java or Maven fails the test,
// otherwise it skips it.
//
// It needs Unix (signals, file locks). On Linux no broker survives the test
// binary, however that ends.
package kafkatest
