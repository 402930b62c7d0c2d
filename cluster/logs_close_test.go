package cluster

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"
)

// oneMember starts a log of one member.
func oneMember(t *testing.T, logs ...string) *Node {
	t.Helper()
	n, err := Start(t.Context(), Config{
		ID: 1, Data: t.TempDir(), Members: []Member{{1, free(t)}}, AutoInitialize: true, AutoElect: true, Logs: logs, Logger: zerolog.Nop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLogsThatAreOpenedWhileTheirNodeIsClosedLeaveNothing(t *testing.T) {
	if !alone(t) {
		return
	}
	before := goleak.IgnoreCurrent()
	n := oneMember(t, "first")
	var group sync.WaitGroup
	opened := make(chan *Node, 64)
	for i := range 8 {
		group.Go(func() {
			for {
				more, err := n.OpenLog(t.Context(), LogConfig{Name: fmt.Sprintf("log-%d", i), AutoInitialize: true, AutoElect: true})
				if err != nil {
					if !errors.Is(err, ErrClosed) && t.Context().Err() == nil && !errors.Is(err, ErrLogOpen) {
						t.Errorf("open log %d: %v", i, err)
					}
					return
				}
				select {
				case opened <- more:
				default:
				}
				if err := more.Recovered(t.Context()); err != nil && !errors.Is(err, ErrClosed) {
					t.Errorf("log %d: %v", i, err)
				}
				if err := more.Close(); err != nil {
					t.Errorf("close log %d: %v", i, err)
				}
			}
		})
	}
	for range 8 {
		await(t, opened, "logs to be opened")
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	group.Wait()
	if _, err := n.OpenLog(t.Context(), LogConfig{Name: "late"}); !errors.Is(err, ErrClosed) {
		t.Errorf("a node that is closed opens a log: %v", err)
	}
	if _, err := n.Log("late"); !errors.Is(err, ErrClosed) {
		t.Errorf("a node that is closed has a client of another log: %v", err)
	}
	if len(n.Logs()) > 0 {
		t.Errorf("%d logs are open", len(n.Logs()))
	}
	goleak.VerifyNone(t, before, goleak.IgnoreTopFunction("github.com/asynkron/protoactor-go/actor.NewDeadLetter.NewThrottle.func4.1"))
}

func TestADiskThatFailsStopsAllLogs(t *testing.T) {
	if !alone(t) {
		return
	}
	n := oneMember(t, "orders", "users")
	all := n.Logs()
	if err := all[1].store.Condemn("a test says so"); !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
	for _, one := range all {
		await(t, one.Done(), "every log to stop")
		if !errors.Is(one.Err(), ErrCorrupt) {
			t.Errorf("log %q stopped because of %v", one.Name(), one.Err())
		}
	}
}

func TestLogsThatNobodyMayOpenAreRefusedBeforeAnythingIsDone(t *testing.T) {
	c := Config{ID: 1, Data: t.TempDir(), Members: []Member{{1, "127.0.0.1:4101"}}}
	for _, names := range [][]string{{""}, {"a", "a"}, {"A"}, {"a b"}, {"a/b"}, {"../a"}, make([]string, 64)} {
		if len(names) == 64 {
			for i := range names {
				names[i] = fmt.Sprint(i)
			}
		}
		c.Logs = names
		if err := c.Validate(); err == nil {
			t.Errorf("logs %q are taken", names)
		}
	}
	c.Logs = []string{"a", "b-1", "0"}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}
