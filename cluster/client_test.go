package cluster

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// clientOf returns a client of members that are functions: what they return is their answer, and nil is none. The first
// one is asked first.
func clientOf(t *testing.T, members ...func(proto.Message) proto.Message) *Client {
	t.Helper()
	system := newSystem(zerolog.Nop(), "here:1")
	list := make([]Member, len(members))
	for i, answer := range members {
		list[i] = Member{ID: log.ReplicaID(i + 1), Address: string(rune('a'+i)) + ":1"}
		_, err := system.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
			if m, ok := ctx.Message().(proto.Message); ok {
				if a := answer(m); a != nil {
					ctx.Respond(a)
				}
			}
		}), list[i].Address)
		if err != nil {
			t.Fatal(err)
		}
	}
	system.ProcessRegistry.RegisterAddressResolver(func(pid *actor.PID) (actor.Process, bool) {
		if pid.GetId() != logName+"/"+member.Gateway {
			return nil, false
		}
		return system.ProcessRegistry.GetLocal(pid.GetAddress())
	})
	c := newClient(system, "", list, list[0])
	t.Cleanup(func() {
		c.close()
		system.Shutdown()
	})
	return c
}

func answerStatus(m *messages.StatusRequest, id uint32, s messages.Status) *messages.StatusResponse {
	return &messages.StatusResponse{Request: m.GetRequest(), Replica: id, Status: s}
}

func failed(request uint64, code messages.Code) *messages.AppendResponse {
	return &messages.AppendResponse{Request: request, Outcome: &messages.AppendResponse_Failure{Failure: &messages.Failure{Code: code}}}
}

// recovering is a member that answers, and does not vote.
func recovering(m proto.Message) proto.Message {
	switch m := m.(type) {
	case *messages.StatusRequest:
		return answerStatus(m, 1, messages.Status_STATUS_RECOVERING)
	case *messages.AppendRequest:
		return failed(m.GetRequest(), messages.Code_CODE_NOT_VOTING)
	}
	return nil
}

// A member that answers every status request was heard lately, at any time.
func TestMemberThatAnswersAndDoesNotVoteDoesNotKeepAClientFromTheOthers(t *testing.T) {
	busy := 3
	votes := func(m proto.Message) proto.Message {
		switch m := m.(type) {
		case *messages.StatusRequest:
			return answerStatus(m, 2, messages.Status_STATUS_VOTING)
		case *messages.AppendRequest:
			if busy--; busy >= 0 {
				return failed(m.GetRequest(), messages.Code_CODE_BUSY)
			}
			return &messages.AppendResponse{Request: m.GetRequest(),
				Outcome: &messages.AppendResponse_Range{Range: &messages.Range{First: 7, Last: 7}}}
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if at, err := clientOf(t, recovering, votes).Append(ctx, []byte("entry")); at != 7 || err != nil {
		t.Errorf("got %d, %v", at, err)
	}
}

func TestElectionGoesOnWithAnotherMemberWhereOneFallsSilent(t *testing.T) {
	asked := false
	dies := func(m proto.Message) proto.Message {
		if m, ok := m.(*messages.StatusRequest); ok && !asked {
			asked = true
			return answerStatus(m, 1, messages.Status_STATUS_VOTING)
		}
		return nil
	}
	votes := func(m proto.Message) proto.Message {
		switch m := m.(type) {
		case *messages.StatusRequest:
			return answerStatus(m, 2, messages.Status_STATUS_VOTING)
		case *messages.ElectRequest:
			return &messages.ElectResponse{Request: m.GetRequest(), Outcome: &messages.ElectResponse_Elected{
				Elected: &messages.Elected{Writer: 1, End: 7}}}
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	w, err := clientOf(t, dies, votes).Writer(ctx)
	if err != nil || w.Member().ID != 2 {
		t.Errorf("got %+v, %v", w, err)
	}
}

// The members go on with a write that its caller has given up.
func TestWriteDoesNotChangeWithItsCallersBuffer(t *testing.T) {
	buffer := []byte("entry")
	a, err := newAppending(t.Context(), [][]byte{buffer}, false)
	if err != nil {
		t.Fatal(err)
	}
	copy(buffer, "other")
	m, ok := (&batch{appends: []*appending{a}, numbers: numbers{session: newSession(0)}}).message(0).build(1).(*messages.AppendRequest)
	if !ok || !bytes.Equal(m.GetEntries()[0], []byte("entry")) {
		t.Errorf("it is %q now", m.GetEntries())
	}
}

func TestBatchThatNoMemberTakesIsNotSent(t *testing.T) {
	for name, c := range map[string]struct {
		entries [][]byte
		want    error
	}{
		"an entry above 1 MiB":     {[][]byte{make([]byte, log.MaxEntry+1)}, ErrTooLarge},
		"what no message can hold": {[][]byte{make([]byte, 5*log.MaxEntry)}, ErrTooLarge},
		"a batch above 1 MiB":      {[][]byte{make([]byte, log.MaxEntry), {1}}, ErrTooLarge},
		"too many entries":         {make([][]byte, log.MaxRun+1), ErrTooLarge},
	} {
		if _, err := new(Client).AppendBatch(t.Context(), c.entries); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := new(Client).AppendBatch(t.Context(), nil); err == nil {
		t.Error("a batch of nothing was appended")
	}
}

func TestCallsOfAClosedClientEndAtOnce(t *testing.T) {
	asked := make(chan struct{}, 1)
	c := clientOf(t, func(m proto.Message) proto.Message {
		switch m := m.(type) {
		case *messages.StatusRequest:
			return answerStatus(m, 1, messages.Status_STATUS_VOTING)
		case *messages.AppendRequest:
			asked <- struct{}{}
		}
		return nil
	})
	ended := make(chan error, 1)
	go func() {
		_, err := c.Append(t.Context(), []byte("entry"))
		ended <- err
	}()
	<-asked
	began := time.Now()
	c.close()
	if err := <-ended; !errors.Is(err, ErrIndeterminate) {
		t.Errorf("a write that was sent: %v", err)
	}
	_, err := c.Append(t.Context(), []byte("entry"))
	_, electErr := c.Writer(t.Context())
	_, readErr := c.Reader().Catchup(t.Context())
	_, ofErr := c.StatusOf(t.Context(), 1)
	for i, err := range []error{err, electErr, readErr, ofErr} {
		if !errors.Is(err, ErrClosed) || errors.Is(err, ErrIndeterminate) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("they took %v", took)
	}
}

// voting is a member that answers, votes, and writes at a position.
func voting(id uint32, at uint64) func(proto.Message) proto.Message {
	return func(m proto.Message) proto.Message {
		switch m := m.(type) {
		case *messages.StatusRequest:
			return answerStatus(m, id, messages.Status_STATUS_VOTING)
		case *messages.AppendRequest:
			return &messages.AppendResponse{Request: m.GetRequest(),
				Outcome: &messages.AppendResponse_Range{Range: &messages.Range{First: at, Last: at}}}
		}
		return nil
	}
}

func TestAppendGoesToAnotherMemberWhereOneFindsNoQuorum(t *testing.T) {
	alone := func(m proto.Message) proto.Message {
		switch m := m.(type) {
		case *messages.StatusRequest:
			return answerStatus(m, 1, messages.Status_STATUS_VOTING)
		case *messages.AppendRequest:
			return failed(m.GetRequest(), messages.Code_CODE_NO_QUORUM)
		}
		return nil
	}
	c := clientOf(t, alone, voting(2, 7))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if at, err := c.Append(ctx, []byte("entry")); at != 7 || err != nil {
		t.Errorf("it is at %d: %v", at, err)
	}
}

func TestAnotherWriterIsElectedWhereTheClientAloneDoesNotReachTheFirst(t *testing.T) {
	elected := false
	second := func(m proto.Message) proto.Message {
		switch m := m.(type) {
		case *messages.ElectRequest:
			elected = true
			return &messages.ElectResponse{Request: m.GetRequest(), Outcome: &messages.ElectResponse_Elected{
				Elected: &messages.Elected{Writer: 2}}}
		case *messages.AppendRequest:
			if !elected {
				answer := failed(m.GetRequest(), messages.Code_CODE_NOT_ELECTED)
				answer.GetFailure().Writer = 1
				return answer
			}
		}
		return voting(2, 7)(m)
	}
	c := clientOf(t, func(proto.Message) proto.Message { return nil }, second)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if at, err := c.Append(ctx, []byte("entry")); at != 7 || err != nil || !elected {
		t.Errorf("it is at %d, elected %v: %v", at, elected, err)
	}
}

// silentWriter votes, and says nothing about what it is to write.
func silentWriter(m proto.Message) proto.Message {
	if m, ok := m.(*messages.StatusRequest); ok {
		return answerStatus(m, 1, messages.Status_STATUS_VOTING)
	}
	return nil
}

func TestTryAppendDoesNotWaitWhereTooMuchIsOnItsWay(t *testing.T) {
	c := clientOf(t, silentWriter)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	for range maxFlight / log.MaxEntry {
		go func() { _, _ = c.Append(ctx, make([]byte, log.MaxEntry-perEntry)) }()
	}
	for c.flight.TryAcquire(1) { // until all of them are on their way
		c.flight.Release(1)
		runtime.Gosched()
	}
	if _, err := c.TryAppend(ctx, [][]byte{[]byte("entry")}); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	cancel()
	if _, err := c.Append(ctx, []byte("entry")); !errors.Is(err, ErrBusy) && !errors.Is(err, ErrIndeterminate) {
		t.Errorf("got %v", err)
	}
}

func TestTryAppendIsToldThatTheMemberIsBusy(t *testing.T) {
	c := clientOf(t, func(m proto.Message) proto.Message {
		switch m := m.(type) {
		case *messages.StatusRequest:
			return answerStatus(m, 1, messages.Status_STATUS_VOTING)
		case *messages.AppendRequest:
			return failed(m.GetRequest(), messages.Code_CODE_BUSY)
		}
		return nil
	})
	if _, err := c.TryAppend(t.Context(), [][]byte{[]byte("entry")}); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
}
