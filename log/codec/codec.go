// Package codec is the gateway between messages and the values of package log.
//
// A message is validated here, once. What passes holds every rule that log.proto states; what does not is an
// ErrMalformed, which the receiver answers with a refusal, and which changes nothing.
package codec

import (
	"errors"
	"fmt"
	"strings"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
)

// ErrMalformed: the message breaks a rule of the schema.
var ErrMalformed = errors.New("malformed message")

// ErrTooLarge: an entry has more than log.MaxEntry bytes, or a batch more than log.MaxRunBytes.
var ErrTooLarge = errors.New("entry too large")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// MaxMembers is the number of members that a member list may have.
const MaxMembers = membership.MaxMembers

// MaxCount is the highest generation of a disk, number of its starts, or number of its syncs. No disk counts so far: a sync
// takes some 10 microseconds at least, which makes 89 years. What counts further would leave nothing above it.
const MaxCount = 1 << 48

// Envelope is who a message comes from and which request it belongs to.
type Envelope struct {
	From    identity.Identity
	Request uint64          // the number that whoever asks gave to its request; its answers repeat it
	Known   identity.Vector // on answers: the crash vector
}

// EncodeHeader writes the header of a message. Known is for answers.
func EncodeHeader(from identity.Identity, request uint64, known identity.Vector) *messages.Header {
	h := &messages.Header{
		Cluster:       from.Cluster[:],
		Configuration: from.Configuration,
		Replica:       uint32(from.Replica),
		Incarnation:   EncodeIncarnation(from.Incarnation),
		Boot:          from.Boot,
		Process:       from.Process,
		Request:       request,
		BootAge:       from.BootAge,
		Age:           from.Age,
		Epoch:         from.Epoch,
	}
	if len(known) > 0 {
		h.CrashVector = encodeVector(known)
	}
	return h
}

// encodeVector makes all rows at once: every answer has some.
func encodeVector(known identity.Vector) []*messages.Known {
	made := make([]struct {
		row         messages.Known
		incarnation messages.Incarnation
	}, len(known))
	rows := make([]*messages.Known, len(known))
	for i, k := range known {
		m := &made[i]
		m.incarnation.Generation, m.incarnation.Disk = k.Incarnation.Generation, k.Incarnation.Disk
		m.row.Replica, m.row.Incarnation = uint32(k.Replica), &m.incarnation
		rows[i] = &m.row
	}
	return rows
}

// DecodeHeader reads the header of a message.
func DecodeHeader(h *messages.Header) (Envelope, error) {
	if h == nil {
		return Envelope{}, malformed("no header")
	}
	e := Envelope{Request: h.GetRequest()}
	e.From.Configuration, e.From.Boot, e.From.Process = h.GetConfiguration(), h.GetBoot(), h.GetProcess()
	if copy(e.From.Cluster[:], h.GetCluster()) != len(e.From.Cluster) || len(h.GetCluster()) != len(e.From.Cluster) {
		return Envelope{}, malformed("a cluster id has %d bytes, not %d", len(e.From.Cluster), len(h.GetCluster()))
	}
	e.From.BootAge, e.From.Age = h.GetBootAge(), h.GetAge()
	if e.From.Epoch = h.GetEpoch(); e.From.Epoch > membership.MaxEpoch {
		return Envelope{}, malformed("an epoch is at most %d, not %d", uint64(membership.MaxEpoch), e.From.Epoch)
	}
	if err := started(e.From.Boot, e.From.BootAge, e.From.Age); err != nil {
		return Envelope{}, err
	}
	var err error
	if e.From.Replica, err = replica(h.GetReplica()); err != nil {
		return Envelope{}, err
	}
	if e.From.Incarnation, err = DecodeIncarnation(h.GetIncarnation()); err != nil {
		return Envelope{}, err
	}
	e.Known, err = vector(h.GetCrashVector())
	return e, err
}

// EncodeIncarnation writes an incarnation.
func EncodeIncarnation(i identity.Incarnation) *messages.Incarnation {
	return &messages.Incarnation{Generation: i.Generation, Disk: i.Disk}
}

// DecodeIncarnation reads an incarnation.
func DecodeIncarnation(i *messages.Incarnation) (identity.Incarnation, error) {
	if i.GetGeneration() == 0 || i.GetGeneration() > MaxCount {
		return identity.Incarnation{}, malformed("an incarnation has a generation from 1 to %d, not %d", uint64(MaxCount), i.GetGeneration())
	}
	return identity.Incarnation{Generation: i.GetGeneration(), Disk: i.GetDisk()}, nil
}

func vector(rows []*messages.Known) (identity.Vector, error) {
	if len(rows) > MaxMembers {
		return nil, malformed("a crash vector has at most %d rows, not %d", MaxMembers, len(rows))
	}
	if len(rows) == 0 {
		return nil, nil
	}
	v := make(identity.Vector, 0, len(rows))
	for _, row := range rows {
		id, err := replica(row.GetReplica())
		if err != nil {
			return nil, err
		}
		i, err := DecodeIncarnation(row.GetIncarnation())
		if err != nil {
			return nil, err
		}
		if len(v) > 0 && v[len(v)-1].Replica >= id {
			return nil, malformed("the rows of a crash vector are in the order of the ids")
		}
		v = append(v, identity.Known{Replica: id, Incarnation: i})
	}
	return v, nil
}

func replica(id uint32) (log.ReplicaID, error) {
	if id == 0 || id > 1<<16-1 {
		return 0, malformed("a replica id is from 1 to 65535, not %d", id)
	}
	return log.ReplicaID(id), nil
}

func proposal(p uint64) (log.Proposal, error) {
	by := log.Proposal(p)
	if by.Round() == 0 || by.Replica() == 0 {
		return 0, malformed("a proposal has a round and a replica, not %d", p)
	}
	return by, nil
}

// EncodeReign writes a reign; nil for none.
func EncodeReign(r log.Reign) *messages.Reign {
	if r == (log.Reign{}) {
		return nil
	}
	return &messages.Reign{Proposal: uint64(r.By), First: uint64(r.First)}
}

// DecodeReign reads a reign that may be absent.
func DecodeReign(m *messages.Reign) (r log.Reign, err error) {
	if m == nil {
		return r, nil
	}
	if r.By, err = proposal(m.GetProposal()); err != nil {
		return r, err
	}
	if r.First = log.Position(m.GetFirst()); r.First == 0 {
		return r, malformed("a reign has a first position")
	}
	return r, nil
}

func encodeRange(r log.Range) *messages.Range {
	if r.Empty() {
		return nil
	}
	return &messages.Range{First: uint64(r.First), Last: uint64(r.Last)}
}

// decodeRange reads a range that must be there.
func decodeRange(m *messages.Range) (log.Range, error) {
	r := log.Range{First: log.Position(m.GetFirst()), Last: log.Position(m.GetLast())}
	if r.Empty() || r.Last > log.MaxPosition {
		return log.Range{}, malformed("a range has positions from 1 to %d in order, not %d to %d", log.MaxPosition, r.First, r.Last)
	}
	return r, nil
}

// decodeRangeIfAny reads a range that may be absent.
func decodeRangeIfAny(m *messages.Range) (log.Range, error) {
	if m == nil {
		return log.Range{}, nil
	}
	return decodeRange(m)
}

// decodeRun reads a range that names at most log.MaxRun positions.
func decodeRun(m *messages.Range) (log.Range, error) {
	r, err := decodeRange(m)
	if err == nil && r.Len() > log.MaxRun {
		err = malformed("a run has at most %d positions, not %d", log.MaxRun, r.Len())
	}
	return r, err
}

var toStatus = map[messages.Status]status.Status{
	messages.Status_STATUS_EMPTY: status.Empty, messages.Status_STATUS_STARTING: status.Starting,
	messages.Status_STATUS_RECOVERING: status.Recovering, messages.Status_STATUS_VOTING: status.Voting,
}

// EncodeStatus writes a status.
func EncodeStatus(s status.Status) messages.Status { return messages.Status(s) }

// DecodeStatus reads a status.
func DecodeStatus(m messages.Status) (status.Status, error) {
	s, ok := toStatus[m]
	if !ok {
		return 0, malformed("%d is not a status", m)
	}
	return s, nil
}

func encodeRefused(r identity.Refusal) *messages.Refused {
	m := &messages.Refused{Reason: messages.Reason(r.Reason), Detail: cut(r.Detail), Votes: r.Votes, Alive: r.Alive}
	if r.Known.Generation > 0 {
		m.Known = EncodeIncarnation(r.Known)
	}
	return m
}

const maxDetail = 1 << 10

// cut returns the first part of a text for people, at most maxDetail bytes. Half a character at its end goes as well: a
// message with one in it cannot be sent.
func cut(detail string) string {
	if len(detail) <= maxDetail {
		return detail
	}
	return strings.ToValidUTF8(detail[:maxDetail], "")
}

func decodeRefused(m *messages.Refused) (identity.Refusal, error) {
	r := identity.Refusal{Detail: cut(m.GetDetail()), Votes: m.GetVotes(), Alive: m.GetAlive()}
	if m.GetReason() < 0 || m.GetReason() > messages.Reason(identity.OutOfBounds) || !identity.Reason(m.GetReason()).Valid() {
		return r, malformed("%d is not a reason", m.GetReason())
	}
	r.Reason = identity.Reason(m.GetReason())
	if m.GetKnown() != nil {
		var err error
		if r.Known, err = DecodeIncarnation(m.GetKnown()); err != nil {
			return r, err
		}
	}
	return r, nil
}
