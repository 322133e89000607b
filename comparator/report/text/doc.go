// Package text draws what package report has read: tables for people, at most
// 80 columns wide, and JSON and CSV for programs.
package text
