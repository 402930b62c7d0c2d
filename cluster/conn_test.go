package cluster

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/messages"
)

// askAppend asks for what the peer never answers, and returns what becomes of that.
func askAppend(ctx context.Context, c *conn, p *peer) <-chan error {
	failed := make(chan error, 1)
	go func() {
		_, err := c.ask(ctx, p.gateway(), func(n uint64) proto.Message { return &messages.AppendRequest{Request: n} })
		failed <- err
	}()
	return failed
}

// askStatus asks until the peer answers: it has received, then, whatever it was asked before.
func askStatus(t *testing.T, c *conn, p *peer) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		ctx, cancel := context.WithTimeout(t.Context(), ping)
		_, err := c.ask(ctx, p.gateway(), func(n uint64) proto.Message { return &messages.StatusRequest{Request: n} })
		cancel()
		if err == nil {
			return
		}
	}
	t.Fatal("waited 20 s for an answer")
}

// awaitBroken waits until the connection is known to be broken.
func awaitBroken(t *testing.T, c *conn, p *peer) {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for end := time.After(20 * time.Second); c.heardSince(p.address, time.Now().Add(-time.Hour)); {
		select {
		case <-again.C:
		case <-end:
			t.Fatal("waited 20 s for the connection to break")
		}
	}
}

func endsBroken(t *testing.T, failed <-chan error) {
	t.Helper()
	select {
	case err := <-failed:
		if !errors.Is(err, errBroken) {
			t.Errorf("want %v, got %v", errBroken, err)
		}
	case <-time.After(3 * time.Second):
		t.Error("it still waits 3 s later")
	}
}

// A new process at the same address answers pings, so that nothing else would end the wait.
func TestRequestEndsWithTheProcessThatWasAsked(t *testing.T) {
	if !alone(t) {
		return
	}
	p, c := startPeer(t, free(t)), newConn(startAsker(t).system)
	askStatus(t, c, p)
	failed := askAppend(t.Context(), c, p)
	askStatus(t, c, p)
	p.kill(t)
	startPeer(t, p.address)
	endsBroken(t, failed)
}

func TestMemberWhoseConnectionBrokeWasNotHeardLately(t *testing.T) {
	if !alone(t) {
		return
	}
	p, c := startPeer(t, free(t)), newConn(startAsker(t).system)
	askStatus(t, c, p)
	failed := askAppend(t.Context(), c, p)
	askStatus(t, c, p)
	p.kill(t)
	endsBroken(t, failed)
	if c.heardSince(p.address, time.Now().Add(-time.Hour)) {
		t.Error("it would be asked next, as if it were there")
	}
}

func TestRequestThatWaitedTooLongToBeSentEnds(t *testing.T) {
	if !alone(t) {
		return
	}
	p, c := startPeer(t, free(t)), newConn(startAsker(t).system)
	askStatus(t, c, p)
	p.kill(t)
	awaitBroken(t, c, p)
	failed := askAppend(t.Context(), c, p)
	<-time.After(stale + 100*time.Millisecond)
	startPeer(t, p.address)
	endsBroken(t, failed)
}

func TestRequestOfOneMemberOutlivesAnother(t *testing.T) {
	if !alone(t) {
		return
	}
	gone, stays, c := startPeer(t, free(t)), startPeer(t, free(t)), newConn(startAsker(t).system)
	askStatus(t, c, gone)
	askStatus(t, c, stays)
	ctx, cancel := context.WithTimeout(t.Context(), 5*lastWords)
	defer cancel()
	lost, kept := askAppend(t.Context(), c, gone), askAppend(ctx, c, stays)
	askStatus(t, c, gone)
	gone.kill(t)
	endsBroken(t, lost)
	if err := <-kept; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want it to wait until its deadline, got %v", err)
	}
}
