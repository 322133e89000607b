// Package migration moves the users of two systems from one to the other and
// back, through `understudy gateway`, on real Kafka, while they use them and
// check every answer.
package migration
