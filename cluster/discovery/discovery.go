// Package discovery says where members are, for those that move: under another address than the one in the member list.
//
// Who is a member, and how many make a quorum, it never says: that stays with the configuration and the log. There the address
// of a member is its name; here is where the member of that name is reached now. Whoever connects tries what was found and what
// is configured, and goes on with the one where the member itself answers. So a source that is gone, late or wrong delays a
// connection at most (docs/adr/0025).
//
//	discovery.go                 Source: what is asked; Places: what it says
//	directory.go                 Directory follows a source, and remembers
//	static/  file/  dns/         lists that somebody else writes
//	etcd/  consul/  zookeeper/   members announce themselves; node.go: as protoactor's cluster providers do
//	kubernetes/                  members label their pods
//	automanaged/                 members say it themselves to whoever asks
package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/quorumlog/quorumlog/log"
)

// Limits on what is believed of a source.
const (
	// MaxMembers is of how many members the places are kept.
	MaxMembers = 1024
	// MaxPlaces is how many places of one member are kept: while it moves it may be said to be at two.
	MaxPlaces  = 4
	maxAddress = 260 // bytes; as in the log
)

// Place is where a member is.
type Place struct {
	Member  log.ReplicaID
	Address string // host:port under which the other members, and clients, reach it
}

// Validate says what is wrong with a place.
func (p Place) Validate() error {
	if p.Member == 0 {
		return errors.New("0 is no member's id: ids are from 1 to 65535")
	}
	host, port, err := net.SplitHostPort(p.Address)
	n, convErr := strconv.ParseUint(port, 10, 16)
	if err != nil || convErr != nil || host == "" || n == 0 || len(p.Address) > maxAddress {
		return fmt.Errorf("member %d is not at %.300q: that is no HOST:PORT", p.Member, p.Address)
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return fmt.Errorf("member %d is not at %s: that is all addresses of a machine, and names none", p.Member, p.Address)
	}
	return nil
}

// Places are where members are. A member may have several: the first one is tried first.
type Places map[log.ReplicaID][]string

// Add adds a place behind the others. One that is no place, is there already, or is one too many is left out.
func (p Places) Add(at Place) {
	have := p[at.Member]
	full := len(have) >= MaxPlaces || have == nil && len(p) >= MaxMembers
	if !full && !slices.Contains(have, at.Address) && at.Validate() == nil {
		p[at.Member] = append(have, at.Address)
	}
}

// Source is something that knows where members are. Its methods are safe for many goroutines, and return soon after their context
// has ended. What they return before is a fault: they are then called again, after a pause, as long as somebody wants to know.
type Source interface {
	// Announce makes known where a member is, until the context ends or that is no longer certain; then it takes it back. A source
	// that others write waits for the context and does nothing.
	Announce(ctx context.Context, own Place) error
	// Watch tells where the members are, all of them, at first and whenever that changes, until the context ends.
	Watch(ctx context.Context, found func(Places)) error
}

// Written is the part of a Source that announces nothing: others say where the members are.
type Written struct{}

// Announce implements Source.
func (Written) Announce(ctx context.Context, _ Place) error {
	<-ctx.Done()
	return nil
}
