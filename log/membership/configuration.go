// Package membership says who the members of the log are, and how that may change.
//
// A log begins with the list that its members were started with: epoch 0, all of them voters. Every change is a value in
// the log, a CONFIG: it is chosen by the members of the configuration before it, alone at its position, and governs every
// position above that. The rules of it, and why no two quorums that matter miss each other, stand in docs/adr/0017.
package membership

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/quorumlog/quorumlog/log"
)

// MaxMembers is the number of members, observers included, that a configuration may have.
const MaxMembers = 64

// MaxAddress is how many bytes the address of a member may have.
const MaxAddress = 260

// MaxEpoch is the highest number of a configuration.
const MaxEpoch = 1 << 48

// Role says what a member is for.
type Role uint8

// The roles.
const (
	// Voter: its votes count.
	Voter Role = iota + 1
	// Observer: it is sent everything, and is never counted.
	Observer
)

// String names the role.
func (r Role) String() string {
	switch r {
	case Voter:
		return "voter"
	case Observer:
		return "observer"
	}
	return "unknown"
}

// Valid says whether r is one of the roles.
func (r Role) Valid() bool { return r == Voter || r == Observer }

// Member is one member of a configuration.
type Member struct {
	ID      log.ReplicaID
	Address string // host:port under which the other members reach it
	Role    Role
}

// Configuration is who the members are, from one change to the next. It is never changed in place.
type Configuration struct {
	Epoch   uint64        // counts the changes; 0 is what the members were started with
	Members []Member      // in the order of their ids
	Highest log.ReplicaID // the highest id that a member ever had: no id is given twice
}

// Seed is the configuration of a log whose members were never changed: all of them vote.
func Seed(members []Member) Configuration {
	c := Configuration{Members: slices.Clone(members)}
	slices.SortFunc(c.Members, byID)
	for i := range c.Members {
		c.Members[i].Role = Voter
		c.Highest = max(c.Highest, c.Members[i].ID)
	}
	return c
}

func byID(a, b Member) int { return cmp.Compare(a.ID, b.ID) }

// Member returns the member with an id.
func (c Configuration) Member(id log.ReplicaID) (Member, bool) {
	i, found := c.find(id)
	if !found {
		return Member{}, false
	}
	return c.Members[i], true
}

func (c Configuration) find(id log.ReplicaID) (int, bool) {
	return slices.BinarySearchFunc(c.Members, Member{ID: id}, byID)
}

// IDs are the ids of all members, in order.
func (c Configuration) IDs() []log.ReplicaID {
	return c.ids(func(Member) bool { return true })
}

// Voters are the ids of the members whose votes count, in order.
func (c Configuration) Voters() []log.ReplicaID {
	return c.ids(func(m Member) bool { return m.Role == Voter })
}

func (c Configuration) ids(which func(Member) bool) []log.ReplicaID {
	ids := make([]log.ReplicaID, 0, len(c.Members))
	for _, m := range c.Members {
		if which(m) {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// Heeds says whether somebody is believed who tells of a later configuration: a member of this one, or one that was never a
// member before. Who was removed is neither, for no id is given twice, and needs not be heard: a quorum of the others holds
// what it knows. In epoch 0 anybody is, as the list that a member is started with need not name all the others.
func (c Configuration) Heeds(id log.ReplicaID) bool {
	_, member := c.Member(id)
	return member || id > c.Highest || c.Epoch == 0
}

// Hash names a configuration that was chosen: members that have another one refuse each other.
func (c Configuration) Hash() uint64 {
	sum := sha256.Sum256([]byte("quorumlog configuration " + c.String()))
	return binary.BigEndian.Uint64(sum[:8])
}

// String writes the configuration, all of it, in one line.
func (c Configuration) String() string {
	parts := make([]string, len(c.Members))
	for i, m := range c.Members {
		parts[i] = fmt.Sprintf("%d=%s/%s", m.ID, m.Address, m.Role)
	}
	return fmt.Sprintf("epoch %d: %s; ids up to %d", c.Epoch, strings.Join(parts, ","), c.Highest)
}

// Equal says whether two configurations are the same.
func (c Configuration) Equal(o Configuration) bool {
	return c.Epoch == o.Epoch && c.Highest == o.Highest && slices.Equal(c.Members, o.Members)
}

// Validate says what is wrong with a configuration that is to be, or was, chosen: nil if nothing is.
func (c Configuration) Validate() error {
	if c.Epoch == 0 || c.Epoch > MaxEpoch {
		return fmt.Errorf("a configuration has an epoch from 1 to %d, not %d", uint64(MaxEpoch), c.Epoch)
	}
	if len(c.Members) > MaxMembers || len(c.Voters()) == 0 {
		return fmt.Errorf("a configuration has at most %d members, and one that votes: not %d of which %d vote",
			MaxMembers, len(c.Members), len(c.Voters()))
	}
	addresses := make(map[string]bool, len(c.Members))
	var before log.ReplicaID
	for _, m := range c.Members {
		if err := m.validate(); err != nil {
			return err
		}
		if m.ID <= before || m.ID > c.Highest || addresses[m.Address] {
			return fmt.Errorf("member %d at %s is out of order, there twice, or above the highest id %d", m.ID, m.Address, c.Highest)
		}
		before, addresses[m.Address] = m.ID, true
	}
	return nil
}

func (m Member) validate() error {
	host, port, found := cutLast(m.Address, ":")
	switch {
	case m.ID == 0:
		return errors.New("a member has an id from 1 to 65535, not 0")
	case !found || host == "" || port == "" || len(m.Address) > MaxAddress:
		return fmt.Errorf("member %d has the address %q: it is HOST:PORT, of at most %d bytes", m.ID, m.Address[:min(len(m.Address), MaxAddress)], MaxAddress)
	case !m.Role.Valid():
		return fmt.Errorf("member %d is neither a voter nor an observer", m.ID)
	}
	return nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
