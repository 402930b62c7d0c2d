package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/quorumlog/quorumlog/cluster"
)

// copyRate is --copy-rate: bytes a second, 0 for no limit.
type copyRate int64

var _ pflag.Value = (*copyRate)(nil)

// String implements pflag.Value.
func (r *copyRate) String() string { return strconv.FormatInt(int64(*r), 10) }

// Set implements pflag.Value.
func (r *copyRate) Set(text string) error {
	digits := strings.TrimRight(text, "BiKMG")
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 32)
	factor, known := map[string]int64{"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[text[len(digits):]]
	if err != nil || !known || n < 0 {
		return fmt.Errorf("%q is not a rate: write bytes a second, with KiB, MiB or GiB, such as 50MiB; 0 is no limit", text)
	}
	*r = copyRate(n * factor)
	return nil
}

// Type implements pflag.Value.
func (r *copyRate) Type() string { return "size" }

func (s *settings) addCopyRate(command *cobra.Command) {
	command.Flags().Var(&s.copyRate, "copy-rate",
		"copy at most this `size` a second from the other members in a recovery, such as 50MiB; 0 for no limit")
	own(command, "copy-rate", true)
}

// reloads returns the SIGHUPs until the context ends.
func reloads(ctx context.Context) <-chan os.Signal {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	context.AfterFunc(ctx, func() { signal.Stop(signals) })
	return signals
}

// reload has what a member can change while it runs follow the configuration file: --copy-rate. Where the file is wrong,
// nothing changes.
func (p *program) reload(node *cluster.Node, logger zerolog.Logger) {
	if p.config == "" {
		logger.Warn().Msg("SIGHUP: there is no --config to read again")
		return
	}
	values, err := readFile(p.config)
	rate := p.copyRate
	if text, found := values["copy-rate"]; found && err == nil {
		err = rate.Set(text)
	}
	if err != nil {
		logger.Error().Err(err).Msg("SIGHUP: nothing was changed")
		return
	}
	p.copyRate = rate
	node.LimitCopies(int64(rate))
	logger.Info().Int64("copy_rate", int64(rate)).Msg("SIGHUP: the configuration was read again; all but copy-rate takes a restart")
}
