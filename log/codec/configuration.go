package codec

import (
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/messages"
)

// EncodeConfiguration writes a configuration that was chosen; nil for one of epoch 0, which everybody was started with.
func EncodeConfiguration(c membership.Configuration) *messages.Configuration {
	if c.Epoch == 0 {
		return nil
	}
	m := &messages.Configuration{Epoch: c.Epoch, Highest: uint32(c.Highest)}
	for _, member := range c.Members {
		m.Members = append(m.Members, &messages.Member{
			Replica: uint32(member.ID), Address: member.Address, Role: messages.Role(member.Role),
		})
	}
	return m
}

// EncodeMembership writes who the members are for a client, also those that everybody was started with.
func EncodeMembership(c membership.Configuration) *messages.Configuration {
	epoch := c.Epoch
	c.Epoch = max(epoch, 1)
	m := EncodeConfiguration(c)
	m.Epoch = epoch
	return m
}

// DecodeMembership reads what EncodeMembership writes.
func DecodeMembership(m *messages.Configuration) (membership.Configuration, error) {
	epoch := m.GetEpoch()
	if m != nil && epoch == 0 {
		m = &messages.Configuration{Epoch: 1, Members: m.GetMembers(), Highest: m.GetHighest()}
	}
	c, err := DecodeConfiguration(m)
	c.Epoch = epoch
	return c, err
}

// EncodeChange writes a change of the members.
func EncodeChange(ch membership.Change) *messages.Change {
	return &messages.Change{Kind: messages.ChangeKind(ch.Kind), Replica: uint32(ch.ID), Address: ch.Address}
}

// DecodeChange reads a change of the members.
func DecodeChange(m *messages.Change) (ch membership.Change, err error) {
	if ch.ID, err = replica(m.GetReplica()); err != nil {
		return ch, err
	}
	if ch.Address = m.GetAddress(); len(ch.Address) > membership.MaxAddress {
		return ch, malformed("an address has at most %d bytes, not %d", membership.MaxAddress, len(ch.Address))
	}
	switch m.GetKind() {
	case messages.ChangeKind_CHANGE_KIND_ADD, messages.ChangeKind_CHANGE_KIND_PROMOTE, messages.ChangeKind_CHANGE_KIND_REMOVE:
		ch.Kind = membership.Kind(m.GetKind())
	case messages.ChangeKind_CHANGE_KIND_UNSPECIFIED:
	}
	if !ch.Kind.Valid() {
		err = malformed("%d is not a change of the members", m.GetKind())
	}
	return ch, err
}

// DecodeConfiguration reads a configuration that was, or is to be, chosen.
func DecodeConfiguration(m *messages.Configuration) (c membership.Configuration, err error) {
	if len(m.GetMembers()) > membership.MaxMembers {
		return c, malformed("a configuration has at most %d members, not %d", membership.MaxMembers, len(m.GetMembers()))
	}
	c.Epoch = m.GetEpoch()
	if c.Highest, err = replica(m.GetHighest()); err != nil {
		return c, err
	}
	for _, member := range m.GetMembers() {
		id, err := replica(member.GetReplica())
		if err != nil {
			return c, err
		}
		role := membership.Role(0)
		if member.GetRole() == messages.Role_ROLE_VOTER || member.GetRole() == messages.Role_ROLE_OBSERVER {
			role = membership.Role(member.GetRole())
		}
		c.Members = append(c.Members, membership.Member{ID: id, Address: member.GetAddress(), Role: role})
	}
	if err := c.Validate(); err != nil {
		return c, malformed("%v", err)
	}
	return c, nil
}

// DecodeConfigurationIfAny reads one that may be absent: it is of epoch 0 then, and has no members.
func DecodeConfigurationIfAny(m *messages.Configuration) (membership.Configuration, error) {
	if m == nil {
		return membership.Configuration{}, nil
	}
	return DecodeConfiguration(m)
}

// FormatConfiguration writes a configuration as the data of a CONFIG: the same bytes each time.
func FormatConfiguration(c membership.Configuration) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(EncodeConfiguration(c))
}

// ParseConfiguration reads the data of a CONFIG.
func ParseConfiguration(data []byte) (membership.Configuration, error) {
	m := &messages.Configuration{}
	if err := proto.Unmarshal(data, m); err != nil {
		return membership.Configuration{}, malformed("no configuration: %v", err)
	}
	return DecodeConfiguration(m)
}
