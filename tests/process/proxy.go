package process

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// proxies are a network for whoever may not make hosts: before every member there is a proxy, under the address that all
// others know. It tells by the greeting of a connection whose it is, since that names the address to answer to. A stream
// that is cut stands still, and goes on when it heals; connections can also be reset, or be left half open.
type proxies struct {
	t testing.TB

	mu        sync.Mutex
	all       map[int]*proxy // by the member that it is before
	random    *rand.Rand
	qualities map[[2]int]Quality
	changed   chan struct{} // closed when a quality changes
}

func newProxies(t testing.TB, n int, seed uint64) *proxies {
	t.Helper()
	p := &proxies{
		t: t, all: make(map[int]*proxy), random: rand.New(rand.NewPCG(seed, 0)), qualities: make(map[[2]int]Quality), changed: make(chan struct{}),
	}
	for id := 1; id <= n; id++ {
		p.grow(id)
	}
	return p
}

// grow makes a proxy before a member that the network has none of, and returns its address.
func (p *proxies) grow(id int) string {
	p.t.Helper()
	address, target := p.unused()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		p.t.Fatal(err)
	}
	one := &proxy{network: p, id: id, listener: listener, target: target, open: make(map[*connection]bool)}
	p.mu.Lock()
	p.all[id] = one
	p.mu.Unlock()
	p.t.Cleanup(one.close)
	go one.accept()
	return address
}

// unused are two addresses that nobody listens on, nor a member will that is away at the moment.
func (p *proxies) unused() (address, target string) {
	for {
		free := FreePorts(p.t, 2)
		taken := false
		for _, one := range p.each() {
			taken = taken || one.target == free[0] || one.target == free[1]
		}
		if !taken {
			return free[0], free[1]
		}
	}
}

// shrink ends the proxy of a member that is none any more.
func (p *proxies) shrink(id int) {
	p.at(id).close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, id)
	maps.DeleteFunc(p.qualities, func(line [2]int, _ Quality) bool { return line[0] == id || line[1] == id })
}

// at is the proxy before a member.
func (p *proxies) at(id int) *proxy {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all[id]
}

// each is all of them, in the order of the members' ids.
func (p *proxies) each() (all []*proxy) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(p.all)) {
		all = append(all, p.all[id])
	}
	return all
}

// Set implements Network.
func (p *proxies) Set(from, to int, q Quality) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.qualities[[2]int{from, to}] = q
	close(p.changed)
	p.changed = make(chan struct{})
}

// Addresses implements Network.
func (p *proxies) Addresses() []string {
	var addresses []string
	for _, one := range p.each() {
		addresses = append(addresses, one.listener.Addr().String())
	}
	return addresses
}

// Launch implements Network.
func (*proxies) Launch(_ int, command *exec.Cmd) error { return command.Start() }

// Flags implements Network.
func (p *proxies) Flags(id int) []string { return []string{"--listen", p.at(id).target} }

// Kind implements Network.
func (*proxies) Kind() string { return "proxies" }

// Reset ends all connections to a member in the middle of what they say next.
func (p *proxies) Reset(id int) { p.at(id).each(func(c *connection) { c.fate.Store(torn) }) }

// HalfOpen has the member's end of all connections to it gone, and nobody told: whatever is sent is swallowed. What is
// connected later is well.
func (p *proxies) HalfOpen(id int) {
	p.at(id).each(func(c *connection) {
		c.fate.Store(swallowed)
		_ = c.far.Close() // the member is told, its peer is not
	})
}

// gate waits until a chunk may pass, and says false if the connection ended before.
func (p *proxies) gate(c *connection, from, to int) bool {
	for {
		p.mu.Lock()
		q, changed := p.qualities[[2]int{from, to}], p.changed
		wait := q.wait(p.random.Float64)
		if q.Loss > 0 && p.random.Float64() < q.Loss {
			wait += resent
		}
		p.mu.Unlock()
		if !q.Cut {
			return c.pause(wait)
		}
		select {
		case <-changed:
		case <-c.over:
			return false
		}
	}
}

// sender is the member whose address is in what a connection has said; 0 if none is: a client.
func (p *proxies) sender(said []byte, to int) int {
	for _, one := range p.each() {
		if one.id != to && bytes.Contains(said, []byte(one.listener.Addr().String())) {
			return one.id
		}
	}
	return 0
}

// proxy takes the connections to one member.
type proxy struct {
	network  *proxies
	id       int
	listener net.Listener
	target   string // where the member listens

	mu   sync.Mutex
	open map[*connection]bool
}

func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = reset(near) // the member does not run: whoever connects is to see it
			continue
		}
		c := &connection{proxy: p, near: near, far: far, over: make(chan struct{})}
		p.mu.Lock()
		p.open[c] = true
		p.mu.Unlock()
		go c.forth()
		go c.back()
	}
}

func (p *proxy) each(do func(*connection)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		do(c)
	}
}

func (p *proxy) close() {
	_ = p.listener.Close() // nobody connects any more
	p.each(func(c *connection) { go c.end() })
}

// fate is what becomes of a connection.
const (
	well      int32 = iota
	torn            // it is reset after half of the next chunk
	swallowed       // whatever is said on it is dropped
)

// connection is one connection to a member.
type connection struct {
	proxy     *proxy
	near, far net.Conn // of whoever connected, and of the member
	from      atomic.Int32
	fate      atomic.Int32
	once      sync.Once
	over      chan struct{}
}

// mostSaid is how much of a connection is searched for a greeting.
const (
	mostSaid = 4 << 10
	chunk    = 64 << 10
)

// forth hands on what is said to the member. What belongs to a member is found before it is handed on.
func (c *connection) forth() {
	defer c.end()
	var said []byte
	buffer := make([]byte, chunk)
	for {
		n, err := c.near.Read(buffer)
		if n > 0 && len(said) < mostSaid && c.from.Load() == 0 {
			said = append(said, buffer[:n]...)
			c.from.Store(int32(c.proxy.network.sender(said, c.proxy.id)))
		}
		if !c.pass(c.far, buffer[:n], int(c.from.Load()), c.proxy.id) || err != nil {
			return
		}
	}
}

// back hands on what the member says.
func (c *connection) back() {
	buffer := make([]byte, chunk)
	for {
		n, err := c.far.Read(buffer)
		if c.fate.Load() == swallowed {
			return // the other side is not told
		}
		if !c.pass(c.near, buffer[:n], c.proxy.id, int(c.from.Load())) || err != nil {
			c.end()
			return
		}
	}
}

// pass hands on a chunk, and says whether the connection goes on.
func (c *connection) pass(to net.Conn, what []byte, from, host int) bool {
	if len(what) > 0 && !c.proxy.network.gate(c, from, host) {
		return false
	}
	switch c.fate.Load() {
	case swallowed:
		return true
	case torn:
		_, _ = to.Write(what[:len(what)/2]) // the rest never comes
		return false
	}
	_, err := to.Write(what)
	return err == nil
}

// pause waits, and says false if the connection ended before.
func (c *connection) pause(d time.Duration) bool {
	if d == 0 {
		return true
	}
	select {
	case <-time.After(d):
		return true
	case <-c.over:
		return false
	}
}

func (c *connection) end() {
	c.once.Do(func() {
		close(c.over)
		end := net.Conn.Close
		if c.fate.Load() == torn {
			end = reset
		}
		_, _ = end(c.near), end(c.far) // it is over either way
		c.proxy.mu.Lock()
		defer c.proxy.mu.Unlock()
		delete(c.proxy.open, c)
	})
}

// reset ends a connection at once, with whatever is on its way.
func reset(c net.Conn) error {
	if tcp, ok := c.(*net.TCPConn); ok {
		if err := tcp.SetLinger(0); err != nil {
			return fmt.Errorf("reset a connection: %w", err)
		}
	}
	return c.Close()
}
