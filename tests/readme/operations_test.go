package readme

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/tests/process"
)

// step is a part of docs/operations.md that is run, on one machine.
type step struct {
	machine string
	script  string
}

// operations returns the blocks of docs/operations.md that say on which machine they are run, and what the comments between
// them have happen there, which readers are spared: a disk that is lost has to be lost by somebody.
func operations(t *testing.T) (steps []step) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs/operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	part := regexp.MustCompile("(?ms)^```sh machine=(\\d)\n(.*?)\n```$|^<!-- machine=(\\d)\n(.*?)\n-->$")
	for _, m := range part.FindAllStringSubmatch(string(text), -1) {
		steps = append(steps, step{m[1] + m[3], m[2] + m[4]})
	}
	if plain := strings.Count(string(text), "```sh\n"); plain > 0 {
		t.Errorf("%d blocks of docs/operations.md do not say on which machine they are run: write ```sh machine=1", plain)
	}
	return steps
}

// prelude is what the machines of the test have in place of those of the document: a service manager, a copy to another
// machine, and which one this is.
const prelude = `set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
trap 'exit 1' TERM
declare -A members
systemctl() {
	case $1 in
	start) quorumlog serve --config "$ROOT/$machine/quorumlog.yaml" 2>>"$ROOT/$machine/log" & members[$machine]=$! ;;
	stop) kill "${members[$machine]}"; wait "${members[$machine]}" || true ;;
	restart) systemctl stop; systemctl start ;;
	esac
}
journalctl() { cat "$ROOT/$machine/log"; }
scp() { cp "$@"; }
cd "$ROOT"
`

// The lines of the runbook are run as they stand there, in their order, on one machine in place of three.
func TestTheRunbookDoesWhatItSays(t *testing.T) {
	program, dir := process.Build(t), t.TempDir()
	addresses := process.FreePorts(t, 3)
	places := []string{"/var/backups/quorumlog", dir + "/backups"}
	for i, address := range addresses {
		host, home := fmt.Sprintf("10.0.0.%d", i+1), filepath.Join(dir, fmt.Sprint(i+1))
		places = append(places, host+":7101", address, host+":/var/lib/", home+"/var/lib/")
		if err := os.MkdirAll(filepath.Join(home, "var/lib"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	script := []string{prelude}
	for _, s := range operations(t) {
		home := filepath.Join(dir, s.machine)
		here := append(places, "/etc/quorumlog.yaml", home+"/quorumlog.yaml", "/var/lib/", home+"/var/lib/")
		script = append(script, "echo '--- on machine "+s.machine+"'\nmachine="+s.machine+"\n"+strings.NewReplacer(here...).Replace(s.script))
	}
	out := shell(t, "export ROOT="+dir+" PATH="+filepath.Dir(program)+":$PATH\n"+strings.Join(script, "\n"))
	for i, address := range addresses {
		out = strings.ReplaceAll(out, address, fmt.Sprintf("10.0.0.%d:7101", i+1))
		out = strings.ReplaceAll(out, fmt.Sprintf("%s/%d/var", dir, i+1), "/var")
	}
	t.Log(strings.ReplaceAll(out, dir+"/backups", "/var/backups/quorumlog"))
	if voting := strings.Count(out, "VOTING"); voting < 10 {
		t.Errorf("the members were seen VOTING %d times:\n%s", voting, out)
	}
}
