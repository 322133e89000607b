// Package watching tests what people watch Understudy with: that dashboards and
// alert rules name metrics, labels and columns which exist, parse, and fire.
package watching
