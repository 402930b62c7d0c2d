package process

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// started returns a cluster of three members that vote.
func started(t *testing.T) *Cluster {
	t.Helper()
	t.Parallel()
	c := New(t, 3)
	c.StartAll()
	return c
}

// expect ends the test if a command did not do what it should.
func expect(t *testing.T, r Result, code int, stdout string) {
	t.Helper()
	if r.Code != code || r.Stdout != stdout {
		t.Fatalf("exit code %d with stdout %q, expected %d with %q; stderr:\n%s", r.Code, r.Stdout, code, stdout, r.Stderr)
	}
}

// complain ends the test if a command did not fail with these words.
func complain(t *testing.T, r Result, code int, words ...string) {
	t.Helper()
	for _, word := range words {
		if r.Code != code || !strings.Contains(r.Stderr, word) {
			t.Fatalf("exit code %d, expected %d with %q; stdout:\n%s\nstderr:\n%s", r.Code, code, word, r.Stdout, r.Stderr)
		}
	}
}

func TestWhatIsAppendedIsReadInOrder(t *testing.T) {
	c := started(t)
	expect(t, c.RunWith("one\n\nth\tree\n\"four\nfünf", "append"), 0, "1\n2\n3\n4\n5\n")
	for _, r := range []struct {
		args string
		want string
	}{
		{"", "1\tone\n2\t\n3\t\"th\\tree\"\n4\t\"\\\"four\"\n5\tfünf\n"},
		{"--text", "one\n\nth\tree\n\"four\nfünf\n"},
		{"--from 2 --to 3 -o ndjson", "{\"position\":2,\"data\":\"\"}\n{\"position\":3,\"data\":\"dGgJcmVl\"}\n"},
		{"--from 5 -o json", "[\n{\"position\":5,\"data\":\"ZsO8bmY=\"}\n]\n"},
		{"--to 1", "1\tone\n"},
		{"--from 6", ""},
		{"--follow --from 4 --to 5 --text", "\"four\nfünf\n"},
	} {
		expect(t, c.Run(append([]string{"read"}, strings.Fields(r.args)...)...), 0, r.want)
	}
	complain(t, c.Run("read", "--to", "6"), 1, "the log ends at 5: read up to there, or use --follow")
	complain(t, c.Run("read", "--from", "7", "--to", "9"), 1, "the log ends at 5")
	expect(t, Result{Stdout: c.Run("read", "--from", "5", "--to", "6").Stdout}, 0, "5\tfünf\n")
}

func TestPositionsArePrintedAsTheyAreAcknowledged(t *testing.T) {
	c := started(t)
	const lines = 3000 // more than one batch
	var in, out strings.Builder
	for i := range lines {
		fmt.Fprintf(&in, "line %d\n", i+1)
		fmt.Fprintf(&out, "{\"position\":%d}\n", i+1)
	}
	expect(t, c.RunWith(in.String(), "append", "-o", "ndjson"), 0, out.String())
}

func TestLinesDoNotWaitForOnesThatAreNotThereYet(t *testing.T) {
	c := started(t)
	in, typing, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := c.start(in, "append", "-")
	for i, line := range []string{"one\n", "two\n"} {
		if _, err := typing.WriteString(line); err != nil {
			t.Fatal(err)
		}
		Eventually(t, line+" is acknowledged", func() (bool, string) {
			out := p.Stdout.String()
			return strings.HasSuffix(out, fmt.Sprintln(i+1)), out
		})
	}
	if err := typing.Close(); err != nil {
		t.Fatal(err)
	}
	if code := p.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestLineThatIsTooLongIsNamedAndNotSent(t *testing.T) {
	c := started(t)
	long := strings.Repeat("x", 1<<20)
	expect(t, c.RunWith("a\n"+long+"\n", "append"), 0, "1\n2\n")
	r := c.RunWith("b\n"+long+"x\nc\n", "append")
	complain(t, r, 1, "line 2: too large", "line 1 was acknowledged")
	expect(t, c.Run("read", "--from", "3"), 0, "3\tb\n")
}

func TestAppendSaysWhichLinesAreInTheLog(t *testing.T) {
	t.Parallel()
	c := New(t, 3)
	c.StartMember(1)
	r := c.RunWith("a\n", "append", "--timeout", "1s")
	complain(t, r, 3, "no quorum", "no line was acknowledged", "line 1 did not get into the log")
}

func TestFollowingEndsCleanlyWhenInterrupted(t *testing.T) {
	c := started(t)
	p := c.Start("read", "--follow", "--text")
	c.RunWith("one\ntwo\n", "append")
	Eventually(t, "the entries are told", func() (bool, string) { return p.Stdout.String() == "one\ntwo\n", p.Stdout.String() })
	p.Signal(os.Interrupt)
	if code := p.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestFollowingOutlivesTheMemberThatItReads(t *testing.T) {
	c := started(t)
	p := c.Start("read", "--follow", "--text")
	c.RunWith("one\n", "append")
	Eventually(t, "the first entry is told", func() (bool, string) { return p.Stdout.String() == "one\n", p.Stdout.String() })
	for id := 1; id <= 3; id++ { // whichever it is, and one at a time
		c.Kill(id)
		c.StartMember(id)
		c.WaitVoting(1, 2, 3)
	}
	c.RunWith("two\n", "append")
	Eventually(t, "the second entry is told", func() (bool, string) { return p.Stdout.String() == "one\ntwo\n", p.Stdout.String() })
}

func TestTruncationMovesTheBeginning(t *testing.T) {
	c := started(t)
	c.RunWith("a\nb\nc\n", "append")
	expect(t, c.Run("truncate", "--to", "3"), 0, "4\n")
	expect(t, c.Run("read"), 0, "3\tc\n")
	for _, args := range []string{"--from 2", "--to 2", "--from 1 --to 2", "--follow --to 2"} {
		r := c.Run(append([]string{"read"}, strings.Fields(args)...)...)
		complain(t, r, 1, "truncated", "begins at position 3")
	}
	complain(t, c.Run("truncate", "--to", "99"), 1, "bad range")
}

func TestStatusTellsWhetherAQuorumVotes(t *testing.T) {
	c := started(t)
	c.Kill(3)
	r := c.Run("status")
	if r.Code != 0 || strings.Count(r.Stdout, "VOTING") != 2 || !strings.Contains(r.Stdout, "UNREACHABLE") {
		t.Errorf("one of three is gone: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	c.Kill(2)
	complain(t, c.Run("status"), 3, "1 of 3 members can be reached and vote")
	complain(t, c.Run("verify"), 3, "member 2", "member 3")
}

func TestStatusHasTheFieldsThatArePromised(t *testing.T) {
	c := started(t)
	r := c.Run("status", "-o", "json")
	var rows []map[string]any
	if err := json.Unmarshal([]byte(r.Stdout), &rows); err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v:\n%s", len(rows), err, r.Stdout)
	}
	for _, name := range strings.Fields("id address status since begin end learned holes promised leader incarnation reachable error") {
		if _, found := rows[0][name]; !found {
			t.Errorf("no %s in %v", name, rows[0])
		}
	}
}

func TestReplicasAreFoundEqual(t *testing.T) {
	c := started(t)
	c.RunWith(strings.Repeat("entry\n", 2500), "append")
	r := c.Run("verify", "-o", "json")
	var v struct {
		Healthy   bool
		Positions int
		Members   []any
	}
	if err := json.Unmarshal([]byte(r.Stdout), &v); err != nil || !v.Healthy || v.Positions != 2500 || len(v.Members) != 3 || r.Code != 0 {
		t.Errorf("exit code %d, %v:\n%s%s", r.Code, err, r.Stdout, r.Stderr)
	}
}

func TestStoppedReplicaIsReadAndCheckedOffline(t *testing.T) {
	c := started(t)
	c.RunWith("a\nb\n", "append")
	complain(t, c.Run("read", "--data", c.Data(1)), 1, "data directory is in use")
	if code := c.Stop(1); code != 0 {
		t.Fatalf("serve ended with %d", code)
	}
	expect(t, c.Run("read", "--data", c.Data(1), "--from", "2"), 0, "2\tb\n")
	if r := c.Run("verify", "--data", c.Data(1)); r.Stderr != "" {
		t.Errorf("nobody asked for progress:\n%s", r.Stderr)
	}
	complain(t, c.Run("read", "--data", c.Data(1), "--to", "3"), 1, "not learned")
	if r := c.Run("verify", "--data", c.Data(1)); r.Code != 0 || !strings.Contains(r.Stdout, "2 positions from 1 to 2") {
		t.Errorf("exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

func TestDamagedReplicaIsADataFault(t *testing.T) {
	c := started(t)
	c.RunWith(strings.Repeat("entry\n", 3000), "append")
	expect(t, c.Run("truncate", "--to", "2"), 0, "3001\n") // Pebble writes a table then
	Eventually(t, "the records are in a table", func() (bool, string) {
		name, seen := large(t, c.Data(1), "*.sst")
		return name != "", seen
	})
	c.Stop(1)
	name, _ := large(t, c.Data(1), "*.sst") // it may have become another one
	flip(t, name)
	complain(t, c.Run("verify", "--data", c.Data(1)), 4, "verify: found")
	complain(t, c.Run("read", "--data", c.Data(1)), 4, "corrupt")
}

// large returns a file of this pattern with more than 10 kB.
func large(t *testing.T, dir, pattern string) (path, seen string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && info.Size() > 10_000 {
			path = name
		}
	}
	return path, strings.Join(names, " ")
}

// flip changes a byte in the first half of a file, where a table has records.
func flip(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/3] ^= 0x55
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestMembersEndCleanlyWhenAsked(t *testing.T) {
	c := started(t)
	for i, signal := range []os.Signal{os.Interrupt, os.Interrupt} {
		p := c.running[i+1]
		p.Signal(signal)
		if code := p.Wait(); code != 0 {
			t.Errorf("member %d: %v: exit code %d", i+1, signal, code)
		}
	}
	if code := c.Stop(3); code != 0 {
		t.Errorf("member 3: SIGTERM: exit code %d", code)
	}
}

func TestMemberWhoseDiskIsLostComesBack(t *testing.T) {
	c := started(t)
	c.RunWith("a\nb\n", "append")
	c.Kill(3)
	c.Wipe(3)
	c.RunWith("c\n", "append")
	c.StartMember(3)
	c.WaitVoting(3)
	c.Kill(1) // from now on the quorum needs the new disk
	expect(t, c.RunWith("d\n", "append"), 0, "4\n")
	expect(t, c.Run("read", "--text"), 0, "a\nb\nc\nd\n")
}

func TestFormerDiskOfAReplicaComesBackAsANewLife(t *testing.T) {
	c := started(t)
	c.Kill(3)
	former := filepath.Join(c.Dir, "former")
	if err := os.Rename(c.Data(3), former); err != nil {
		t.Fatal(err)
	}
	c.StartMember(3)
	c.WaitVoting(3)
	c.RunWith("a\nb\n", "append")
	c.Kill(3)
	c.rollBack(3, former)
	<-time.After(2500 * time.Millisecond) // whoever was heard within 2 s counts as there, and would be right
	p := c.StartMember(3)
	Eventually(t, "it recovers, and votes", func() (bool, string) {
		seen := statuses(t, p)
		return slices.Equal(seen, []string{"VOTING", "RECOVERING", "VOTING"}), fmt.Sprint(seen)
	})
	c.WaitVoting(3)
	c.Kill(1) // from now on the quorum needs the former disk
	expect(t, c.RunWith("c\n", "append"), 0, "3\n")
	expect(t, c.Run("read", "--text"), 0, "a\nb\nc\n")
}

func TestWithoutAutoInitializeAnOperatorSaysSo(t *testing.T) {
	t.Parallel()
	c := New(t, 3)
	for id := 1; id <= 3; id++ {
		flags := []string{"initialize", "--id", fmt.Sprint(id), "--data", c.Data(id)}
		if r := c.Run(flags...); r.Code != 0 {
			t.Fatalf("exit code %d: %s", r.Code, r.Stderr)
		}
		complain(t, c.Run(flags...), 1, "only an EMPTY one can be initialized")
		c.StartMember(id, "--auto-initialize=false")
	}
	c.WaitVoting(1, 2, 3)
}

func TestProgramsCanAskHowAMemberIs(t *testing.T) {
	t.Parallel()
	c := New(t, 1)
	address := FreePorts(t, 1)[0]
	c.StartMember(1, "--http", address)
	c.WaitVoting(1)
	for _, r := range []struct{ path, want string }{
		{"livez", "ok\n"},
		{"readyz", "VOTING\n"},
		{"metrics", "quorumlog_replica_status{status=\"VOTING\"} 1\n"},
		{"metrics", "quorumlog_ensemble_size 1\n"},
		{"metrics", "quorumlog_build_info{"},
	} {
		if code, text := get(t, address, r.path); code != 200 || !strings.Contains(text, r.want) {
			t.Errorf("%s: %d: %q is not in:\n%s", r.path, code, r.want, text)
		}
	}
}

func TestMemberThatDoesNotVoteIsAliveAndNotReady(t *testing.T) {
	t.Parallel()
	c := New(t, 3)
	address := FreePorts(t, 1)[0]
	c.StartMember(1, "--http", address)
	Eventually(t, "the member says that it is EMPTY", func() (bool, string) {
		code, text := get(t, address, "readyz")
		return code == 503 && strings.HasPrefix(text, "EMPTY"), text
	})
	if code, text := get(t, address, "livez"); code != 200 {
		t.Errorf("livez: %d %s", code, text)
	}
}

// get asks over HTTP. The code is 0 where nobody answers.
func get(t *testing.T, address, path string) (code int, text string) {
	t.Helper()
	response, err := http.Get("http://" + address + "/" + path)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
