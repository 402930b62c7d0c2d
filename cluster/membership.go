package cluster

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
)

// Member is one replica of the log, and where the others reach it.
type Member struct {
	ID      log.ReplicaID // from 1 to 65,535; never given to another replica
	Address string        // host:port, the same in every member's list
}

// ParseMembers reads a list as the flag --members takes it: 1=host:port,2=host:port,...
func ParseMembers(list string) ([]Member, error) {
	var members []Member
	for part := range strings.SplitSeq(list, ",") {
		name, address, found := strings.Cut(strings.TrimSpace(part), "=")
		id, err := strconv.ParseUint(name, 10, 16)
		if !found || err != nil {
			return nil, fmt.Errorf("%q is not a member: write ID=HOST:PORT with an ID from 1 to 65535", part)
		}
		members = append(members, Member{log.ReplicaID(id), address})
	}
	return members, validateMembers(members)
}

// FormatMembers writes a list as ParseMembers reads it, in the order of the ids.
func FormatMembers(members []Member) string { return ordered(members).String() }

// validateMembers joins all faults of a list.
func validateMembers(members []Member) error {
	var faults []error
	ids, addresses := map[log.ReplicaID]bool{}, map[string]bool{}
	if len(members) == 0 || len(members) > codec.MaxMembers {
		faults = append(faults, fmt.Errorf("a cluster has from 1 to %d members, not %d", codec.MaxMembers, len(members)))
	}
	for _, m := range members {
		host, port, err := net.SplitHostPort(m.Address)
		n, convErr := strconv.ParseUint(port, 10, 16)
		switch {
		case m.ID == 0:
			faults = append(faults, fmt.Errorf("the member at %s has the id 0: ids are from 1 to 65535", m.Address))
		case ids[m.ID]:
			faults = append(faults, fmt.Errorf("two members have the id %d: give each its own", m.ID))
		case addresses[m.Address]:
			faults = append(faults, fmt.Errorf("two members have the address %s: give each its own", m.Address))
		case err != nil || convErr != nil || host == "" || n == 0:
			faults = append(faults, fmt.Errorf("member %d has the address %q: write HOST:PORT as the other members reach it", m.ID, m.Address))
		}
		ids[m.ID], addresses[m.Address] = true, true
	}
	return errors.Join(faults...)
}

// ordered returns the list in the order of the ids.
func ordered(members []Member) codec.Members {
	list := make(codec.Members, len(members))
	for i, m := range members {
		list[i] = codec.Member(m)
	}
	slices.SortFunc(list, func(a, b codec.Member) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func ids(list codec.Members) []log.ReplicaID {
	out := make([]log.ReplicaID, len(list))
	for i, m := range list {
		out[i] = m.ID
	}
	return out
}

// configuration is the hash of a member list: members that disagree about it refuse each other.
func configuration(list codec.Members) uint64 {
	sum := sha256.Sum256([]byte("quorumlog members " + list.String()))
	return binary.BigEndian.Uint64(sum[:8])
}

// clusterID is what a cluster's name, and that of one of its logs, look like on the wire: members of different logs refuse each other.
func clusterID(cluster, name string) identity.ClusterID {
	text := "quorumlog cluster " + cluster
	if name != "" { // which has no space
		text = "quorumlog log " + name + " of cluster " + cluster
	}
	sum := sha256.Sum256([]byte(text))
	return identity.ClusterID(sum[:16])
}
