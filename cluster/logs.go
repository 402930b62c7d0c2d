package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/log/storage"
)

// LogConfig is what a member is given for one more log.
type LogConfig struct {
	// Name is what the log is called, the same for all members: from 1 to 63 lower-case letters, digits and hyphens, the first no hyphen.
	Name string
	// Members are those with whom the log begins, the same list for all of them, this one included, under the address that it has
	// already. Empty: Config.Members. Once they were changed in the log, that counts.
	Members []Member
	// AutoInitialize is Config.AutoInitialize for this log.
	AutoInitialize bool
	// AutoElect is Config.AutoElect for this log.
	AutoElect bool
	// Patience is how long the log's actors wait. Nil: Config.Patience.
	Patience *ensemble.Patience
}

// OpenLog has the member take part in one more log, beside those that it has: it makes the log, or joins it, or recovers what its disk
// lost of it. The node is returned as by Start; the others go on as they were, and end each for itself. A log that other
// members have, and this one not, does without it.
//
// The logs of a process share its address and connections, its directory, its syncs, and what it may copy from other members a
// second. A log is under the bounds of one, in memory too, and gets its part of the way to each peer: where the others send
// more than goes through, it waits for none of them.
//
// ErrLogOpen says that it is open already, ErrClosed that the node is closed. Where the log was opened on this disk before, its node goes on with
// what is there.
func (n *Node) OpenLog(ctx context.Context, l LogConfig) (*Node, error) {
	if err := l.validate(n.host.config); err != nil {
		return nil, fmt.Errorf("open a log: %w", err)
	}
	return n.host.open(ctx, l)
}

// Logs are the nodes of all logs of the process that have not stopped, this one among them, in the order of their names.
func (n *Node) Logs() []*Node { return n.host.logs() }

func (n *Node) label() string {
	if n.name == "" {
		return "without a name"
	}
	return n.name
}

func (l LogConfig) validate(c Config) error {
	if l.Name == "" {
		return errors.New("it has no name: the log without one is open since the start")
	}
	faults := []error{ValidateLog(l.Name)}
	if len(l.Members) > 0 {
		self, _ := c.self()
		faults = append(faults, validateMembers(l.Members))
		if !slices.Contains(l.Members, self) {
			faults = append(faults, fmt.Errorf("member %d at %s is not in the member list %s of the log", self.ID, self.Address, FormatMembers(l.Members)))
		}
	}
	return errors.Join(faults...)
}

// validateLogs says what is wrong with the names of Config.Logs.
func validateLogs(names []string) error {
	var faults []error
	for i, name := range names {
		switch {
		case name == "":
			faults = append(faults, errors.New("a log of Logs has no name: the log without one is there without being named"))
		case slices.Contains(names[:i], name):
			faults = append(faults, fmt.Errorf("the log %s is named twice", name))
		default:
			faults = append(faults, ValidateLog(name))
		}
	}
	if len(names) >= storage.MaxLogs {
		faults = append(faults, fmt.Errorf("%d logs are named: a member has at most %d, besides the one without a name", len(names), storage.MaxLogs-1))
	}
	return errors.Join(faults...)
}

// log is what a log of Logs is given.
func (c Config) log(name string) LogConfig {
	return LogConfig{Name: name, AutoInitialize: c.AutoInitialize, AutoElect: c.AutoElect}
}

// of is the configuration of one of the member's logs.
func (c Config) of(l LogConfig) Config {
	c.AutoInitialize, c.AutoElect = l.AutoInitialize, l.AutoElect
	if len(l.Members) > 0 {
		c.Members = l.Members
	}
	if l.Patience != nil {
		c.Patience = l.Patience
	}
	if l.Name != "" {
		c.Logger = c.Logger.With().Str("log", l.Name).Logger()
	}
	return c
}

// unopened says which logs are on the disk, and not open: to the others this member is not there.
func (h *host) unopened() {
	forgotten := slices.DeleteFunc(h.engine.Logs(), h.has)
	if len(forgotten) > 0 {
		h.config.Logger.Info().Strs("logs", forgotten).Str("data", h.config.Data).
			Msg("the data directory has logs that were not opened: this member takes no part in them until it is told to (--logs)")
	}
}

// listen lets others in, and says where this member is; once.
func (h *host) listen() {
	h.transport.open()
	h.announced.Do(func() { h.ways.announce(h.config.ID, h.config.announce(h.self)) })
}
