package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log/storage/backup"
)

// The exit codes. They are a contract.
const (
	exitFine      = 0
	exitFailed    = 1
	exitUsage     = 2 // the command line, the environment or the file is wrong; nothing was done
	exitNotReady  = 3 // no quorum, or the replica does not vote; try again later
	exitDataFault = 4 // a disk failed or lied, or the replicas differ
)

// exitError is an error that knows its exit code.
type exitError struct {
	code int
	error
}

func (e exitError) Unwrap() error { return e.error }

// usage makes an error one of usage.
func usage(err error) error { return exitError{exitUsage, err} }

func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

func notReadyf(format string, args ...any) error {
	return exitError{exitNotReady, fmt.Errorf(format, args...)}
}

func dataFaultf(format string, args ...any) error {
	return exitError{exitDataFault, fmt.Errorf(format, args...)}
}

// exitCode says what an error means to whoever started the process.
func exitCode(err error) int {
	var known exitError
	switch {
	case err == nil:
		return exitFine
	case errors.As(err, &known):
		return known.code
	case errors.Is(err, cluster.ErrIndeterminate): // whatever else: the log has to be read first
		return exitFailed
	case isAny(err, backup.ErrDamaged, backup.ErrNoChain, cluster.ErrCorrupt, cluster.ErrDiskFailed, cluster.ErrReplaced,
		cluster.ErrOtherLog):
		return exitDataFault
	case isAny(err, cluster.ErrNoQuorum, cluster.ErrNotVoting, cluster.ErrNotElected, context.DeadlineExceeded):
		return exitNotReady
	}
	return exitFailed
}

func isAny(err error, kinds ...error) bool {
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}
