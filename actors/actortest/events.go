package actortest

import (
	"container/heap"
	"time"
)

// event is what happens at a moment of virtual time: a timer, or the arrival of a message.
type event struct {
	at     time.Duration
	order  uint64 // among events of one moment
	life   *life  // whose timer it is; nil for an arrival
	to     *Node  // where a message arrives; nil for a timer
	happen func()
	place  int // in the heap; -1 outside
}

// events is a heap in the order of time.
type events struct {
	heap eventHeap
	made uint64
}

func (e *events) add(x *event) {
	e.made++
	x.order = e.made
	heap.Push(&e.heap, x)
}

func (e *events) pop() *event { return heap.Pop(&e.heap).(*event) }

func (e *events) due(until time.Duration) bool { return len(e.heap) > 0 && e.heap[0].at <= until }

// remove takes an event out and tells whether it was still to come.
func (e *events) remove(x *event) bool {
	if x.place < 0 {
		return false
	}
	heap.Remove(&e.heap, x.place)
	return true
}

// drop takes every event out that matches, and counts them.
func (e *events) drop(match func(*event) bool) int {
	var kept eventHeap
	dropped := 0
	for _, x := range e.heap {
		if match(x) {
			x.place = -1
			dropped++
			continue
		}
		x.place = len(kept)
		kept = append(kept, x)
	}
	e.heap = kept
	heap.Init(&e.heap)
	return dropped
}

type eventHeap []*event

func (h eventHeap) Len() int { return len(h) }

func (h eventHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].order < h[j].order
}

func (h eventHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h *eventHeap) Push(x any) {
	e := x.(*event)
	e.place = len(*h)
	*h = append(*h, e)
}

func (h *eventHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	e.place = -1
	return e
}
