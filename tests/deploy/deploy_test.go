// Package deploy reads what the directory deploy has for other programs, and checks that it fits this one: names of metrics,
// settings, exit codes, sections of the runbook. Tools that are on the machine have their say too.
package deploy

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/tests/process"
)

const root = "../../deploy/"

func TestEachMetricThatIsAskedForIsServed(t *testing.T) {
	served := names(t)
	for _, file := range []string{"prometheus/alerts.yaml", "prometheus/alerts_test.yaml", "grafana/quorumlog.json"} {
		asked := regexp.MustCompile(`quorumlog_[a-z0-9_]+`).FindAllString(read(t, file), -1)
		if len(asked) == 0 {
			t.Errorf("%s asks for nothing", file)
		}
		for _, name := range asked {
			base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
			if !slices.Contains(served, name) && !slices.Contains(served, base) {
				t.Errorf("%s asks for %s, which nobody serves", file, name)
			}
		}
	}
}

func TestEachMetricIsOnTheDashboard(t *testing.T) {
	dashboard := read(t, "grafana/quorumlog.json")
	for _, name := range names(t) {
		if !strings.Contains(dashboard, name) {
			t.Errorf("%s is not there", name)
		}
	}
}

func TestDashboardIsOneThatGrafanaReads(t *testing.T) {
	var d struct {
		UID    string `json:"uid"`
		Panels []struct {
			ID      int `json:"id"`
			Targets []struct{ Expr string }
			GridPos struct{ X, Y, W, H int }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "grafana/quorumlog.json")), &d); err != nil {
		t.Fatal(err)
	}
	seen := make(map[int]bool)
	for _, p := range d.Panels {
		if seen[p.ID] || len(p.Targets) == 0 || p.Targets[0].Expr == "" || p.GridPos.W == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %+v", p)
		}
		seen[p.ID] = true
	}
	if d.UID == "" || len(d.Panels) < 10 {
		t.Errorf("it has %d panels", len(d.Panels))
	}
}

func TestEachAlertHasItsSectionInTheRunbook(t *testing.T) {
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr         string
				Labels, Annotations map[string]string
			}
		}
	}
	parse(t, "prometheus/alerts.yaml", &file)
	runbook := read(t, "../docs/operations.md")
	count := 0
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			count++
			link := "https://github.com/quorumlog/quorumlog/blob/main/docs/operations.md#" + strings.ToLower(rule.Alert)
			if rule.Annotations["runbook_url"] != link || rule.Annotations["summary"] == "" || rule.Labels["severity"] == "" {
				t.Errorf("%s has %v and %v, expected the link %s", rule.Alert, rule.Labels, rule.Annotations, link)
			}
			if !regexp.MustCompile(`(?m)^#+ ` + rule.Alert + `$`).MatchString(runbook) {
				t.Errorf("docs/operations.md has no section %s", rule.Alert)
			}
		}
	}
	if count < 10 {
		t.Errorf("there are %d alerts", count)
	}
}

func TestPromtoolHasNothingToSay(t *testing.T) {
	directory := filepath.Join(root, "prometheus")
	for _, arguments := range [][]string{
		{"check", "rules", "alerts.yaml"}, {"check", "config", "prometheus.yaml"}, {"test", "rules", "alerts_test.yaml"},
	} {
		tool(t, directory, "promtool", arguments...)
	}
}

// The unit is checked with another program in the place of ours, which is not installed here.
func TestSystemdHasNothingToSay(t *testing.T) {
	unit := filepath.Join(t.TempDir(), "quorumlog.service")
	text := strings.ReplaceAll(read(t, "systemd/quorumlog.service"), "/usr/local/bin/quorumlog", "/bin/true")
	if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := tool(t, ".", "systemd-analyze", "verify", unit); out != "" {
		t.Error(out)
	}
}

// Exit codes are a contract (README): 2 is a wrong setting, and 4 a disk that failed, lied or is full. Neither gets better by itself.
func TestUnitDoesNotStartAMemberAgainThatMustBeLookedAt(t *testing.T) {
	unit := read(t, "systemd/quorumlog.service")
	for _, line := range []string{"Restart=on-failure", "RestartPreventExitStatus=2 4", "DynamicUser=yes", "StateDirectory=quorumlog", "ProtectSystem=strict"} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("the unit does not say %s", line)
		}
	}
}

// With these settings a member gets as far as the certificates, which the unit hands on and this machine has not.
func TestSettingsAreOnesThatServeTakes(t *testing.T) {
	var settings map[string]any
	parse(t, "systemd/quorumlog.yaml", &settings)
	if data, _ := settings["data"].(string); !strings.HasPrefix(data, "/var/lib/quorumlog/") {
		t.Errorf("the data are in %q, which the unit does not make", data)
	}
	c := process.New(t, 1)
	path, err := filepath.Abs(filepath.Join(root, "systemd/quorumlog.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	r := c.Run("serve", "--config", path, "--members", "1=127.0.0.1:1,2=127.0.0.1:2,3=127.0.0.1:3", "--listen", "192.0.2.1:7101", "--http", "")
	if r.Code != 1 || !strings.Contains(r.Stderr, settings["tls-cert"].(string)) {
		t.Errorf("serve ended with %d: %s", r.Code, r.Stderr)
	}
	for _, name := range []string{"tls-ca", "tls-cert", "tls-key"} {
		_, file, _ := strings.Cut(settings[name].(string), "/run/credentials/quorumlog.service/")
		if unit := read(t, "systemd/quorumlog.service"); file == "" || !strings.Contains(unit, "\nLoadCredential="+file+":/etc/quorumlog/"+file+"\n") {
			t.Errorf("the unit does not hand on %s: %s", name, settings[name])
		}
	}
}

func TestComposeSetsWhatServeTakes(t *testing.T) {
	var file struct {
		Services map[string]struct {
			Environment map[string]string
			Volumes     []string
			Restart     string
		}
	}
	parse(t, "docker/compose.yaml", &file)
	if len(file.Services) != 3 {
		t.Fatalf("there are %d members", len(file.Services))
	}
	help := process.New(t, 1).Run("serve", "--help").Stdout
	for name, service := range file.Services {
		for variable := range service.Environment {
			if !strings.Contains(help, "["+variable+"]") {
				t.Errorf("%s sets %s, which serve does not know", name, variable)
			}
		}
		if !strings.Contains(service.Environment["QUORUMLOG_MEMBERS"], service.Environment["QUORUMLOG_ID"]+"="+name+":7101") || len(service.Volumes) != 1 {
			t.Errorf("%s is %+v", name, service)
		}
	}
}

func TestImageIsPinnedStaticAndWithoutRights(t *testing.T) {
	file := read(t, "docker/Dockerfile")
	for _, line := range []string{"CGO_ENABLED=0", "\nFROM scratch\n", "\nUSER 65532:65532\n", "\nENTRYPOINT [\"/quorumlog\"]\n"} {
		if !strings.Contains(file, line) {
			t.Errorf("it does not say %q", line)
		}
	}
	for _, from := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(file, -1) {
		if from[1] != "scratch" && !regexp.MustCompile(`:\d+\.\d+\.\d+`).MatchString(from[1]) {
			t.Errorf("%s is not pinned", from[1])
		}
	}
}

// names are the metrics that the program serves.
func names(t *testing.T) []string {
	t.Helper()
	var members []cluster.Member
	for i, address := range process.FreePorts(t, 2) {
		members = append(members, cluster.Member{ID: log.ReplicaID(i + 1), Address: address})
	}
	var node *cluster.Node
	for _, m := range members {
		n, err := cluster.Start(t.Context(), cluster.Config{ID: m.ID, Data: t.TempDir(), Members: members, AutoInitialize: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		})
		node = n
	}
	if err := node.Recovered(t.Context()); err != nil { // so it has heard its peer
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(node.Collector())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := []string{"quorumlog_build_info"} // the program's own
	for _, family := range families {
		found = append(found, family.GetName())
	}
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parse(t *testing.T, file string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, file)), into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// tool runs a program of others, where there is one.
func tool(t *testing.T, directory, name string, arguments ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s on this machine: what it would say is not known", name)
	}
	command := exec.Command(path, arguments...)
	command.Dir = directory
	out, err := command.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", fmt.Sprint(name, arguments), err, out)
	}
	return string(out)
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := process.RemoveBuilt(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}
