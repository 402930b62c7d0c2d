package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/cluster"
)

const serveText = `Runs one member of the log until SIGTERM or SIGINT; a second signal does not wait for a clean end. It logs to stderr:
for people on a terminal, JSON elsewhere.

The first start of all members makes a new log (--auto-initialize). A member whose data directory is gone comes back
with an empty one, under the same id: it copies what it needs from the others and then votes again. Nothing else is
to be done.

While a quorum of the members can talk, one of them writes (--auto-elect): another one is elected within a second or two of
its end. On SIGTERM a member that writes finishes what is on its way, and hands over.

With --http it serves a page that shows the log, all its members and what happened, /livez, /readyz (200 once the replica
votes, until it is told to end), /metrics (Prometheus) and JSON below /api/. Whoever can connect may look; nobody can change anything there.

Beyond the loopback, members and clients show each other certificates (--tls-ca, --tls-cert, --tls-key; quorumlog cert
makes them), or talk in plain text on a network that you trust (--insecure). New files count a second after they are in
the place of the old ones, without a restart.

A member that moved is found with --discovery, which members and clients are given: its address in --members stays its name, and it
listens elsewhere (--listen). That says only where a member is, and never who is one (docs/operations.md).

With --logs the member has more logs, by their names, each with entries, a writer and members of its own; all share its
connections and its disk. The commands take --log. A log is there once every member of --members was given its name; a
member that is removed from one goes on in the others.

A recovery takes what the network gives, unless --copy-rate limits it. SIGHUP has the member read --config again, and
follow the copy-rate there, also while it recovers.

A member whose data directory is damaged keeps it aside, in a directory damaged-1 in the data directory, and comes back
in the same way (--repair). Delete damaged-1 when you no longer want to look at it.

It ends with 4 when its disk fails, lies or is full, or when its replica lives on in another directory, and says what to
do. Damage that is found while it runs ends it too: the next start repairs it. A member that was removed ends with 0, and says so.`

func newServeCommand(p *program) *cobra.Command {
	var profile string
	command := &cobra.Command{
		Use:   "serve",
		Short: "Run one member of the log",
		Long:  serveText,
		Example: `  quorumlog serve --id 1 --data data/1 --members 1=127.0.0.1:7101,2=127.0.0.1:7102,3=127.0.0.1:7103
  quorumlog serve --config /etc/quorumlog.yaml --http 127.0.0.1:9101

  # /etc/quorumlog.yaml
  id: 1
  data: /var/lib/quorumlog
  tls-ca: /etc/quorumlog/ca.crt
  tls-cert: /etc/quorumlog/member-1.crt
  tls-key: /etc/quorumlog/member-1.key
  members: {1: "10.0.0.1:7101", 2: "10.0.0.2:7101", 3: "10.0.0.3:7101"}`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			return profiled(profile, func() error { return p.serve(command.Context()) })
		},
	}
	command.Flags().StringVar(&profile, "cpuprofile", "", "write a CPU profile into this `file`")
	_ = command.Flags().MarkHidden("cpuprofile") // it was just added
	p.addID(command)
	p.addMembers(command)
	p.addSecurity(command)
	p.addDiscovery(command)
	p.addAnnounce(command)
	p.addData(command, "data `directory` of the replica; made where there is none", true)
	p.addCluster(command)
	p.addLogs(command)
	p.addAddresses(command)
	p.addAutomatic(command)
	p.addRepair(command)
	p.addCopyRate(command)
	p.addLogging(command)
	return command
}

// addAddresses adds where a member listens.
func (p *program) addAddresses(command *cobra.Command) {
	command.Flags().StringVar(&p.listen, "listen", "", "`address` to listen on, where it is not the one in --members")
	own(command, "listen", true)
	command.Flags().StringVar(&p.http, "http", "", "`address` for the page, health checks and metrics; none without it")
	own(command, "http", true)
	command.Flags().BoolVar(&p.actorMetrics, "actor-metrics", false, "have /metrics of --http tell protoactor's own metrics, too: appends take longer")
	own(command, "actor-metrics", true)
}

// addAutomatic adds what a member does without being told.
func (p *program) addAutomatic(command *cobra.Command) {
	command.Flags().BoolVar(&p.autoInitialize, "auto-initialize", true, "start a new log by itself, where all members are new")
	own(command, "auto-initialize", true)
	command.Flags().BoolVar(&p.autoElect, "auto-elect", true, "elect a member where none writes, before a client asks")
	own(command, "auto-elect", true)
}

func (p *program) serve(ctx context.Context) error {
	c, err := p.node()
	if err != nil {
		return err
	}
	if err := errors.Join(listenable("listen", p.listen), listenable("http", p.http)); err != nil {
		return usage(err)
	}
	limitMemory()
	c.Logger, c.CopyRate = p.logger(), int64(p.copyRate)
	var more []prometheus.Collector
	if c.MeterProvider, more, err = p.meters(); err != nil {
		return err
	}
	health, err := p.serveHTTP(c.Logger, more...)
	if err != nil {
		return err
	}
	defer health.close()
	node, err := cluster.Start(ctx, c)
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return nil // it was asked to end before it had begun
	case err != nil:
		return fmt.Errorf("serve: %w", p.advised(err, false))
	}
	health.watch(node, c.ID)
	s := steps{logger: c.Logger, reloads: reloads(ctx), reload: func() { p.reload(node, c.Logger) }, ending: health.drain}
	up := c.Logger.Info().Uint16("replica", uint16(c.ID)).Str("cluster", c.Cluster).Str("members", cluster.FormatMembers(c.Members))
	if len(c.Logs) > 0 {
		up.Strs("logs", c.Logs)
	}
	up.Str("data", c.Data).Msg("the member is up")
	return p.advised(s.until(ctx, node), true)
}

// listenable says what is wrong with an address to listen on. An empty one is none.
func listenable(flag, address string) error {
	if address == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return fmt.Errorf("--%s %s: write HOST:PORT, or :PORT for all addresses of this machine: %w", flag, address, err)
	}
	return nil
}

// advised says what to do about a disk that failed or lied, while the member ran or before it was up. What can be repaired is
// repaired before it is up: what is left then was not known to be this replica's, or is not to be repaired.
func (p *program) advised(err error, running bool) error {
	switch {
	case isHarmless(err):
		return err
	case len(p.members) < 3: // a recovery takes a quorum of the others: whoever deletes the directory may delete the log
		return fmt.Errorf("%w: keep the directory: the other members are too few to recover it from", err)
	case errors.Is(err, cluster.ErrCorrupt) && running && p.repair != repair(cluster.RepairNever):
		return fmt.Errorf("%w: start it again: it keeps the damaged files aside, and recovers from the others", err)
	case errors.Is(err, cluster.ErrCorrupt):
		return fmt.Errorf("%w: if the directory is this replica's, delete it and start the replica under the same id: it recovers "+
			"from the others", err)
	}
	return fmt.Errorf("%w: start it again; where that does not help replace the disk, or delete the directory: it recovers from "+
		"the others", err)
}

// isHarmless says whether an error is none of a disk that failed or lied. That of a full disk says itself what to do.
func isHarmless(err error) bool {
	return !isAny(err, cluster.ErrCorrupt, cluster.ErrDiskFailed) || errors.Is(err, cluster.ErrDiskFull)
}

// steps logs what becomes of a member.
type steps struct {
	logger  zerolog.Logger
	reloads <-chan os.Signal
	reload  func()
	ending  func() // before the member ends
}

// logStep writes one line about what the actors do not log where it happens.
func logStep(logger zerolog.Logger, e cluster.Event) {
	switch e := e.(type) {
	case cluster.CatchingUp:
		logger.Info().Uint64("done", e.Done).Uint64("total", e.Total).Uint64("bytes", e.Bytes).Dur("elapsed", e.Elapsed).
			Uint64("bytes_per_second", e.Rate).Dur("left", e.Left).Msg("the replica catches up")
	case cluster.CaughtUp:
		logger.Info().Uint64("total", e.Total).Uint64("bytes", e.Bytes).Dur("elapsed", e.Elapsed).Msg("the replica has caught up")
	case cluster.Recovered:
		logger.Info().Msg("the replica is VOTING: clients are served") // one that is back gives its first vote a moment later
	case cluster.EventsMissed:
		logger.Warn().Uint64("events", e.Count).Msg("so much happened that not all of it is logged")
	}
}
