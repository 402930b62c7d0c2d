package cluster

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"

	"github.com/rs/zerolog"
	grpccodes "google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/log"
)

// whereabouts leads connections to members that are elsewhere than the member list says. To everything above it, the address in
// the list is a member's name, and stays what it is.
//
// What discovery says may be wrong, and so may be the list, so nothing is believed until the member itself has answered: a
// connection that leads to anybody else is ended, and the next place is tried. The one where it answered last comes first.
//
// A nil whereabouts goes where the addresses say.
type whereabouts struct {
	directory *discovery.Directory
	members   *roster
	near      bool // nothing is encrypted: only places on this machine are gone to, as the list may name no others
	log       zerolog.Logger

	mu   sync.Mutex
	ways map[string]*way // by the address in the list
}

// way is how a member is reached.
type way struct {
	good string // where it answered last; empty: nowhere yet
	last string // where the last connection led
	bad  int    // connections since then at whose end it was not
}

// newWhereabouts follows a source; nil without one.
func newWhereabouts(source discovery.Source, members *roster, s Security, logger zerolog.Logger) *whereabouts {
	if source == nil {
		return nil
	}
	return &whereabouts{
		directory: discovery.Follow(source, logger), members: members, near: s.isPlain() && !s.Insecure, log: logger,
		ways: make(map[string]*way),
	}
}

// announce makes known where this member is.
func (w *whereabouts) announce(id log.ReplicaID, address string) {
	if w != nil {
		w.directory.Announce(discovery.Place{Member: id, Address: address})
	}
}

// close takes back what was announced.
func (w *whereabouts) close() {
	if w != nil {
		w.directory.Close()
	}
}

// places are where a member may be, the likeliest first.
func (w *whereabouts) places(address string) []string {
	id, isMember := w.members.member(address)
	if !isMember {
		return []string{address}
	}
	found := slices.DeleteFunc(w.directory.Resolve(id), func(place string) bool { return w.near && !isLoopback(place) })
	w.mu.Lock()
	defer w.mu.Unlock()
	var places []string
	if way := w.ways[address]; way != nil && way.good != "" {
		places = append(places, way.good)
	}
	for _, place := range append(found, address) {
		if !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	if way := w.ways[address]; way != nil { // those where it was not come last
		turn := way.bad % len(places)
		places = append(places[turn:], places[:turn]...)
	}
	return places
}

// dial connects to the member that an address means.
func (w *whereabouts) dial(ctx context.Context, address string) (net.Conn, error) {
	if w == nil {
		return dialPlace(ctx, address)
	}
	conn, place, err := race(ctx, w.places(address))
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ways[address] == nil {
		w.ways[address] = &way{}
	}
	w.ways[address].last = place
	w.ways[address].bad++ // until it answers
	return conn, nil
}

// met remembers where a member answered.
func (w *whereabouts) met(address string) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	way := w.ways[address]
	if way == nil {
		return
	}
	if way.good != way.last && way.last != address {
		w.log.Info().Str("peer", address).Str("at", way.last).Msg("this member is reached elsewhere than the member list says")
	}
	way.good, way.bad = way.last, 0
}

// ownHost is outboundHost for members that may be where nothing in the list leads: then it waits for the source.
func (w *whereabouts) ownHost(ctx context.Context, addresses []string) (string, error) {
	host, err := outboundHost(addresses)
	if w == nil || err == nil {
		return host, err
	}
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	select {
	case <-w.directory.Told():
		return outboundHost(append(w.directory.All(), addresses...))
	case <-ctx.Done():
		return "", fmt.Errorf("%w; and the discovery said nothing: %w", err, ctx.Err())
	}
}

// meant is the name under which a stream says which member it is for.
const meant = "quorumlog-member"

// address has a stream say which member it is for.
func (w *whereabouts) address(ctx context.Context, address string) context.Context {
	if w == nil {
		return ctx
	}
	id, isMember := w.members.member(address)
	if !isMember {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, meant, strconv.Itoa(int(id)))
}

// misled says that a stream is for somebody else than this process.
func (a access) misled(ctx context.Context, own string) error {
	said, here := metadata.ValueFromIncomingContext(ctx, meant), a.members.members(own)
	isHere := func(id log.ReplicaID) bool { return said[0] == strconv.Itoa(int(id)) }
	if len(said) == 0 || len(here) == 0 && a.serves || slices.ContainsFunc(here, isHere) {
		return nil // nothing was said, or this member is in no list yet: the protocol tells it so
	}
	return status.Error(grpccodes.FailedPrecondition, "this process is not the member that is looked for")
}
