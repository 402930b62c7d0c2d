package cluster

import (
	"context"
	"slices"
	"sync"
	"time"
)

// queue holds the packets of one lane to a peer, up to a bound in bytes. One goroutine takes out.
//
// It has a line for every log, and what is in one line comes out in its order. Each gets its part of the way, in bytes, and where
// there is no room what waits in the longest is dropped, the oldest first: a log whose packets pile up holds up itself, and no
// other one.
type queue struct {
	mu     sync.Mutex
	lines  []*line // that have something
	spent  int     // what the line had that was served last
	bytes  int
	most   int // bytes in one line; all together have twice as many
	closed bool
	wake   chan struct{} // has one element whenever pop must look again
}

// line is what waits of one log.
type line struct {
	name   string
	frames []frame
	bytes  int
	spent  int // bytes that were sent since all lines were empty, about: whoever had least is served next
}

func newQueue(most int) *queue { return &queue{most: most, wake: make(chan struct{}, 1)} }

// push appends a frame to its line, and returns how many of the oldest it had to drop for it.
func (q *queue) push(f frame) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	own := q.line(f.line)
	own.bytes, q.bytes = own.bytes+f.bytes, q.bytes+f.bytes
	for {
		from := own
		if own.bytes <= q.most {
			if q.bytes <= 2*q.most {
				break
			}
			from = q.longest()
		}
		if len(from.frames) == 0 { // a single frame has more than all may have
			break
		}
		from.shift(q)
		dropped++
	}
	own.frames = append(own.frames, f)
	q.forget()
	q.signal()
	return dropped
}

// line returns the line of a name. One that is new has had as much as the others, lest it gets all the way until it has.
func (q *queue) line(name string) *line {
	for _, l := range q.lines {
		if l.name == name {
			return l
		}
	}
	l := &line{name: name, spent: q.spent}
	if len(q.lines) == 0 {
		l.spent = 0
	}
	q.lines = append(q.lines, l)
	return l
}

// longest is the line that has most, of those that have something besides what is about to be queued.
func (q *queue) longest() *line {
	longest := &line{}
	for _, l := range q.lines {
		if len(l.frames) > 0 && l.bytes > longest.bytes {
			longest = l
		}
	}
	return longest
}

// next is the line that is served next.
func (q *queue) next() *line {
	return slices.MinFunc(q.lines, func(a, b *line) int { return a.spent - b.spent })
}

// forget removes the lines that are empty.
func (q *queue) forget() {
	q.lines = slices.DeleteFunc(q.lines, func(l *line) bool { return len(l.frames) == 0 })
}

// shift takes the first frame of a line.
func (l *line) shift(q *queue) frame {
	f := l.frames[0]
	l.frames[0] = frame{} // for the garbage collector
	l.frames = l.frames[1:]
	l.bytes, q.bytes = l.bytes-f.bytes, q.bytes-f.bytes
	return f
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
	if len(q.lines) == 0 {
		return frame{}, false, q.closed
	}
	l := q.next()
	q.spent = l.spent
	f = l.shift(q)
	l.spent += f.bytes
	q.forget()
	return f, true, q.closed
}

// expire drops what was queued before some time, and returns how many frames that were.
func (q *queue) expire(before time.Time) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range q.lines {
		for len(l.frames) > 0 && l.frames[0].queued.Before(before) {
			l.shift(q)
			dropped++
		}
	}
	q.forget()
	return dropped
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
