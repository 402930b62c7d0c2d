package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// variable is the environment variable of a flag.
func variable(flag string) string {
	return "QUORUMLOG_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// settle sets the flags that were not given from the environment, and what is still not set from the file.
func (p *program) settle(command *cobra.Command) error {
	if err := p.fromEnvironment(command); err != nil {
		return err
	}
	if p.config == "" || command.Flags().Lookup("config") == nil {
		return nil
	}
	values, err := readFile(p.config)
	if err != nil {
		return err
	}
	return unset(command, func(flag *pflag.Flag) error {
		if value, found := values[flag.Name]; found {
			if err := flag.Value.Set(value); err != nil {
				return fmt.Errorf("%s: %s: %w", p.config, flag.Name, err)
			}
		}
		return nil
	})
}

func (p *program) fromEnvironment(command *cobra.Command) error {
	return unset(command, func(flag *pflag.Flag) error {
		value, found := p.environment(variable(flag.Name))
		if !found || value == "" {
			return nil
		}
		if err := flag.Value.Set(value); err != nil {
			return fmt.Errorf("%s=%s: %w", variable(flag.Name), value, err)
		}
		flag.Changed = true
		return nil
	})
}

// unset visits the settings that nobody has set.
func unset(command *cobra.Command, visit func(*pflag.Flag) error) (err error) {
	command.Flags().VisitAll(func(flag *pflag.Flag) {
		if _, ours := flag.Annotations[setting]; ours && !flag.Changed && err == nil {
			err = visit(flag)
		}
	})
	return err
}
