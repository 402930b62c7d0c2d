package examples

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/tests/process"
)

// strangersAreRefused runs three members as the unit for systemd does, with the settings and the certificates of the example: on the
// loopback, and with a directory for each machine.
func strangersAreRefused(t *testing.T, s *Stage) {
	program := process.Build(t)
	certificates(t, s.Data, filepath.Dir(program))
	members := &Stage{Members: s.Members, Data: s.Data, program: program, t: t}
	for id := 1; id <= 3; id++ {
		machine(t, s, id)
		members.Run(serves(t, filepath.Join(s.Data, fmt.Sprint(id)))...)
	}
	client := func(name string, entries ...string) *Player {
		flags := []string{"-members", s.Members, "-certs", filepath.Join(s.Data, "certs"), "-name", name}
		return s.Run(append(flags, entries...)...)
	}
	billing := client("client-billing", "paid 5", "paid 7")
	billing.Ends()
	all := billing.Prints(`(\d+ paid 5\n\d+ paid 7\n)`)
	audit := client("client-audit")
	audit.Ends()
	audit.Prints(all)
	for name, why := range map[string]string{"client-audit": "denied", "": "no certificate"} {
		if p := client(name, "stolen"); p.Wait() != 1 || !strings.Contains(p.Stderr.String(), why) {
			t.Errorf("%q appends: it says %q and not %q", name, p.Stderr, why)
		}
	}
	again := client("client-billing")
	again.Ends()
	again.Prints(`^` + all + `$`)
}

// certificates runs the example's script in a directory.
func certificates(t *testing.T, dir, path string) {
	t.Helper()
	name, err := filepath.Abs("tls/certificates.sh")
	if err != nil {
		t.Fatal(err)
	}
	script := exec.CommandContext(t.Context(), "bash", name)
	script.Dir, script.Env = dir, append(os.Environ(), "PATH="+path+":"+os.Getenv("PATH"))
	if out, err := script.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// machine makes the directory that stands for one machine: its settings, and what the unit hands on.
func machine(t *testing.T, s *Stage, id int) {
	t.Helper()
	dir := filepath.Join(s.Data, fmt.Sprint(id))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	here := []string{"/var/lib/quorumlog", dir, "/run/credentials/quorumlog.service", dir}
	for member := range strings.SplitSeq(s.Members, ",") {
		id, address, _ := strings.Cut(member, "=")
		here = append(here, "10.0.0."+id+":7101", address)
	}
	for from, to := range map[string]string{
		fmt.Sprintf("tls/member-%d.yaml", id):                            "quorumlog.yaml",
		filepath.Join(s.Data, "certs/ca.crt"):                            "ca.crt",
		filepath.Join(s.Data, "certs", fmt.Sprintf("member-%d.crt", id)): "member.crt",
		filepath.Join(s.Data, "certs", fmt.Sprintf("member-%d.key", id)): "member.key",
	} {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, to), []byte(strings.NewReplacer(here...).Replace(string(text))), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// serves is what the unit starts the program with, on that machine.
func serves(t *testing.T, dir string) []string {
	t.Helper()
	unit, err := os.ReadFile("../../deploy/systemd/quorumlog.service")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(unit), "\nExecStart=/usr/local/bin/quorumlog ")
	if !found {
		t.Fatal("the unit starts something else")
	}
	line, _, _ := strings.Cut(rest, "\n")
	return strings.Fields(strings.ReplaceAll(line, "/etc/quorumlog", dir))
}
