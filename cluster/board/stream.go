package board

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
)

// Bounds of what is streamed.
const (
	maxStreams    = 32  // at one time
	maxPoints     = 300 // rates that are kept for whoever comes later
	maxPackets    = 4   // that a reader may be behind; one that is slower misses some
	tick          = time.Second
	writePatience = 5 * time.Second // that a reader has to take a packet
)

// point is how fast the log grew at a time.
type point struct {
	At   time.Time `json:"at"`
	Rate float64   `json:"appends_per_second"`
	P99  float64   `json:"p99_seconds"`
}

// streams are those who read /api/events/stream. What is published goes to all of them.
type streams struct {
	mu      sync.Mutex
	readers map[chan []byte]bool
	points  []point
	places  chan struct{} // of all logs together; taken by each reader
}

// join returns a reader's packets, or nil where there are too many readers, and what goes first.
func (s *streams) join() (packets chan []byte, points []point) {
	select {
	case s.places <- struct{}{}:
	default:
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readers == nil {
		s.readers = make(map[chan []byte]bool)
	}
	packets = make(chan []byte, maxPackets)
	s.readers[packets] = true
	return packets, append([]point{}, s.points...)
}

func (s *streams) leave(packets chan []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.readers, packets)
	<-s.places
}

// publish hands a look to every reader. A reader that is behind misses it: the next one tells how it is by then.
func (s *streams) publish(v View, fresh []cluster.Happening) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.points = append(s.points, point{v.At, v.Rate, v.P99})
	s.points = append([]point(nil), s.points[max(0, len(s.points)-maxPoints):]...)
	if len(s.readers) == 0 {
		return
	}
	var packet bytes.Buffer
	write(&packet, "view", v)
	for _, e := range fresh {
		write(&packet, "happening", e)
	}
	for packets := range s.readers {
		select {
		case packets <- packet.Bytes():
		default:
		}
	}
}

// write appends one event of a stream.
func write(to *bytes.Buffer, name string, document any) {
	text, err := json.Marshal(document)
	if err != nil {
		return // what is published has no value that JSON does not know
	}
	fmt.Fprintf(to, "event: %s\ndata: %s\n\n", name, text)
}

// stream serves /api/events/stream: first what is known, then a view each second until the reader goes.
func (b *Board) stream(w http.ResponseWriter, r *http.Request) {
	m, err := b.asked(r)
	if err != nil {
		refuse(w, err)
		return
	}
	packets, points := m.streams.join()
	if packets == nil {
		w.Header().Set("Retry-After", "10")
		http.Error(w, fmt.Sprintf("%d readers stream already: try again later", maxStreams), http.StatusServiceUnavailable)
		return
	}
	defer m.streams.leave(packets)
	w.Header().Set("Content-Type", "text/event-stream")
	var first bytes.Buffer
	write(&first, "points", points)
	for _, e := range m.watcher.Events() {
		write(&first, "happening", e)
	}
	out := outlet{w, http.NewResponseController(w)}
	if out.control.SetReadDeadline(time.Time{}) != nil || !out.send(first.Bytes()) { // the server's is for the question
		return
	}
	m.follow(r, out, packets)
}

// follow looks at the log each second, and sooner once something happens at the member. Several readers share their looks.
func (m *watched) follow(r *http.Request, out outlet, packets <-chan []byte) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	events, soon := m.node.Events(r.Context()), false
	go m.look(r.Context())
	for {
		select {
		case packet := <-packets:
			if !out.send(packet) {
				return
			}
		case _, more := <-events:
			if !more {
				events = nil // the node has stopped, or the reader is gone
			} else if !soon {
				soon = true
				ticker.Reset(maxAge)
			}
		case <-ticker.C:
			if soon {
				soon = false
				ticker.Reset(tick)
			}
			go m.look(r.Context()) // it waits for the others' look, and ends with it
		case <-m.node.Done():
			return
		case <-r.Context().Done():
			return
		}
	}
}

// outlet is where a stream goes.
type outlet struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// send says whether the reader took it.
func (o outlet) send(packet []byte) bool {
	if o.control.SetWriteDeadline(time.Now().Add(writePatience)) != nil {
		return false
	}
	_, err := o.w.Write(packet)
	return err == nil && o.control.Flush() == nil
}
