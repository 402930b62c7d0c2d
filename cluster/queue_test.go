package cluster

import (
	"context"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"github.com/rs/zerolog"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/messages"
)

// packet is a batch of messages of these sizes.
func packet(sizes ...int) *remote.RemoteMessage {
	b := &remote.MessageBatch{
		TypeNames: []string{string(proto.MessageName(&messages.StatusRequest{}))},
		Targets:   []string{logName + "/" + member.Gateway},
	}
	for _, size := range sizes {
		b.Envelopes = append(b.Envelopes, &remote.MessageEnvelope{MessageData: make([]byte, size)})
	}
	return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: b}}
}

// envelope is a packet with one request.
func envelope(request uint64) *remote.RemoteMessage {
	p := packet(0)
	data, err := proto.Marshal(&messages.StatusRequest{Request: request})
	if err != nil {
		panic(err)
	}
	p.GetMessageBatch().Envelopes[0].MessageData = data
	return p
}

func TestPacketsAreCutToSize(t *testing.T) {
	const kib = 1 << 10
	for _, c := range []struct {
		sizes []int // of the messages, in KiB
		want  []int // messages in each packet
	}{
		{[]int{}, nil},
		{[]int{1, 1, 1}, []int{3}},
		{[]int{512, 511, 1}, []int{2, 1}},
		{[]int{1024, 1024}, []int{1, 1}},
		{[]int{1, 3000, 1}, []int{1, 1, 1}},
		{[]int{1, 4096, 1}, []int{1, 1}}, // the large one is dropped
		{[]int{5000}, nil},
	} {
		var sizes []int
		for _, s := range c.sizes {
			sizes = append(sizes, s*kib)
		}
		var got []int
		for _, f := range frames(packet(sizes...).GetMessageBatch(), zerolog.Nop()) {
			got = append(got, len(f.packet.GetMessageBatch().GetEnvelopes()))
		}
		if !equal(got, c.want) {
			t.Errorf("%v KiB were cut to %v, want %v", c.sizes, got, c.want)
		}
	}
}

func equal(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestFullQueueDropsTheOldest(t *testing.T) {
	q := newQueue(maxQueue)
	for n := range 5 {
		if dropped := q.push(frame{bytes: maxQueue/4 + n, queued: time.Unix(int64(n), 0)}); dropped > 1 {
			t.Errorf("%d were dropped for one", dropped)
		}
	}
	f, ok := q.pop(context.Background())
	if !ok || f.queued.Unix() != 2 || q.bytes > maxQueue {
		t.Errorf("first %v, %d bytes", f.queued, q.bytes)
	}
}

func TestAFloodOfOneLogDropsItsOwnAndHoldsUpNoOther(t *testing.T) {
	q, dropped := newQueue(maxQueue), 0
	for range 40 {
		dropped += q.push(frame{line: "flood", bytes: maxFrame})
	}
	if dropped != 24 {
		t.Errorf("%d of 40 MiB were dropped", dropped)
	}
	if dropped := q.push(frame{line: "calm", bytes: 100}); dropped > 0 {
		t.Errorf("%d were dropped for another log", dropped)
	}
	for n := range 3 {
		if f, ok := q.pop(context.Background()); ok && f.line == "calm" {
			return
		} else if !ok || n == 2 {
			t.Fatal("another log waits behind the flood")
		}
	}
}

func TestLogsShareTheWayByBytes(t *testing.T) {
	q, sent := newQueue(maxQueue), map[string]int{}
	for range 15 {
		q.push(frame{line: "large", bytes: maxFrame})
	}
	for range 200 {
		q.push(frame{line: "small", bytes: maxFrame / 16})
	}
	for sent["large"] < 6*maxFrame {
		f, ok := q.pop(context.Background())
		if !ok {
			t.Fatal("it is empty")
		}
		sent[f.line] += f.bytes
	}
	if ratio := float64(sent["small"]) / float64(sent["large"]); ratio < 0.8 || ratio > 1.2 {
		t.Errorf("one log has %.2f times what the other has", ratio)
	}
}

func TestFramesOfOneLogKeepTheirOrder(t *testing.T) {
	q := newQueue(maxQueue)
	for n := range 60 {
		q.push(frame{line: []string{"a", "b", "c"}[n%3], bytes: 1 + n%7, queued: time.Unix(int64(n), 0)})
	}
	last := map[string]int64{}
	for range 60 {
		f, ok := q.pop(context.Background())
		if !ok || f.queued.Unix() < last[f.line] {
			t.Fatalf("%s: %v after %d", f.line, f.queued.Unix(), last[f.line])
		}
		last[f.line] = f.queued.Unix()
	}
}

func TestAllLogsTogetherHaveTwiceTheBoundOfOne(t *testing.T) {
	q := newQueue(maxQueue)
	for n := range 200 {
		q.push(frame{line: []string{"a", "b", "c", "d", "e"}[n%5], bytes: maxFrame})
		if q.size() > 2*maxQueue {
			t.Fatalf("%d bytes wait", q.size())
		}
	}
	if len(q.lines) != 5 {
		t.Errorf("%d lines are left of 5", len(q.lines))
	}
}

func TestAPacketForTwoLogsIsDivided(t *testing.T) {
	b := packet(1, 2, 3, 4, 5).GetMessageBatch()
	b.Targets = []string{"quorumlog/replica", "quorumlog.orders/replica", "quorumlog/gateway", clientPrefix + "$1"}
	for i, target := range []int32{0, 1, 2, 3, 1} {
		b.Envelopes[i].Target = target
	}
	got := map[string][]int{}
	for _, f := range frames(b, zerolog.Nop()) {
		for _, e := range f.packet.GetMessageBatch().GetEnvelopes() {
			got[f.line] = append(got[f.line], len(e.GetMessageData()))
		}
	}
	if len(got) != 2 || !equal(got["quorumlog"], []int{1, 3, 4}) || !equal(got["quorumlog.orders"], []int{2, 5}) {
		t.Errorf("it was divided into %v", got)
	}
}

func TestQueueExpiresWhatIsOld(t *testing.T) {
	q := newQueue(maxQueue)
	for n := range 5 {
		q.push(frame{queued: time.Unix(int64(n), 0)})
	}
	if dropped := q.expire(time.Unix(3, 0)); dropped != 3 {
		t.Errorf("%d were dropped", dropped)
	}
	if f, ok := q.pop(context.Background()); !ok || f.queued.Unix() != 3 {
		t.Errorf("first %v", f.queued)
	}
}

func TestClosedQueueGivesWhatIsLeft(t *testing.T) {
	q := newQueue(maxQueue)
	q.push(frame{bytes: 1})
	q.close()
	if _, ok := q.pop(context.Background()); !ok {
		t.Error("the last frame was lost")
	}
	if _, ok := q.pop(context.Background()); ok {
		t.Error("a frame from nowhere")
	}
}

func TestPopEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan bool)
	go func() {
		_, ok := newQueue(maxQueue).pop(ctx)
		ended <- ok
	}()
	cancel()
	if await(t, ended, "pop") {
		t.Error("a frame from nowhere")
	}
}
