//go:build !linux

package process

import (
	"errors"
	"testing"
)

const programVariable = "QUORUMLOG_TEST_PROGRAM" // what was built already

func runApart() (code int, ran bool) { return 0, false }

func settle() error { return nil }

func apart() error { return errors.New("only Linux has namespaces") }

func newHosts(testing.TB, int, uint64) (Network, error) { return nil, apart() }
