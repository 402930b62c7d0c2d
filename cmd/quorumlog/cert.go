package main

import (
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/cluster/certificate"
	"github.com/quorumlog/quorumlog/log"
)

// certOptions is what the commands that make certificates are told.
type certOptions struct {
	dir, cluster string
	days         int
}

// authorityName is what the files of the authority are called.
const authorityName = "ca"

func newCertCommand(p *program) *cobra.Command {
	command := &cobra.Command{
		Use:   "cert",
		Short: "Make the certificates by which members and clients know each other",
		Long: `Makes certificates for TLS between members, and between members and clients. Each names its holder:

  quorumlog://CLUSTER/member/3      replica 3 of this cluster: nobody else can speak as replica 3
  quorumlog://CLUSTER/client/NAME   a client: it may append, truncate, elect and read
  quorumlog://CLUSTER/reader/NAME   a client that may only read (cert client --read-only)

CLUSTER is the name that serve is given, without what follows an @: a restored log takes the certificates of the one
before. Host names play no part, so a member that moves keeps its certificate. An authority of your own works as well: it has to
put such a URI among the alternative names of the subject, and to allow the use as a TLS client.

Make the authority once, on a machine that you trust. Whoever has its key, ca.key, can be any member: keep it there, away
from the members, and give each member and client ca.crt and its own two files only. Files that exist are never replaced.

To renew a certificate, make a new one in another directory, and put the two files in the place of the old ones: a second
later the process uses them, without a restart. To replace the authority, put both into one file (cat old/ca.crt
new/ca.crt) for --tls-ca everywhere, then renew all certificates, then take the old one out of that file: what it signed
is refused from then on.`,
		Example: `  quorumlog cert ca
  quorumlog cert member --id 1
  quorumlog cert client --name billing
  quorumlog cert client --name audit --read-only
  quorumlog cert show certs/member-1.crt

  quorumlog serve --id 1 --tls-ca certs/ca.crt --tls-cert certs/member-1.crt --tls-key certs/member-1.key ...
  quorumlog append --tls-ca certs/ca.crt --tls-cert certs/client-billing.crt --tls-key certs/client-billing.key ...`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(newCertCACommand(p), newCertMemberCommand(p), newCertClientCommand(p), newCertShowCommand(p))
	return command
}

func (o *certOptions) add(command *cobra.Command, days int) {
	command.Flags().StringVar(&o.dir, "dir", "certs", "`directory` of the authority, where the new files are put; made where there is none")
	command.Flags().StringVar(&o.cluster, "cluster", cluster.DefaultCluster, "`name` of the cluster, as serve is given it")
	own(command, "cluster", true)
	command.Flags().IntVar(&o.days, "days", days, "how many `days` it is valid")
}

func newCertCACommand(p *program) *cobra.Command {
	var o certOptions
	command := &cobra.Command{
		Use:   "ca",
		Short: "Make the authority that signs the certificates of one cluster",
		Long: `Makes ca.crt, which every member and client is given, and ca.key, which nobody is given: with it, certificates of
members and clients are made. It can sign for this cluster only.`,
		Example: "  quorumlog cert ca --dir certs --cluster quorumlog",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			pair, err := certificate.NewAuthority(certificate.Domain(o.cluster), time.Now(), o.days)
			if err != nil {
				return usage(err)
			}
			return p.keep(certificate.In(o.dir, authorityName), pair, "keep the key to yourself: whoever has it can be any member")
		},
	}
	o.add(command, certificate.AuthorityDays)
	return command
}

func newCertMemberCommand(p *program) *cobra.Command {
	var o certOptions
	var id uint16
	command := &cobra.Command{
		Use:     "member",
		Short:   "Make the certificate of one member",
		Long:    "Makes member-ID.crt and member-ID.key, for serve --id ID. The authority is in --dir (quorumlog cert ca).",
		Example: "  quorumlog cert member --id 1",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			if id == 0 {
				return usagef("no member is given: say with --id which it is")
			}
			return p.issue(o, fmt.Sprintf("member-%d", id),
				certificate.Identity{Cluster: certificate.Domain(o.cluster), Role: certificate.Member, Member: log.ReplicaID(id)})
		},
	}
	command.Flags().Var((*idFlag)(&id), "id", "`id` of the member")
	own(command, "id", true)
	o.add(command, certificate.HolderDays)
	return command
}

func newCertClientCommand(p *program) *cobra.Command {
	var o certOptions
	var name string
	var readOnly bool
	command := &cobra.Command{
		Use:   "client",
		Short: "Make the certificate of a client, which may append and read, or only read",
		Long: `Makes client-NAME.crt and client-NAME.key. With --read-only their holder may read the log, compare replicas and ask how
they are, and the members refuse whatever else he asks. The authority is in --dir (quorumlog cert ca).`,
		Example: "  quorumlog cert client --name billing\n  quorumlog cert client --name audit --read-only",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			who := certificate.Identity{Cluster: certificate.Domain(o.cluster), Role: certificate.Client, Name: name}
			if readOnly {
				who.Role = certificate.Reader
			}
			return p.issue(o, "client-"+name, who)
		},
	}
	command.Flags().StringVar(&name, "name", "", "`name` of the client, for the logs of the members")
	command.Flags().BoolVar(&readOnly, "read-only", false, "the client may only read")
	o.add(command, certificate.HolderDays)
	return command
}

// issue makes a certificate that the authority signs.
func (p *program) issue(o certOptions, name string, who certificate.Identity) error {
	if err := who.Validate(); err != nil {
		return usage(err)
	}
	authority, err := certificate.In(o.dir, authorityName).Read()
	if err != nil {
		return fmt.Errorf("%w: make the authority first (quorumlog cert ca --dir %s), or do this where its key is, or give that directory with --dir", err, o.dir)
	}
	pair, err := authority.Issue(who, time.Now(), o.days)
	if err != nil {
		return usage(err)
	}
	return p.keep(certificate.In(o.dir, name), pair, "")
}

// keep writes what was made, and says so.
func (p *program) keep(paths certificate.Paths, pair certificate.Pair, advice string) error {
	if err := paths.Write(pair); err != nil {
		return err
	}
	made, err := certificate.Parse(pair.Certificate)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "%s and %s: %s, until %s\n", paths.Certificate, paths.Key, holder(made[0]), made[0].NotAfter.Format(time.DateOnly))
	if err == nil && advice != "" {
		_, err = fmt.Fprintln(p.out, advice)
	}
	return err
}

// holder is whom a certificate names.
func holder(c *x509.Certificate) string {
	if c.IsCA {
		return c.Subject.CommonName
	}
	who, err := certificate.Of(c)
	if err != nil {
		return fmt.Sprintf("%q (%v)", c.Subject.CommonName, err)
	}
	return who.String()
}

func newCertShowCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "show FILE",
		Short:   "Show whom the certificates of a file name, and how long they are valid",
		Long:    "Shows every certificate of a file in PEM. It ends with 1 if one of them is not valid now.",
		Example: "  quorumlog cert show certs/member-1.crt",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return p.showCertificates(args[0], time.Now()) },
	}
}

func (p *program) showCertificates(path string, now time.Time) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("show: %w", err)
	}
	all, err := certificate.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var lines [][]string
	var faults []string
	for _, c := range all {
		state := "valid"
		if now.After(c.NotAfter) || now.Before(c.NotBefore) {
			state = "NOT VALID"
			faults = append(faults, holder(c))
		}
		lines = append(lines, []string{
			holder(c), c.NotBefore.UTC().Format(time.RFC3339), c.NotAfter.UTC().Format(time.RFC3339), state, c.Issuer.CommonName,
		})
	}
	if err := printTable(p.out, "HOLDER FROM UNTIL NOW SIGNED-BY", lines); err != nil {
		return err
	}
	if len(faults) > 0 {
		return fmt.Errorf("not valid now: %s: make a new one (quorumlog cert --help)", strings.Join(faults, ", "))
	}
	return nil
}
