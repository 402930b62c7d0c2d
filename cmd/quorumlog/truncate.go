package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/log"
)

// truncated is what truncate prints.
type truncated struct {
	Position log.Position `json:"position"` // of the truncation itself
	Begin    log.Position `json:"begin"`    // the first position that is kept
}

func newTruncateCommand(p *program) *cobra.Command {
	var to log.Position
	command := &cobra.Command{
		Use:   "truncate",
		Short: "Drop the beginning of the log",
		Long: `Drops every position before --to, on all members. The truncation takes a position of its own at the end of the log,
which is printed. The bytes go back to the system in the background.`,
		Example: "  quorumlog truncate --to 1000001        the log then begins at 1000001",
		Args:    noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if to == 0 {
				return usagef("say with --to which position is the first to be kept")
			}
			return p.truncate(command.Context(), to)
		},
	}
	p.addClient(command)
	addPosition(command, &to, "to", "the first `position` to be kept")
	return command
}

func (p *program) truncate(ctx context.Context, to log.Position) error {
	client, err := p.client(ctx)
	if err != nil {
		return err
	}
	defer client.Close() //nolint:errcheck // it returns nil
	limited, cancel := p.limited(ctx)
	defer cancel()
	at, err := client.Truncate(limited, to)
	if err != nil {
		return fmt.Errorf("truncate: %w", err)
	}
	if p.output != table {
		return printJSON(p.out, p.output, truncated{at, to})
	}
	_, err = fmt.Fprintln(p.out, strconv.FormatUint(uint64(at), 10))
	return err
}
