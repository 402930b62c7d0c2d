package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build says what this program was made from.
type build struct {
	Version  string `json:"version"` // of the module; "(devel)" for a build from a checkout without a tag
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"` // of the revision
	Modified bool   `json:"modified"`       // the checkout had changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func thisBuild() build {
	b := build{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// String implements fmt.Stringer.
func (b build) String() string {
	text := fmt.Sprintf("quorumlog %s (%s, %s)", b.Version, b.Go, b.Platform)
	if b.Revision != "" {
		text += " of revision " + b.Revision
	}
	return text
}

func newVersionCommand(p *program) *cobra.Command {
	command := &cobra.Command{
		Use:     "version",
		Short:   "Say what this program was made from",
		Long:    "Says which version this program is, which revision it was made from, and with which Go.",
		Example: "  quorumlog version\n  quorumlog version -o json",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			b := thisBuild()
			if p.output != table {
				return printJSON(p.out, p.output, b)
			}
			_, err := fmt.Fprintln(p.out, b)
			return err
		},
	}
	p.addOutput(command)
	return command
}
