// Package imports takes real recordings through `understudy import` into Kafka
// and out again, and compares with the files byte for byte.
package imports
