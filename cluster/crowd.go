package cluster

import (
	"fmt"
	"net"
	"sync"
)

// crowd bounds how many others are connected to this process, and how many of them have not shown yet who they are, so that
// nobody takes all its memory and files by connecting alone. Those have two seconds (dialTimeout), as gRPC sees to. One host
// has only a part of it.
type crowd struct {
	mu    sync.Mutex
	all   places
	hosts map[string]*places
}

// places are taken by connections.
type places struct{ open, unknown int }

// How many there may be.
const (
	maxOpen        = 4096 // connections
	maxOpenHost    = 1024 // of one host
	maxUnknown     = 512  // connections that have not shown who they are
	maxUnknownHost = 128  // of one host
)

func newCrowd() *crowd { return &crowd{hosts: make(map[string]*places)} }

// enter takes a place for a connection that has not shown who it is.
func (c *crowd) enter(host string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hosts[host]
	if h == nil {
		h = &places{}
	}
	if h.open >= maxOpenHost || c.all.open >= maxOpen {
		return fmt.Errorf("%d connections are open, %d of them from this host: no more are taken", c.all.open, h.open)
	}
	if h.unknown >= maxUnknownHost || c.all.unknown >= maxUnknown {
		return fmt.Errorf("%d connections have not shown who they are, %d of them from this host: no more are taken", c.all.unknown, h.unknown)
	}
	c.hosts[host] = h
	c.all.add(1, 1)
	h.add(1, 1)
	return nil
}

// known says that one has shown who it is, or that nobody has to.
func (c *crowd) known(host string) { c.change(host, 0) }

// leave gives the place of a known one back.
func (c *crowd) leave(host string) { c.change(host, -1) }

func (c *crowd) change(host string, open int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, unknown := c.hosts[host], 0
	if open == 0 {
		unknown = -1
	}
	c.all.add(open, unknown)
	h.add(open, unknown)
	if *h == (places{}) {
		delete(c.hosts, host)
	}
}

func (p *places) add(open, unknown int) {
	p.open += open
	p.unknown += unknown
}

// hostOf is the address of the other end, without the port.
func hostOf(conn net.Conn) string {
	host, _, err := net.SplitHostPort(conn.RemoteAddr().String())
	if err != nil {
		return conn.RemoteAddr().String()
	}
	return host
}
