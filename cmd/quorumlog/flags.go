package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// settings is what can be set, for all commands together; each uses some.
type settings struct {
	config         string
	cluster        string
	log            logFlag
	logs           logList
	members        memberList
	data           string
	id             uint16
	listen         string
	http           string
	actorMetrics   bool
	autoInitialize bool
	autoElect      bool
	repair         repair
	copyRate       copyRate
	security       cluster.Security
	discovery      string
	announce       string
	timeout        time.Duration
	output         format
	logLevel       level
	logFormat      logFormat
}

// setting marks flags that the environment and the file may set too.
const setting = "quorumlog.setting"

// own adds one of our flags, and says whether it can be set elsewhere too.
func own(command *cobra.Command, name string, elsewhere bool) {
	if elsewhere {
		flag := command.Flags().Lookup(name)
		flag.Annotations = map[string][]string{setting: nil}
		flag.Usage += " [" + variable(name) + "]"
	}
}

func (s *settings) addConfig(command *cobra.Command) {
	command.Flags().StringVar(&s.config, "config", "", "YAML `file` with settings: the keys are the names of the flags")
	own(command, "config", true)
}

func (s *settings) addMembers(command *cobra.Command) {
	s.addConfig(command)
	command.Flags().Var(&s.members, "members", "all members of the log, as `ID=HOST:PORT,...`, the same list for everybody")
	own(command, "members", true)
}

func (s *settings) addCluster(command *cobra.Command) {
	command.Flags().StringVar(&s.cluster, "cluster", cluster.DefaultCluster, "`name` of the cluster, the same for all members")
	own(command, "cluster", true)
}

// addLog adds which log is meant, of those that the members have.
func (s *settings) addLog(command *cobra.Command) {
	command.Flags().Var(&s.log, "log", "`name` of the log, where the members have several (serve --logs); the one without a name without it")
	own(command, "log", true)
}

// addLogs adds which logs a member has.
func (s *settings) addLogs(command *cobra.Command) {
	command.Flags().Var(&s.logs, "logs", "`names` of more logs that the member has besides the one without a name, as a,b,...; the same for all members")
	own(command, "logs", true)
}

func (s *settings) addID(command *cobra.Command) {
	command.Flags().Var((*idFlag)(&s.id), "id", "`id` of the replica: one of --members")
	own(command, "id", true)
}

// addData adds the data directory. Where it is one of two ways to say what is meant, only the flag says it.
func (s *settings) addData(command *cobra.Command, text string, elsewhere bool) {
	command.Flags().StringVar(&s.data, "data", "", text)
	own(command, "data", elsewhere)
}

func (s *settings) addTimeout(command *cobra.Command) {
	s.timeout = cluster.DefaultTimeout
	command.Flags().Var((*timeoutFlag)(&s.timeout), "timeout", "how long to wait for the log to answer a request")
	own(command, "timeout", true)
}

func (s *settings) addOutput(command *cobra.Command) {
	s.output = table
	command.Flags().VarP(&s.output, "output", "o", "`format` of what is printed: table, json or ndjson")
	own(command, "output", true)
	enumerate(command, "output", table, asJSON, ndjson)
}

// addClient adds what every command needs that works with a running log.
func (s *settings) addClient(command *cobra.Command) {
	s.addMembers(command)
	s.addLog(command)
	s.addSecurity(command)
	s.addDiscovery(command)
	s.addTimeout(command)
	s.addOutput(command)
}

// client returns a client of the log that is meant.
func (p *program) client(ctx context.Context) (*cluster.Client, error) {
	if len(p.members) == 0 {
		return nil, errNoMembers()
	}
	if err := p.security.Validate(p.members.addresses()...); err != nil {
		return nil, usage(err)
	}
	source, err := p.source()
	if err != nil {
		return nil, err
	}
	return cluster.Dialer{Log: string(p.log), Security: p.security, Discovery: source}.Dial(ctx, p.members)
}

func errNoMembers() error {
	return usagef("no members are given: say --members ID=HOST:PORT,..., or set %s", variable("members"))
}

// limited bounds one request to the log.
func (p *program) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, p.timeout)
}

// replicaIDs returns the ids of the members in order.
func (m memberList) replicaIDs() []log.ReplicaID {
	ids := make([]log.ReplicaID, len(m))
	for i, member := range m {
		ids[i] = member.ID
	}
	slices.Sort(ids)
	return ids
}

func (m memberList) addresses() []string {
	addresses := make([]string, len(m))
	for i, member := range m {
		addresses[i] = member.Address
	}
	return addresses
}

// memberList is --members as a flag.
type memberList []cluster.Member

var _ pflag.Value = (*memberList)(nil)

// String implements pflag.Value.
func (m *memberList) String() string {
	if len(*m) == 0 {
		return ""
	}
	return cluster.FormatMembers(*m)
}

// Set implements pflag.Value.
func (m *memberList) Set(text string) error {
	list, err := cluster.ParseMembers(text)
	if err == nil {
		*m = list
	}
	return err
}

// Type implements pflag.Value.
func (m *memberList) Type() string { return "members" }

// idFlag is the id of a replica as a flag: 0 is none.
type idFlag log.ReplicaID

// String implements pflag.Value.
func (f *idFlag) String() string { return strconv.Itoa(int(*f)) }

// Set implements pflag.Value.
func (f *idFlag) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return fmt.Errorf("an id is a number from 1 to %d", math.MaxUint16)
	}
	*f = idFlag(n)
	return nil
}

// Type implements pflag.Value.
func (f *idFlag) Type() string { return "id" }

// timeoutFlag is a duration above 0 as a flag.
type timeoutFlag time.Duration

// String implements pflag.Value.
func (f *timeoutFlag) String() string { return time.Duration(*f).String() }

// Set implements pflag.Value.
func (f *timeoutFlag) Set(text string) error {
	d, err := time.ParseDuration(text)
	_, unitless := strconv.ParseUint(text, 10, 64)
	switch {
	case err == nil && d > 0:
		*f = timeoutFlag(d)
		return nil
	case err == nil, strings.HasPrefix(text, "-"):
		return errors.New("a timeout is longer than 0")
	case unitless == nil:
		return fmt.Errorf("a timeout has a unit: write %ss", text)
	}
	return errors.New("a timeout is a number with a unit, such as 30s or 500ms")
}

// Type implements pflag.Value.
func (f *timeoutFlag) Type() string { return "duration" }

// repair is --repair.
type repair cluster.Repair

// String implements pflag.Value.
func (r *repair) String() string { return string(*r) }

// Set implements pflag.Value.
func (r *repair) Set(text string) error {
	return choose(r, text, repair(cluster.RepairAuto), repair(cluster.RepairNever))
}

// Type implements pflag.Value.
func (r *repair) Type() string { return "repair" }

func (s *settings) addRepair(command *cobra.Command) {
	s.repair = repair(cluster.RepairAuto)
	command.Flags().Var(&s.repair, "repair", "`what` to do with a damaged data directory: auto moves it aside and recovers, never stops")
	own(command, "repair", true)
	enumerate(command, "repair", cluster.RepairAuto, cluster.RepairNever)
}

// positionFlag is a position as a flag: 0 is none.
type positionFlag log.Position

// addPosition adds a flag that takes a position, from 1.
func addPosition(command *cobra.Command, at *log.Position, name, text string) {
	command.Flags().Var((*positionFlag)(at), name, text)
}

// String implements pflag.Value.
func (f *positionFlag) String() string {
	if *f == 0 {
		return ""
	}
	return fmt.Sprint(uint64(*f))
}

// Set implements pflag.Value.
func (f *positionFlag) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 || log.Position(n) > log.MaxPosition {
		return fmt.Errorf("positions are whole numbers from 1 to %d", log.MaxPosition)
	}
	*f = positionFlag(n)
	return nil
}

// Type implements pflag.Value.
func (f *positionFlag) Type() string { return "position" }
