package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/quorumlog/quorumlog/log"
)

// demoJournal is what a replica's process says: it goes to a file, and the changes of the replica's status to the story.
// Polling would miss some: STARTING may last a few milliseconds.
type demoJournal struct {
	replica log.ReplicaID
	began   time.Time
	file    *os.File
	told    chan<- demoStatus

	mu   sync.Mutex
	rest []byte   // of the last line, which is not complete
	last []string // the last lines
}

// demoTail is how many lines of a process are shown when it fails.
const demoTail = 8

func openDemoJournal(name string, replica log.ReplicaID, told chan<- demoStatus) (*demoJournal, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of replica %d: %w", replica, err)
	}
	return &demoJournal{replica: replica, began: time.Now(), file: file, told: told}, nil
}

// Write implements io.Writer. It is called by one goroutine.
func (j *demoJournal) Write(text []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.rest = append(j.rest, text...)
	for {
		line, rest, found := bytes.Cut(j.rest, []byte("\n"))
		if !found {
			break
		}
		j.read(line)
		j.rest = rest
	}
	return j.file.Write(text)
}

// read keeps a line, and tells the status that it is about, if any. These are the lines of the actor replica.
func (j *demoJournal) read(line []byte) {
	j.last = append(j.last, string(line))
	j.last = j.last[max(0, len(j.last)-demoTail):]
	var said struct{ Message, Status, From, To string }
	if json.Unmarshal(line, &said) != nil {
		return
	}
	status := demoStatus{Replica: j.replica, Seconds: seconds(time.Since(j.began))}
	switch said.Message {
	case "the replica is up":
		status.To = said.Status
	case "the status changes":
		status.From, status.To = said.From, said.To
	default:
		return
	}
	select {
	case j.told <- status:
	default: // nobody waits for it
	}
}

// tail is the last lines, indented.
func (j *demoJournal) tail() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	text := strings.Join(append(j.last, string(j.rest)), "\n  ")
	return "  " + strings.TrimSpace(text)
}

func (j *demoJournal) close() error { return j.file.Close() }

// freeAddresses returns loopback addresses that nobody listens on at this moment. All are held before any is let go, so
// that they differ.
func freeAddresses(ctx context.Context, count int) (addresses []string, err error) {
	var config net.ListenConfig
	for range count {
		listener, listenErr := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if listenErr != nil {
			return nil, fmt.Errorf("find a free port: %w", listenErr)
		}
		defer func() { err = errors.Join(err, listener.Close()) }()
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}

// demoID is the id of the i-th replica.
func demoID(i int) log.ReplicaID { return log.ReplicaID(i + 1) }
