package cluster

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// Status is how a member is. Its JSON names are a contract.
type Status struct {
	ID          log.ReplicaID   `json:"id"`
	Address     string          `json:"address"` // as host:port, where the other members reach it
	Status      string          `json:"status"`  // EMPTY, STARTING, RECOVERING or VOTING; empty if unreachable
	Since       time.Time       `json:"since"`   // when the status was entered, by the member's clock
	Begin       log.Position    `json:"begin"`
	End         log.Position    `json:"end"`
	Learned     log.Position    `json:"learned"`           // up to where everything is learned
	Holes       uint64          `json:"holes"`             // positions from begin to end that are not learned
	Promised    string          `json:"promised"`          // the implicit promise, as round.replica
	Leader      bool            `json:"leader"`            // its coordinator is elected
	Writer      string          `json:"writer,omitempty"`  // the proposal that it writes under, as round.replica; empty if it does not
	Incarnation string          `json:"incarnation"`       // of its disk, as generation-disk
	Syncs       uint64          `json:"syncs"`             // that its disk has seen, since it was made
	Present     []log.ReplicaID `json:"present,omitempty"` // the members that it hears
	Reachable   bool            `json:"reachable"`         // it answered; else Error says why it did not
	// Configuration is the hash of the member list that the member was given; see Client.Configuration.
	Configuration string          `json:"configuration"`
	Role          string          `json:"role"`  // voter or observer, as far as the client knows
	Epoch         uint64          `json:"epoch"` // counts the changes of the members that it knows of
	Error         string          `json:"error"` // why it is not reachable, or what is wrong with it
	Catchup       CatchupProgress `json:"catchup"`
	Cluster       string          `json:"cluster"` // the name of its cluster; empty if unreachable
	// Gaps are the positions from begin to end that are not learned: at most 64 ranges, the last of which holds all the rest.
	Gaps []Gap `json:"gaps,omitempty"`
	// Appends tells of the entries that were appended through the member; how many a second takes two looks.
	Appends Appends `json:"appends"`
}

// Status asks every member how it is, all at once, in the order of their ids. A member that does not answer until the
// context ends, or for two seconds, is in the list, with why. Where the members were changed, it is those of now that are asked.
func (c *Client) Status(ctx context.Context) []Status {
	statuses := c.statuses(ctx)
	for _, s := range statuses {
		if s.Epoch <= c.epoch() {
			continue
		}
		if _, err := c.Membership(ctx); err == nil {
			return c.statuses(ctx)
		}
	}
	return statuses
}

// epoch counts the changes of the members that this client knows of.
func (c *Client) epoch() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed.Epoch
}

func (c *Client) statuses(ctx context.Context) []Status {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	list := ordered(c.Members())
	statuses := make([]Status, len(list))
	var group sync.WaitGroup
	for i, m := range list {
		group.Go(func() {
			s, err := c.statusOf(ctx, Member(m))
			if err != nil {
				s = Status{ID: m.ID, Address: m.Address, Error: err.Error()}
			}
			s.Role = c.role(m.ID)
			statuses[i] = s
		})
	}
	group.Wait()
	return statuses
}

// Configuration is the hash of the member list that this client goes by. A member with another one in its Status was given
// another list, unless one of the two knows of fewer changes of the members (Status.Epoch).
func (c *Client) Configuration() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed.Epoch > 0 {
		return fmt.Sprintf("%016x", c.changed.Hash())
	}
	return fmt.Sprintf("%016x", configuration(ordered(c.members)))
}

// StatusOf asks one member how it is.
func (c *Client) StatusOf(ctx context.Context, id log.ReplicaID) (Status, error) {
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	m, ok := c.member(id)
	if !ok {
		return Status{}, fmt.Errorf("no member has the id %d", id)
	}
	return c.statusOf(ctx, m)
}

func newProgress(p *messages.Progress) CatchupProgress {
	return CatchupProgress{
		Total: p.GetTotal(), Done: p.GetDone(), Bytes: p.GetBytes(), Elapsed: time.Duration(p.GetElapsedMicros()) * time.Microsecond,
		Rate: p.GetRate(), Left: time.Duration(p.GetLeftMicros()) * time.Microsecond,
	}
}

func newStatus(m Member, s *messages.StatusResponse) Status {
	out := Status{
		ID: m.ID, Address: m.Address, Configuration: fmt.Sprintf("%016x", s.GetConfiguration()), Since: time.UnixMicro(s.GetSinceUnixMicros()).UTC(), Reachable: true, Error: s.GetAdvice(),
		Begin: log.Position(s.GetBegin()), End: log.Position(s.GetEnd()), Learned: log.Position(s.GetLearned()), Holes: s.GetHoles(), Syncs: s.GetSyncs(),
		Promised: log.Proposal(s.GetPromised()).String(), Leader: s.GetWriter() > 0,
		Catchup: newProgress(s.GetCatchup()), Cluster: s.GetCluster(),
		Epoch:   s.GetEpoch(),
		Appends: Appends{Count: s.GetAppended(), Latencies: s.GetLatencies(), Bounds: s.GetLatencyBounds()},
	}
	for _, m := range s.GetGaps() {
		if gap, err := codec.DecodeRange(m); err == nil { // a member that says nonsense here is shown without
			out.Gaps = append(out.Gaps, Gap(gap))
		}
	}
	if out.Leader {
		out.Writer = log.Proposal(s.GetWriter()).String()
	}
	if st, err := codec.DecodeStatus(s.GetStatus()); err == nil {
		out.Status = st.String()
	}
	if i, err := codec.DecodeIncarnation(s.GetIncarnation()); err == nil {
		out.Incarnation = i.String()
	}
	for _, id := range s.GetPresent() {
		out.Present = append(out.Present, log.ReplicaID(id))
	}
	return out
}
