package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// observer is the role of a member whose vote does not count.
const observer = "observer"

// membersShown is what members prints for programs.
type membersShown struct {
	Epoch   uint64        `json:"epoch"`   // counts the changes
	Next    log.ReplicaID `json:"next_id"` // the lowest id that a new member may take
	Members []memberShown `json:"members"`
}

type memberShown struct {
	ID        log.ReplicaID `json:"id"`
	Address   string        `json:"address"`
	Role      string        `json:"role"`
	Status    string        `json:"status"` // empty if it cannot be reached
	Learned   log.Position  `json:"learned"`
	Leader    bool          `json:"leader"`
	Reachable bool          `json:"reachable"`
	Error     string        `json:"error"`
}

func newMembersCommand(p *program) *cobra.Command {
	command := &cobra.Command{
		Use:   "members",
		Short: "Show the members, or change them while the log runs",
		Long: `Members come and go while the log runs, one at a time. A new member is an observer first: it is sent everything, and its vote
does not count. Once it has caught up it is promoted. An id is never given twice.

--members names some of the members, as ever: this command finds the others.`,
		Example: `  quorumlog members list
  quorumlog members add 4=10.0.0.4:7101            and on 10.0.0.4: quorumlog serve --id 4 --members ...,4=10.0.0.4:7101 ...
  quorumlog members replace 3 5=10.0.0.5:7101      3 may be dead
  quorumlog members remove 1`,
		Args: noArguments,
	}
	command.AddCommand(
		p.membersVerb("list", "Show who the members are", cobra.NoArgs, func(context.Context, *cluster.Client, []string) error { return nil }),
		p.membersVerb("add ID=HOST:PORT", "Add a member: start it, with itself in its --members, while this command waits; it is promoted once it has caught up",
			cobra.ExactArgs(1), p.addMember),
		p.membersVerb("remove ID", "Remove a member; its process ends once it knows", cobra.ExactArgs(1), removeMember),
		p.membersVerb("replace ID NEW=HOST:PORT", "Add a member as add does, and then remove another one, dead or alive", cobra.ExactArgs(2), p.replaceMember),
	)
	return command
}

// membersVerb makes one of the commands below members. Each shows the members when it is done.
func (p *program) membersVerb(use, short string, args cobra.PositionalArgs, do func(context.Context, *cluster.Client, []string) error) *cobra.Command {
	command := &cobra.Command{
		Use: use, Short: short,
		Args: func(command *cobra.Command, given []string) error {
			if err := args(command, given); err != nil {
				return usagef("%s: write members %s", err, use)
			}
			return nil
		},
		RunE: func(command *cobra.Command, given []string) error {
			client, err := p.client(command.Context())
			if err != nil {
				return err
			}
			defer client.Close() //nolint:errcheck // it returns nil
			limited, cancel := p.limited(command.Context())
			defer cancel()
			if err := do(limited, client, given); err != nil {
				return err
			}
			return p.printMembers(limited, client)
		},
	}
	p.addClient(command)
	return command
}

func (p *program) printMembers(ctx context.Context, client *cluster.Client) error {
	now, err := client.Membership(ctx)
	if err != nil {
		return fmt.Errorf("ask for the members: %w", err)
	}
	shown := membersShown{Epoch: now.Epoch, Next: now.Next}
	var lines [][]string
	for _, s := range client.Status(ctx) {
		m := memberShown{s.ID, s.Address, s.Role, s.Status, s.Learned, s.Leader, s.Reachable, strings.ReplaceAll(s.Error, "\n", "; ")}
		shown.Members = append(shown.Members, m)
		lines = append(lines, m.cells())
	}
	if p.output != table {
		return printJSON(p.out, p.output, shown)
	}
	return printTable(p.out, "ID ADDRESS ROLE STATUS LEARNED LEADER NOTE", lines)
}

func (m memberShown) cells() []string {
	leader := "no"
	if m.Leader {
		leader = "yes"
	}
	if !m.Reachable {
		return []string{strconv.Itoa(int(m.ID)), m.Address, m.Role, "UNREACHABLE", "-", "-", m.Error}
	}
	return []string{strconv.Itoa(int(m.ID)), m.Address, m.Role, m.Status, fmt.Sprint(m.Learned), leader, m.Error}
}

func (p *program) addMember(ctx context.Context, client *cluster.Client, given []string) error {
	m, err := oneMember(given[0])
	if err != nil {
		return err
	}
	waits := p.waiting()
	defer waits.end()
	if _, err := client.AddMember(ctx, m, waits.watch); err != nil {
		return fmt.Errorf("add member %d: %w", m.ID, err)
	}
	return nil
}

func removeMember(ctx context.Context, client *cluster.Client, given []string) error {
	id, err := oneID(given[0])
	if err != nil {
		return err
	}
	if _, err := client.RemoveMember(ctx, id); err != nil {
		return fmt.Errorf("remove member %d: %w", id, err)
	}
	return nil
}

func (p *program) replaceMember(ctx context.Context, client *cluster.Client, given []string) error {
	old, err := oneID(given[0])
	if err != nil {
		return err
	}
	m, err := oneMember(given[1])
	if err != nil {
		return err
	}
	waits := p.waiting()
	defer waits.end()
	if _, err := client.ReplaceMember(ctx, old, m, waits.watch); err != nil {
		return fmt.Errorf("replace member %d by %d: %w", old, m.ID, err)
	}
	return nil
}

func oneMember(text string) (cluster.Member, error) {
	list, err := cluster.ParseMembers(text)
	if err != nil || len(list) != 1 {
		return cluster.Member{}, usagef("%q is not a member: write ID=HOST:PORT, as the others reach it", text)
	}
	return list[0], nil
}

func oneID(text string) (log.ReplicaID, error) {
	id, err := strconv.ParseUint(text, 10, 16)
	if err != nil || id == 0 {
		return 0, usagef("%q is not a member's id: write a number from 1 to 65535", text)
	}
	return log.ReplicaID(id), nil
}

// waiting tells how far a new member is.
type waiting struct {
	program  *program
	progress *progress
}

func (p *program) waiting() *waiting { return &waiting{program: p} }

func (w *waiting) watch(s cluster.Status) {
	if s.Catchup.Total == 0 {
		return
	}
	if w.progress == nil {
		w.progress = w.program.progress("catch up", "positions", s.Catchup.Total)
	}
	w.progress.set(s.Catchup.Done)
}

func (w *waiting) end() { w.progress.end() }
