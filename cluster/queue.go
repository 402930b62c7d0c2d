package cluster

import (
	"context"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"github.com/rs/zerolog"
)

// frame is one packet in a queue.
type frame struct {
	packet *remote.RemoteMessage
	bytes  int // about
	queued time.Time
}

// queue holds the packets of one lane to a peer, first in, first out, up to a bound in bytes. One goroutine takes out.
type queue struct {
	mu     sync.Mutex
	frames []frame
	bytes  int
	most   int
	closed bool
	wake   chan struct{} // has one element whenever pop must look again
}

func newQueue(most int) *queue { return &queue{most: most, wake: make(chan struct{}, 1)} }

// push appends a frame, and returns how many of the oldest it had to drop for it.
func (q *queue) push(f frame) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.frames) > 0 && q.bytes+f.bytes > q.most {
		q.shift()
		dropped++
	}
	q.frames = append(q.frames, f)
	q.bytes += f.bytes
	q.signal()
	return dropped
}

// pop waits for a frame. It returns false when the context ends, or when the queue is closed and empty.
func (q *queue) pop(ctx context.Context) (frame, bool) {
	for ctx.Err() == nil {
		f, ok, closed := q.take()
		if ok || closed {
			return f, ok
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
		}
	}
	return frame{}, false
}

func (q *queue) take() (f frame, ok, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.frames) == 0 {
		return frame{}, false, q.closed
	}
	return q.shift(), true, q.closed
}

// expire drops what was queued before some time, and returns how many frames that were.
func (q *queue) expire(before time.Time) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.frames) > 0 && q.frames[0].queued.Before(before) {
		q.shift()
		dropped++
	}
	return dropped
}

func (q *queue) shift() frame {
	f := q.frames[0]
	q.frames[0] = frame{} // for the garbage collector
	q.frames = q.frames[1:]
	q.bytes -= f.bytes
	return f
}

// close lets pop return what is left, and then false.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

// size is how many bytes wait.
func (q *queue) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// frames cuts a batch into packets of at most maxFrame bytes, or of one message.
func frames(b *remote.MessageBatch, log zerolog.Logger) []frame {
	var cut []frame
	add := func(envelopes []*remote.MessageEnvelope, bytes int) {
		if len(envelopes) == 0 {
			return
		}
		part := &remote.MessageBatch{
			TypeNames: b.GetTypeNames(), Targets: b.GetTargets(), Senders: b.GetSenders(), Envelopes: envelopes,
		}
		cut = append(cut, frame{
			packet: &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: part}},
			bytes:  bytes, queued: time.Now(),
		})
	}
	first, bytes := 0, 0
	for i, e := range b.GetEnvelopes() {
		size := len(e.GetMessageData()) + perMessage
		if size > maxMessage {
			log.Error().Str("type", b.GetTypeNames()[e.GetTypeId()]).Int("bytes", size).
				Msg("a message is too large to be sent, and was dropped")
			add(b.GetEnvelopes()[first:i], bytes)
			first, bytes = i+1, 0
			continue
		}
		if bytes > 0 && bytes+size > maxFrame {
			add(b.GetEnvelopes()[first:i], bytes)
			first, bytes = i, 0
		}
		bytes += size
	}
	add(b.GetEnvelopes()[first:], bytes)
	return cut
}
