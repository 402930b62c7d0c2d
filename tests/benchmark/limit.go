package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// limitResult is how fast the least was that a leader with two followers has to do.
type limitResult struct {
	rate float64 // records a second
	p50  float64 // of one record, in microseconds
}

// leader is that least: it sends each record to two followers, appends it to its own file and syncs, and has it
// acknowledged when one follower has done so, too. What waits goes together: at most a mebibyte at a time.
type leader struct {
	file      *os.File
	followers []*child

	mu      sync.Mutex
	arrived *sync.Cond
	waiting []record        // not sent
	sent    []chan struct{} // not acknowledged, in order
	first   uint64          // how many were acknowledged before sent[0]
	synced  uint64          // how many are in our own file
	heard   []uint64        // how many are in each follower's
	closed  bool
	err     error
}

// record waits to be sent.
type record struct {
	data []byte
	done chan struct{} // told once when it is acknowledged, or never will be
}

// largestFrame bounds what goes together.
const largestFrame = 1 << 20

// measureLimit has so many goroutines append records of a size one after the other, for as long as the workload does.
func measureLimit(ctx context.Context, o options, outstanding, size int) (r limitResult, err error) {
	dir, err := os.MkdirTemp(o.dir, "quorumlog-limit-")
	if err != nil {
		return r, fmt.Errorf("make a directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l, err := newLeader(dir)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.end()) }()
	s := o.scale()
	if _, err := l.load(ctx, s.warmUp, outstanding, size); err != nil {
		return r, err
	}
	began := time.Now()
	took, err := l.load(ctx, s.duration, outstanding, size)
	if err != nil || len(took) == 0 {
		return r, errors.Join(err, ctx.Err())
	}
	r.rate = float64(len(took)) / time.Since(began).Seconds()
	slices.Sort(took)
	r.p50 = float64(took[len(took)/2].Nanoseconds()) / 1e3
	return r, nil
}

func newLeader(dir string) (*leader, error) {
	l := &leader{heard: make([]uint64, 2)}
	l.arrived = sync.NewCond(&l.mu)
	var err error
	if l.file, err = os.Create(filepath.Join(dir, "leader")); err != nil {
		return nil, err
	}
	for i := range l.heard {
		c, err := startChild("-follower", filepath.Join(dir, fmt.Sprintf("follower-%d", i)))
		if err != nil {
			return nil, errors.Join(err, l.end())
		}
		l.followers = append(l.followers, c)
		go l.hear(i)
	}
	go l.lead()
	return l, nil
}

// load appends for some time, and returns how long each record took.
func (l *leader) load(ctx context.Context, duration time.Duration, outstanding, size int) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	all := make([][]time.Duration, outstanding)
	var workers sync.WaitGroup
	for i := range all {
		workers.Go(func() {
			one := record{data: make([]byte, size), done: make(chan struct{}, 1)}
			for ctx.Err() == nil {
				began := time.Now()
				if !l.append(one) {
					return
				}
				all[i] = append(all[i], time.Since(began))
			}
		})
	}
	workers.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Concat(all...), l.err
}

// append appends a record and waits until it is acknowledged; false if it will not be.
func (l *leader) append(r record) bool {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return false
	}
	l.waiting = append(l.waiting, r)
	l.arrived.Signal()
	l.mu.Unlock()
	<-r.done
	return true
}

// lead sends and syncs whatever waits, again and again.
func (l *leader) lead() {
	frame := make([]byte, 0, 2*largestFrame)
	for {
		frame = append(frame[:0], make([]byte, 8)...)
		frame, count := l.gather(frame)
		if count == 0 {
			return
		}
		err := l.write(frame)
		l.settle(func() { l.synced += uint64(count) }, err)
	}
}

// gather waits for records, and puts them behind the head of a frame. None: it is over.
func (l *leader) gather(frame []byte) (_ []byte, count int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.waiting) == 0 && !l.closed {
		l.arrived.Wait()
	}
	if l.closed {
		return nil, 0
	}
	for count < len(l.waiting) && len(frame)+4+len(l.waiting[count].data) <= largestFrame {
		r := l.waiting[count]
		frame = append(binary.BigEndian.AppendUint32(frame, uint32(len(r.data))), r.data...)
		l.sent = append(l.sent, r.done)
		count++
	}
	l.waiting = slices.Delete(l.waiting, 0, count)
	binary.BigEndian.PutUint32(frame, uint32(count))
	binary.BigEndian.PutUint32(frame[4:], uint32(len(frame)-8))
	return frame, count
}

func (l *leader) write(frame []byte) error {
	for _, f := range l.followers {
		if _, err := f.Write(frame); err != nil {
			return err
		}
	}
	if _, err := l.file.Write(frame[8:]); err != nil {
		return err
	}
	return syncData(l.file)
}

// hear takes a follower's answers.
func (l *leader) hear(i int) {
	var answer [8]byte
	for {
		if _, err := io.ReadFull(l.followers[i], answer[:]); err != nil {
			l.settle(func() {}, err)
			return
		}
		l.settle(func() { l.heard[i] = binary.BigEndian.Uint64(answer[:]) }, nil)
	}
}

// settle makes a change, and acknowledges what it completes. After an error nothing waits any more.
func (l *leader) settle(change func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && !l.closed {
		l.err = err
		l.close()
	}
	if l.closed {
		return
	}
	change()
	n := int(min(l.synced, slices.Max(l.heard)) - l.first)
	for _, done := range l.sent[:n] {
		done <- struct{}{}
	}
	l.sent = l.sent[n:]
	l.first += uint64(n)
}

// close lets whoever waits go on. The lock is held.
func (l *leader) close() {
	l.closed = true
	for _, done := range l.sent {
		done <- struct{}{}
	}
	for _, r := range l.waiting {
		r.done <- struct{}{}
	}
	l.sent, l.waiting = nil, nil
	l.arrived.Broadcast()
}

// end ends the followers.
func (l *leader) end() error {
	l.mu.Lock()
	l.close()
	l.mu.Unlock()
	faults := []error{l.file.Close()}
	for _, f := range l.followers {
		faults = append(faults, f.end())
	}
	return errors.Join(faults...)
}
