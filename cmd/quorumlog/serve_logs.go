package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/quorumlog/quorumlog/cluster"
)

// until waits for the end, and tells the steps of all logs until then. A log may stop alone, and the others go on; the member ends with the
// last of them.
func (s *steps) until(ctx context.Context, node *cluster.Node) error {
	running := node.Logs()
	if !slices.Contains(running, node) { // it has stopped since it was started
		running = append(running, node)
	}
	stopped := make(chan *cluster.Node, len(running))
	for _, n := range running {
		go s.follow(ctx, n, stopped)
	}
	var faults []error
	for {
		select {
		case n := <-stopped:
			if faults = append(faults, n.Err()); len(faults) == len(running) {
				return s.over(faults)
			}
			s.logger.Error().Str("log", n.Name()).Err(n.Err()).Msg("this log has stopped at this member, which goes on with the others")
		case <-s.reloads:
			s.reload()
		case <-ctx.Done():
			s.logger.Info().Msg("the member ends")
			s.ending()
			if err := node.Close(); err != nil {
				return fmt.Errorf("end the member: %w", err)
			}
			return nil
		}
	}
}

// over is why the member has stopped, with all its logs. One that was removed from all of them ends as it was asked to: whoever
// started it need not do so again.
func (s *steps) over(faults []error) error {
	if slices.ContainsFunc(faults, func(fault error) bool { return !errors.Is(fault, cluster.ErrRemoved) }) {
		return fmt.Errorf("the member has stopped: %w", distinct(faults))
	}
	s.logger.Warn().Err(distinct(faults)).Msg("the member was removed from the log, and has ended: take its service and its directory away")
	return nil
}

// follow tells the steps of one log until it has stopped.
func (s *steps) follow(ctx context.Context, n *cluster.Node, stopped chan<- *cluster.Node) {
	logger := s.logger
	if n.Name() != "" {
		logger = logger.With().Str("log", n.Name()).Logger()
	}
	for e := range n.EventsAfter(ctx, 0) {
		logStep(logger, e)
	}
	select {
	case <-n.Done():
		stopped <- n
	case <-ctx.Done():
	}
}

// distinct joins errors, those that say the same once: a disk that fails stops all logs.
func distinct(faults []error) error {
	said := make(map[string]bool)
	var kept []error
	for _, fault := range faults {
		if fault != nil && !said[fault.Error()] {
			said[fault.Error()] = true
			kept = append(kept, fault)
		}
	}
	return errors.Join(kept...)
}
