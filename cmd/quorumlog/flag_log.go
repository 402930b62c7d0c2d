package main

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/quorumlog/quorumlog/cluster"
)

// logFlag is the name of a log as a flag; empty for the log without one.
type logFlag string

var _ pflag.Value = (*logFlag)(nil)

// String implements pflag.Value.
func (f *logFlag) String() string { return string(*f) }

// Set implements pflag.Value.
func (f *logFlag) Set(text string) error {
	err := cluster.ValidateLog(text)
	if err == nil {
		*f = logFlag(text)
	}
	return err
}

// Type implements pflag.Value.
func (f *logFlag) Type() string { return "name" }

// logList is --logs: names with commas between them.
type logList []string

var _ pflag.Value = (*logList)(nil)

// String implements pflag.Value.
func (l *logList) String() string { return strings.Join(*l, ",") }

// Set implements pflag.Value.
func (l *logList) Set(text string) error {
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if err := cluster.ValidateLog(name); err != nil {
			return err
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	*l = names
	return nil
}

// Type implements pflag.Value.
func (l *logList) Type() string { return "names" }
