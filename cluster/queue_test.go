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
