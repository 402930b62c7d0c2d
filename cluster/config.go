package cluster

import (
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/log"
)

// DefaultCluster is the name of a cluster that is given none.
const DefaultCluster = "quorumlog"

// Repair says what a start does with a data directory that is damaged and known to be this replica's.
type Repair string

const (
	// RepairAuto moves the damaged files aside, into a directory damaged-1 in the data directory, and makes a new replica
	// in their place, which recovers from the other members. It never starts a new log. A log of one or two members has
	// nobody to recover from: there it is as RepairNever.
	RepairAuto Repair = "auto"
	// RepairNever changes nothing: Start returns ErrCorrupt.
	RepairNever Repair = "never"
)

// leastToRepair is the number of members from which on the others are a quorum without the damaged one.
const leastToRepair = 3

// Config is what a member is given.
type Config struct {
	// ID is the local replica's id; it must be in Members.
	ID log.ReplicaID
	// Cluster is the cluster's name, the same for all members. Empty: DefaultCluster.
	Cluster string
	// Data is the data directory. It is made where there is none.
	Data string
	// Listen is the host:port to listen on. Empty: the member's own address in Members. It differs where that address
	// is one that only the others see.
	Listen string
	// Members are all replicas of the log, the local one included; the same list for all members.
	Members []Member
	// AutoInitialize lets replicas that are all new start a new log by themselves. Without it, an operator says so once
	// per replica (quorumlog initialize).
	AutoInitialize bool
	// AutoElect has this member elected where nobody is heard who writes, before any client asks; and as a writer it steps
	// aside where it hears no quorum, or its disk is far slower than the others', and hands over when it is closed. What
	// Writer and WriterOf ask for is done as without it. Members may differ in it.
	AutoElect bool
	// Logs are the names of more logs that the member has, besides the one without a name that all have; the same for all members, in
	// time. Each is a log of its own, with positions, a writer and members of its own, and begins with Members; what a log shares
	// with the others says OpenLog, which opens one that is not here. At most 63.
	Logs []string
	// Repair says what to do with a data directory that is damaged. Empty: RepairAuto.
	Repair Repair
	// CopyRate is how many bytes a second the member copies from the others at most, when it recovers or lags; 0 is no limit. What
	// an election lacks, or a client's catch-up, is copied without one. Node.LimitCopies changes it.
	CopyRate int64
	// System is an actor system that the program already has, with its remote started under the member's own address.
	// Nil: the node has its own. Listen, Security and Discovery are then not used: the program's remote has what it has.
	System *actor.ActorSystem
	// Security is how the members and their clients know each other. Empty: not at all, which is for the loopback only.
	Security Security
	// Discovery says where members are that are not where Members says, and is told where this one is. What it says is tried beside
	// the addresses in Members, which stay the members' names, the same for everybody; it says neither who is a member nor how
	// many make a quorum. Nil: members are where Members says.
	Discovery discovery.Source
	// Announce is the host:port that Discovery is told. Empty: Listen where that names a host, else the member's own address in
	// Members.
	Announce string
	// Patience is how long the member's actors wait. Nil: ensemble.Usual.
	Patience *ensemble.Patience
	// TracerProvider is where the spans of the appends through this node go, and of its recoveries. The span of the context that an
	// append, or Start, is given is the parent (docs/observability.md). Nil: there are none, and an append costs nothing more.
	TracerProvider trace.TracerProvider
	// MeterProvider is where protoactor's own metrics go: how long actors take for messages, their mailboxes, dead letters. Protoactor makes it
	// the provider of the whole process (otel.SetMeterProvider), and a message costs several times what it does without. Nil: there
	// are none; those of the log are Node.Collector's. A System that the program gives has its own.
	MeterProvider metric.MeterProvider
	// Logger is where the node logs. The zero Logger logs nothing. SlogLogger makes one of a logger of log/slog.
	Logger zerolog.Logger
}

// Validate joins all faults of the configuration.
func (c Config) Validate() error {
	var faults []error
	if c.Data == "" {
		faults = append(faults, errors.New("no data directory is given"))
	}
	if c.Repair != "" && c.Repair != RepairAuto && c.Repair != RepairNever {
		faults = append(faults, fmt.Errorf("repair is %q: it is one of %s, %s", c.Repair, RepairAuto, RepairNever))
	}
	if c.CopyRate < 0 {
		faults = append(faults, fmt.Errorf("the copy rate is %d bytes a second: it is 0 for no limit, or above", c.CopyRate))
	}
	if c.System != nil && c.MeterProvider != nil {
		faults = append(faults, errors.New("an actor system is given, and a provider of meters: give it to the system (actor.WithMetricProviders)"))
	}
	faults = append(faults, c.validateSecurity(), c.validateDiscovery(), validateLogs(c.Logs))
	if err := validateMembers(c.Members); err != nil {
		faults = append(faults, err)
	} else if _, ok := c.self(); !ok {
		faults = append(faults, fmt.Errorf("replica %d is not in the member list %s: give it the id of one of them",
			c.ID, FormatMembers(c.Members)))
	}
	return errors.Join(faults...)
}

func (c Config) validateSecurity() error {
	if c.System != nil {
		if !c.Security.isPlain() {
			return errors.New("an actor system is given, and certificates: give those to its remote")
		}
		return nil
	}
	addresses := make([]string, 0, len(c.Members)+1)
	for _, m := range c.Members {
		addresses = append(addresses, m.Address)
	}
	if c.Listen != "" {
		addresses = append(addresses, c.Listen)
	}
	return c.Security.Validate(addresses...)
}

func (c Config) validateDiscovery() error {
	switch {
	case c.Discovery == nil && c.Announce != "":
		return fmt.Errorf("%s is to be announced, and there is nothing to announce it to: give a discovery (--discovery)", c.Announce)
	case c.Discovery == nil:
		return nil
	case c.System != nil:
		return errors.New("an actor system is given, and a discovery: its remote goes where the member list says")
	}
	self, _ := c.self()
	if err := (discovery.Place{Member: c.ID, Address: c.announce(self)}).Validate(); err != nil && c.ID > 0 {
		return fmt.Errorf("what is to be announced: %w; say where the others reach this member (--announce HOST:PORT)", err)
	}
	return nil
}

// announce is where this member is said to be.
func (c Config) announce(self Member) string {
	if c.Announce != "" {
		return c.Announce
	}
	if host, _, err := net.SplitHostPort(c.Listen); err == nil && host != "" {
		if ip := net.ParseIP(host); ip == nil || !ip.IsUnspecified() {
			return c.Listen
		}
	}
	return self.Address
}

func (c Config) self() (Member, bool) {
	i := slices.IndexFunc(c.Members, func(m Member) bool { return m.ID == c.ID })
	if i < 0 {
		return Member{}, false
	}
	return c.Members[i], true
}

func (c Config) repairs() bool { return c.Repair != RepairNever && len(c.Members) >= leastToRepair }

func (c Config) cluster() string {
	if c.Cluster == "" {
		return DefaultCluster
	}
	return c.Cluster
}

func (c Config) listen(self Member) string {
	if c.Listen == "" {
		return self.Address
	}
	return c.Listen
}

func (c Config) patience() ensemble.Patience {
	if c.Patience == nil {
		return ensemble.Usual()
	}
	return *c.Patience
}
