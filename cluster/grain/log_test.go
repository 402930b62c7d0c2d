package grain

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"

	virtual "github.com/asynkron/protoactor-go/cluster"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// free is an address of the loopback on which nobody listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// hosted starts a member of protoactor's cluster that hosts a log, and in its actor system a member of the log, beside others that
// are not there. Both end with the test.
func hosted(t *testing.T, others ...cluster.Member) (*virtual.Cluster, *cluster.Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	logs := make(map[string]*cluster.Client)
	c := member(t, LogKind(logs))
	n, err := cluster.Start(ctx, cluster.Config{
		ID: 1, Data: t.TempDir(), AutoInitialize: true, System: c.ActorSystem,
		Members: append(others, cluster.Member{ID: 1, Address: c.ActorSystem.Address()}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() }) // a test may have closed it
	logs[""] = n.Client
	return c, n
}

// asking asks the log of an identity.
type asking func(t *testing.T, identity string, m proto.Message) (any, error)

func TestLogs(t *testing.T) {
	if !alone(t) {
		return
	}
	c, node := hosted(t)
	if err := node.Recovered(t.Context()); err != nil {
		t.Fatal(err)
	}
	ask := func(t *testing.T, identity string, m proto.Message) (any, error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		return Request(ctx, c, LogName, identity, m)
	}
	for claim, test := range map[string]func(*testing.T, *cluster.Node, asking){
		"what is appended by identity is in the log, and read there": appendedAndRead,
		"what is sent again in a session is in the log once":         sentAgain,
		"a truncation by identity is one of the log":                 truncated,
		"what a member refuses is a failure with its code":           failing,
		"another log, and what is no request of a log, are refused":  strange,
	} {
		t.Run(claim, func(t *testing.T) { test(t, node, ask) })
	}
}

func appendedAndRead(t *testing.T, node *cluster.Node, ask asking) {
	for _, identity := range []string{"", LogName, LogName + "/2"} {
		entry := []byte("by " + identity)
		answer, err := ask(t, identity, &messages.AppendRequest{Request: 5, Entries: [][]byte{entry, entry}})
		a, is := answer.(*messages.AppendResponse)
		if err != nil || !is || a.GetRequest() != 5 || a.GetRange().GetLast() != a.GetRange().GetFirst()+1 {
			t.Fatalf("%q: %v, %v", identity, answer, err)
		}
		at := a.GetRange().GetLast()
		for e, err := range node.Reader().ReadLatest(t.Context(), log.Position(at), log.Position(at)) {
			if err != nil || !bytes.Equal(e.Data, entry) {
				t.Errorf("%q: the log has %v, %v", identity, e, err)
			}
		}
		answer, err = ask(t, identity, &messages.CatchupRequest{Request: 6})
		if up, is := answer.(*messages.CatchupResponse); err != nil || !is || up.GetRequest() != 6 || up.GetLearned() < at {
			t.Errorf("%q: caught up to %v, %v", identity, answer, err)
		}
		answer, err = ask(t, identity, &messages.ReadRequest{Request: 7, From: at, To: at})
		r, is := answer.(*messages.ReadResponse)
		if err != nil || !is || r.GetRequest() != 7 || len(r.GetPage().GetActions()) != 1 {
			t.Fatalf("%q: read %v, %v", identity, answer, err)
		}
		if got := r.GetPage().GetActions()[0].GetValue().GetData(); !bytes.Equal(got, entry) {
			t.Errorf("%q: read %q", identity, got)
		}
	}
}

func sentAgain(t *testing.T, node *cluster.Node, ask asking) {
	request := &messages.AppendRequest{Entries: [][]byte{[]byte("once")}, Session: bytes.Repeat([]byte{7}, 16), Sequence: 1}
	var first uint64
	for try := range uint64(3) {
		request.Request = try
		answer, err := ask(t, "", request)
		a, is := answer.(*messages.AppendResponse)
		if err != nil || !is || a.GetRequest() != try || a.GetRange().GetFirst() == 0 {
			t.Fatalf("try %d: %v, %v", try, answer, err)
		}
		if first == 0 {
			first = a.GetRange().GetFirst()
		}
		if a.GetRange().GetFirst() != first {
			t.Errorf("try %d: at %d, and the first one at %d", try, a.GetRange().GetFirst(), first)
		}
	}
	times := 0
	for e, err := range node.Reader().ReadLatest(t.Context(), 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if string(e.Data) == "once" {
			times++
		}
	}
	if times != 1 {
		t.Errorf("it is in the log %d times", times)
	}
}

func truncated(t *testing.T, node *cluster.Node, ask asking) {
	at, err := node.AppendBatch(t.Context(), [][]byte{[]byte("not kept"), []byte("the first that is kept")})
	if err != nil {
		t.Fatal(err)
	}
	at++
	answer, err := ask(t, "", &messages.TruncateRequest{Request: 9, To: uint64(at)})
	if a, is := answer.(*messages.TruncateResponse); err != nil || !is || a.GetRequest() != 9 || a.GetPosition() <= uint64(at) {
		t.Fatalf("%v, %v", answer, err)
	}
	if begin, _, err := node.Reader().Bounds(t.Context()); err != nil || begin != at {
		t.Errorf("the log begins at %d, %v; want %d", begin, err, at)
	}
	answer, err = ask(t, "", &messages.ReadRequest{From: uint64(at) - 1, To: uint64(at)})
	if a, is := answer.(*messages.ReadResponse); err != nil || !is || a.GetFailure().GetCode() != messages.Code_CODE_TRUNCATED ||
		a.GetFailure().GetBegin() != uint64(at) {
		t.Errorf("a read below it: %v, %v", answer, err)
	}
}

func failing(t *testing.T, _ *cluster.Node, ask asking) {
	big := make([]byte, log.MaxEntry+1)
	for name, c := range map[string]struct {
		request proto.Message
		want    messages.Code
	}{
		"too large":         {&messages.AppendRequest{Entries: [][]byte{big}}, messages.Code_CODE_TOO_LARGE},
		"nothing":           {&messages.AppendRequest{}, messages.Code_CODE_MALFORMED},
		"half a session":    {&messages.AppendRequest{Entries: [][]byte{nil}, Session: []byte{1}}, messages.Code_CODE_MALFORMED},
		"a fence":           {&messages.AppendRequest{Entries: [][]byte{nil}, Writer: 1}, messages.Code_CODE_MALFORMED},
		"a fenced truncate": {&messages.TruncateRequest{To: 1, Writer: 1}, messages.Code_CODE_MALFORMED},
		"above the log":     {&messages.TruncateRequest{To: 1 << 40}, messages.Code_CODE_BAD_RANGE},
		"not learned":       {&messages.ReadRequest{From: 1 << 40, To: 1 << 40}, messages.Code_CODE_NOT_LEARNED},
		"a gap": {&messages.AppendRequest{
			Entries: [][]byte{nil}, Session: bytes.Repeat([]byte{8}, 16), Sequence: 5,
		}, messages.Code_CODE_SEQUENCE_GAP},
	} {
		answer, err := ask(t, "", c.request)
		a, is := answer.(interface{ GetFailure() *messages.Failure })
		if err != nil || !is || a.GetFailure().GetCode() != c.want {
			t.Errorf("%s: %v, %v; want %v", name, answer, err, c.want)
		}
	}
}

func strange(t *testing.T, _ *cluster.Node, ask asking) {
	for reason, send := range map[string]func() (any, error){
		virtual.ErrorReason_NOT_FOUND: func() (any, error) { return ask(t, "ledger", &messages.CatchupRequest{}) },
		virtual.ErrorReason_INVALID_ARGUMENT: func() (any, error) {
			return ask(t, "", &emptypb.Empty{})
		},
	} {
		answer, err := send()
		if said := new(virtual.GrainErrorResponse); !errors.As(err, &said) || said.GetReason() != reason {
			t.Errorf("%s: %v, %v", reason, answer, err)
		}
	}
}

func TestALogIsAskedNoMoreThanItCanHold(t *testing.T) {
	if !alone(t) {
		return
	}
	c, node := hosted(t, cluster.Member{ID: 2, Address: free(t)}) // there is no quorum
	const many, held = 64, 15                                     // of half a MiB, and what each counts besides
	results := make(chan error, many)
	for range many {
		go func() {
			_, err := Request(t.Context(), c, LogName, "", &messages.AppendRequest{Entries: [][]byte{make([]byte, 1<<19)}})
			results <- err
		}()
	}
	for range many - held {
		err := await(t, results)
		if said := new(virtual.GrainErrorResponse); !errors.As(err, &said) || said.GetReason() != virtual.ErrorReason_RESOURCE_EXHAUSTED {
			t.Fatal(err)
		}
	}
	if err := node.Close(); err != nil {
		t.Fatal(err)
	}
	for range held {
		if err := await(t, results); err != nil { // it is answered, with a failure
			t.Error(err)
		}
	}
}
