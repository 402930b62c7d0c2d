package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write makes a file in the cluster's directory, and returns its path.
func (c *Cluster) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(c.Dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMistakesOfOperatorsAreNamed(t *testing.T) {
	c := started(t)
	free := FreePorts(t, 1)[0]
	if code := c.Stop(3); code != 0 {
		t.Fatalf("member 3 ended with %d", code)
	}
	foreign := c.write(t, "notes.txt", "not a data directory")
	unknown := c.write(t, "unknown.yaml", "id: 1\ncolour: blue\n")
	wrong := c.write(t, "wrong.yaml", "timeout: soon\n")
	spare := c.Data(9)
	for _, r := range []struct {
		args string
		code int
		says string
	}{
		{"serve --data " + spare, 2, "say with --id"},
		{"serve --id 1", 2, "say --data DIR"},
		{"serve --id 4 --data " + spare, 2, "replica 4 is not in the member list"},
		{"serve --id 0x --data " + spare, 2, "invalid argument"},
		{"serve --id 1 --data " + spare + " --members 1=a:1,1=b:2", 2, "two members have the id 1"},
		{"serve --id 1 --data " + spare + " --members 1=a:1,2=a:1", 2, "two members have the address a:1"},
		{"serve --id 1 --data " + spare + " --members 1=a", 2, "write HOST:PORT"},
		{"serve --id 1 --data " + spare + " --log-level loud", 2, "it is one of trace"},
		{"serve --id 1 --data " + spare + " --config " + unknown, 2, "unknown field \"colour\""},
		{"serve --id 1 --data " + spare + " --config " + spare, 2, "no such file"},
		{"status --config " + wrong, 2, "timeout"},
		{"status --members= ", 2, "is not a member"},
		{"stauts", 2, "Did you mean this?\n\tstatus"},
		{"status --watch", 2, "Run 'quorumlog status --help' for usage."},
		{"read --from 0", 2, "positions are whole numbers from 1"},
		{"read --from 3 --to 2", 2, "--from 3 is behind --to 2"},
		{"read --text -o json", 2, "choose one"},
		{"read --follow --data " + spare, 2, "--follow needs a running log"},
		{"read -o xml", 2, "it is one of table, json, ndjson"},
		{"truncate", 2, "say with --to"},
		{"append a b", 2, "accepts at most 1 arg"},

		{"serve --id 1 --data " + spare, 1, "another process uses this address"},
		{"serve --id 1 --insecure --data " + spare + " --members 1=192.0.2.1:7101", 1, "this machine does not have this address"},
		{"serve --id 3 --data " + spare + " --http " + c.Addresses[0], 1, "address already in use"},
		{"serve --id 1 --data " + c.Data(1) + " --listen " + free, 1, "data directory is in use"},
		{"serve --id 3 --data " + c.Data(3) + " --cluster other", 1, "is of cluster \"quorumlog\", not \"other\""},
		{"serve --id 3 --data " + c.Data(3) + " --members 3=" + free, 1, "was made for the members [1 2 3], not [3]"},
		{"serve --id 4 --data " + c.Data(3) + " --members 4=" + free, 1, "is of replica 3, not 4"},
		{"serve --id 3 --data " + c.Dir, 1, "data directory belongs to somebody else"},
		{"serve --id 3 --data " + foreign, 1, "notes.txt"},
		{"initialize --id 3 --data " + c.Data(3), 1, "only an EMPTY one can be initialized"},
		{"read --data " + c.Data(8), 1, "no data directory"},
		{"append " + c.Data(8), 1, "no such file"},
		{"append hello", 1, "for one entry: echo TEXT | quorumlog append"},
	} {
		got := c.Run(strings.Fields(r.args)...)
		if got.Code != r.code || !strings.Contains(got.Stderr, r.says) {
			t.Errorf("quorumlog %s\nexit code %d, expected %d and %q:\n%s", r.args, got.Code, r.code, r.says, got.Stderr)
		}
	}
}

func TestMemberWithAnotherMemberListEnds(t *testing.T) {
	c := started(t)
	members := c.Members + ",4=" + FreePorts(t, 1)[0]
	complain(t, c.Run("serve", "--id", "4", "--data", c.Data(4), "--members", members), 1, "give all members the same --members")
}

func TestCommandWithAnotherMemberListFindsNothingWell(t *testing.T) {
	c := started(t)
	first, _, _ := strings.Cut(c.Members, ",")
	for _, members := range []string{first, c.Members + ",4=" + FreePorts(t, 1)[0]} {
		for _, command := range []string{"status", "verify"} {
			complain(t, c.Run(command, "--members", members), 2, "member 1 at "+c.Addresses[0]+" has another member list than this command",
				"give the --members that serve was given")
		}
	}
	if r := c.Run("status", "--members", first); !strings.Contains(r.Stdout, "VOTING") {
		t.Errorf("there is no table:\n%s", r.Stdout)
	}
}

func TestNewerDataDirectoryIsLeftAlone(t *testing.T) {
	c := started(t)
	c.Stop(3)
	markers, err := filepath.Glob(filepath.Join(c.Data(3), "marker.format-version.*"))
	if err != nil || len(markers) != 1 {
		t.Fatalf("%v %v", markers, err)
	}
	newer := markers[0][:strings.LastIndex(markers[0], ".")] + ".999"
	if err := os.Rename(markers[0], newer); err != nil {
		t.Fatal(err)
	}
	complain(t, c.Run("serve", "--id", "3", "--data", c.Data(3)), 1, "newer format")
}
