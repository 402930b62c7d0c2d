package process

import (
	"bytes"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// networks counts those that were made, so that each has addresses of its own.
var networks = &atomic.Uint32{}

// lines carry packets between hosts, and do to them what the quality of each line says.
type lines struct {
	ports []*os.File // of the hosts

	mu        sync.Mutex
	random    *rand.Rand
	qualities map[[2]int]Quality
}

func newLines(n int, seed uint64) *lines {
	return &lines{
		ports: make([]*os.File, n), random: rand.New(rand.NewPCG(seed, 0)), qualities: make(map[[2]int]Quality),
	}
}

// Set implements Network.
func (l *lines) Set(from, to int, q Quality) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.qualities[[2]int{from, to}] = q
}

// What of a packet is read.
const (
	largestPacket  = 1 << 16
	smallestPacket = 20 // bytes: the header of IPv4
	destination    = 19 // the last byte of the receiver's address
)

// carry forwards what a host sends, until its port is closed.
func (l *lines) carry(from int) {
	packet := make([]byte, largestPacket)
	for {
		n, err := l.ports[from].Read(packet)
		if err != nil {
			return
		}
		if n < smallestPacket || packet[0]>>4 != 4 {
			continue // IPv6 looks for neighbours of its own accord, and finds none
		}
		if to := int(packet[destination]) - 1; to >= 0 && to < len(l.ports) && to != from {
			l.forward(from, to, packet[:n])
		}
	}
}

func (l *lines) forward(from, to int, packet []byte) {
	port := l.ports[to]
	for _, wait := range l.fate(from, to) {
		if wait == 0 {
			_, _ = port.Write(packet) // a packet that a host cannot take is lost, as on any line
			continue
		}
		late := bytes.Clone(packet)
		time.AfterFunc(wait, func() { _, _ = port.Write(late) })
	}
}

// fate says after what time a packet arrives: once, twice, or never.
func (l *lines) fate(from, to int) []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.qualities[[2]int{from, to}]
	if q.Cut || q.Loss > 0 && l.random.Float64() < q.Loss {
		return nil
	}
	waits := []time.Duration{q.wait(l.random.Float64)}
	if q.Twice > 0 && l.random.Float64() < q.Twice {
		waits = append(waits, q.wait(l.random.Float64))
	}
	return waits
}
