package cluster

import (
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/rs/zerolog"
)

// faults remembers why members could not be talked to when this process connected to them last: gRPC tries again and again,
// and says nothing. A nil faults knows none.
type faults struct {
	log     zerolog.Logger
	members *roster
	mu      sync.Mutex
	at      map[string]error // by address, of members only
}

func newFaults(members *roster, log zerolog.Logger) *faults {
	return &faults{log: log, members: members, at: make(map[string]error)}
}

// note remembers a fault, and logs it unless it is the same as before. Nil: there is none.
func (f *faults) note(address string, fault error) {
	_, isMember := f.members.member(address)
	f.mu.Lock()
	before := f.at[address]
	if fault != nil && isMember {
		f.at[address] = fault
	} else {
		delete(f.at, address)
	}
	f.mu.Unlock()
	switch {
	case fault == nil:
	case !isMember:
		f.log.Debug().Str("peer", address).Err(fault).Msg("no connection to this client")
	case before == nil || before.Error() != fault.Error():
		f.log.Warn().Str("peer", address).Err(fault).Msg("no connection to this member")
	}
}

// of returns the fault of the last try; nil: there was none.
func (f *faults) of(address string) error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at[address]
}

// ofAll joins the faults of these members, if each of them has one.
func (f *faults) ofAll(members []Member) error {
	var all []error
	for _, m := range members {
		fault := f.of(m.Address)
		if fault == nil {
			return nil
		}
		all = append(all, fmt.Errorf("member %d at %s: %w", m.ID, m.Address, fault))
	}
	return errors.Join(all...)
}

// isAlert says whether an error is what the other end of TLS said before it hung up.
func isAlert(err error) bool {
	var said *net.OpError
	return errors.As(err, &said) && said.Op == "remote error"
}
