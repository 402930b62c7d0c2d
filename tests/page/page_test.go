package page

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/tests/process"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := process.RemoveBuilt(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// The story of a lost disk, as whoever looks at the page sees it.
func TestPageShowsAMemberThatIsKilledAndOneThatRecovers(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts three members and a browser")
	}
	b := open(t)
	c := process.New(t, 3)
	url := serve(t, c)
	b.look(url, 1280, 900, false)
	b.await("three members vote", `[...document.querySelectorAll("#members .status")].map(e => e.textContent).join()`, "VOTING,VOTING,VOTING")
	b.await("the page is live", `document.body.className`, "live")

	if os.Getenv(pictures) != "" { // so that the plots have something to show
		for began := time.Now(); time.Since(began) < 100*time.Second; {
			load(t, c, 20+rand.IntN(180)*rand.IntN(4))
		}
	}
	load(t, c, 12<<10)
	b.await("somebody writes", `document.querySelector("#members .writes") ? "yes" : "no"`, "yes")
	c.Kill(3)
	b.await("the third is unreachable", state(3), "UNREACHABLE")
	b.await("and why", `document.querySelector("#members .why") ? "yes" : "no"`, "yes")
	load(t, c, 4<<10)
	b.keep("unreachable")

	c.Wipe(3)
	rate, enough := "1MiB", 0.0
	if os.Getenv(pictures) != "" {
		rate, enough = "20MiB", 0.4
	}
	c.StartMember(3, "--copy-rate", rate)
	b.await("the third recovers", state(3), "RECOVERING")
	progress := `(p => p && p.max > 1 && p.value / p.max > %v ? "yes" : "no")(document.querySelector("[data-member='3'] progress"))`
	b.await("its progress is shown", fmt.Sprintf(progress, enough), "yes")
	b.await("and the time left", `document.querySelector("[data-member='3'] .catchup")?.textContent.includes(" left") ? "yes" : "no"`, "yes")
	b.await("it has not learned all", `document.querySelector("[data-member='3'] rect.learned")?.width.baseVal.value < 990 ? "yes" : "no"`, "yes")
	b.await("and told", `document.querySelector("#events [data-kind='catchup']") ? "yes" : "no"`, "yes")
	b.keep("recovering")
	const holes = `(() => { const v = structuredClone(latest); v.members[0].gaps = [{first: 10, last: 20}, {first: 30, last: 31}];
		return String(strip(v.members[0], v).querySelectorAll("rect.missing").length) })()`
	b.await("holes are red", holes, "2")
	for _, size := range []struct {
		name          string
		width, height int
		dark          bool
	}{{"dark", 1280, 900, true}, {"phone", 390, 844, false}, {"phone-dark", 390, 844, true}} {
		b.look(url, size.width, size.height, size.dark)
		b.await("it is drawn at this size", state(1), "VOTING")
		b.await("nothing is wider than the window", `document.documentElement.scrollWidth <= innerWidth ? "yes" : "no"`, "yes")
		b.keep(size.name)
	}
	if faults := b.text(`performance.getEntriesByType("resource").map(e => e.name).filter(n => !n.startsWith(location.origin)).join()`); faults != "" {
		t.Errorf("the page asked elsewhere: %s", faults)
	}
}

// A member with several logs offers them, and the page shows the one that is chosen.
func TestPageShowsTheLogThatIsChosen(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a member and a browser")
	}
	b := open(t)
	c := process.New(t, 1)
	address := process.FreePorts(t, 1)[0]
	c.StartMember(1, "--http", address, "--logs", "orders,users")
	c.WaitVoting(1)
	b.look("http://"+address+"/", 390, 844, false)
	b.await("the logs are offered", `[...document.querySelectorAll("#logs option")].map(e => e.value).join()`, ",orders,users")
	b.await("the log without a name is shown", `document.getElementById("logs").value + latest?.end`, "0")
	if r := c.RunWith("one\ntwo\n", "append", "--log", "orders"); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	b.look("http://"+address+"/?log=orders", 390, 844, false)
	b.await("another one is shown", `location.search + document.getElementById("logs").value + latest?.end`, "?log=ordersorders2")
	b.await("nothing is wider than the window", `document.documentElement.scrollWidth <= innerWidth ? "yes" : "no"`, "yes")
}

// serve starts three members, of which the first has the page, and returns its address.
func serve(t *testing.T, c *process.Cluster) (url string) {
	t.Helper()
	address := process.FreePorts(t, 1)[0]
	c.StartMember(1, "--http", address)
	c.StartMember(2)
	c.StartMember(3)
	c.WaitVoting(1, 2, 3)
	return "http://" + address + "/"
}

// load appends so many KiB, in lines of a few hundred bytes.
func load(t *testing.T, c *process.Cluster, size int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	var lines strings.Builder
	for lines.Len() < size<<10 {
		fmt.Fprintf(&lines, "%s\n", strings.Repeat("x", 100+random.IntN(400)))
	}
	file := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := c.Run("append", file); r.Code != 0 {
		t.Fatalf("append ended with %d: %s", r.Code, r.Stderr)
	}
}

// state is the expression of a member's status.
func state(id int) string {
	return fmt.Sprintf(`document.querySelector("#members [data-member='%d'] .status")?.textContent`, id)
}

// await waits until an expression is a text.
func (b *browser) await(what, expression, want string) {
	b.t.Helper()
	process.Eventually(b.t, what, func() (bool, string) {
		got := b.text(expression)
		return got == want, fmt.Sprintf("%s is %q, not %q; the page:\n%s", expression, got, want, b.text("document.body.innerText"))
	})
}

// pictures is the variable that says where pictures are left.
const pictures = "QUORUMLOG_SCREENSHOTS"

// keep leaves a picture, where somebody wants them.
func (b *browser) keep(name string) {
	b.t.Helper()
	if dir := os.Getenv(pictures); dir != "" {
		b.picture(filepath.Join(dir, name+".png"))
	}
}
