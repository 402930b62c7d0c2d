package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/log/invariant"
)

// program is one run of the command line.
type program struct {
	console
	settings
	settled bool // the command line is right; what fails from now on is no matter of usage
}

// run executes a command line and returns the exit code.
func run(ctx context.Context, args []string, c console) int {
	p := &program{console: c}
	root := newRootCommand(p)
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitFine
	}
	if known := (exitError{}); !p.settled && !errors.As(err, &known) {
		err = usage(err)
	}
	code := exitCode(err)
	// Whether stderr can still be written to makes no difference now.
	_, _ = fmt.Fprintf(c.err, "quorumlog: %v\n", err)
	if code == exitUsage {
		_, _ = fmt.Fprintf(c.err, "Run '%s --help' for usage.\n", command.CommandPath())
	}
	return code
}

// noArguments is for commands that take flags only.
func noArguments(command *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no arguments", command.Name())
	}
	return nil
}

// enumerate has the shell complete the values of a flag.
func enumerate[T ~string](command *cobra.Command, flag string, values ...T) {
	names := make([]string, len(values))
	for i, value := range values {
		names[i] = string(value)
	}
	err := command.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	invariant.Hold(err == nil, "complete --%s: %v", flag, err)
}

func newRootCommand(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:   "quorumlog",
		Short: "A replicated log that repairs itself",
		Long: `quorumlog is a replicated log that repairs itself: a replica whose disk is lost comes back under the same id, by
itself and safely.

Everything that can be set is set by a flag, by the environment (--members is QUORUMLOG_MEMBERS, and so on), or by
a YAML file (--config), in this order. The keys of the file are the names of the flags.

Exit codes: 0 fine, 1 failed, 2 usage, 3 not ready (no quorum, not voting), 4 data fault.`,
		Example: `  quorumlog demo
  quorumlog serve --id 1 --members 1=10.0.0.1:7101,2=10.0.0.2:7101,3=10.0.0.3:7101 --data /var/lib/quorumlog
  export QUORUMLOG_MEMBERS=1=10.0.0.1:7101,2=10.0.0.2:7101,3=10.0.0.3:7101
  echo hello | quorumlog append
  quorumlog read`,
		Version:       thisBuild().String(),
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(command *cobra.Command, _ []string) error {
			err := p.settle(command)
			p.settled = err == nil
			return err
		},
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.AddCommand(
		newDemoCommand(), newServeCommand(p), newInitializeCommand(p), newAppendCommand(p), newReadCommand(p),
		newTruncateCommand(p), newStatusCommand(p), newVerifyCommand(p), newBackupCommand(p), newRestoreCommand(p), newRescueCommand(p),
		newTopCommand(p), newMembersCommand(p), newEventsCommand(p), newBenchmarkCommand(p), newCertCommand(p), newVersionCommand(p),
	)
	return root
}
