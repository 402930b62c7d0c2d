package board_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/cluster/board"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

func TestBoardShowsAllMembersAndSaysWhichIsUnreachable(t *testing.T) {
	b := start(t)
	if _, err := b.node.AppendBatch(t.Context(), [][]byte{[]byte("one"), []byte("two")}); err != nil {
		t.Fatal(err)
	}
	var v board.View
	b.get(t, "/api/status", &v)
	if len(v.Members) != 3 || v.Voting != 2 || v.Quorum != 2 || v.Survives != 0 || v.End != 2 || v.Writer == 0 {
		t.Fatalf("the view is %+v", v)
	}
	if gone := v.Members[2]; gone.Reachable || gone.Error == "" {
		t.Errorf("a member that was never started is %+v", gone)
	}
	var l board.Log
	if b.get(t, "/api/log", &l); len(l.Strips) != 2 || l.End != 2 || l.Strips[0].Learned != 2 || len(l.Strips[0].Gaps) != 0 {
		t.Errorf("the log is %+v", l)
	}
	var events []cluster.Happening
	b.get(t, "/api/events", &events)
	elected := false
	for _, e := range events {
		elected = elected || e.Kind == "elected"
	}
	if !elected {
		t.Errorf("nothing tells of an election: %+v", events)
	}
}

func TestABoardShowsEveryLogOfItsMember(t *testing.T) {
	b := start(t)
	orders, err := b.node.OpenLog(t.Context(), cluster.LogConfig{Name: "orders"})
	if err != nil {
		t.Fatal(err)
	}
	b.board.Show(orders, 1)
	var names board.Logs
	if b.get(t, "/api/logs", &names); !slices.Equal(names.Names, []string{"", "orders"}) {
		t.Errorf("the logs are %q", names.Names)
	}
	var v board.View
	if b.get(t, "/api/status?log=orders", &v); v.Voting != 0 || !v.Members[0].Reachable || v.Members[0].Status.Status != "EMPTY" {
		t.Errorf("the view of a log that only this member has is %+v", v)
	}
	if other := v.Members[1]; other.Reachable || !strings.Contains(other.Error, "does not have a log named orders") {
		t.Errorf("a member without it is %+v", other)
	}
	if b.get(t, "/api/status", &v); v.Voting != 2 {
		t.Errorf("the view of the other log is %+v", v)
	}
	for path, want := range map[string]int{
		"/readyz": 503, "/readyz?log=orders": 503, "/readyz?log=": 200, "/readyz?log=none": 404, "/api/log?log=orders": 200,
		"/api/events?log=orders": 200, "/api/status?log=none": 404, "/api/events/stream?log=none": 404,
	} {
		answer := b.open(t, path)
		if _ = answer.Body.Close(); answer.StatusCode != want {
			t.Errorf("%s got %s, expected %d", path, answer.Status, want)
		}
	}
	answer := b.open(t, "/metrics")
	defer answer.Body.Close() //nolint:errcheck // it was read from only
	text, err := io.ReadAll(answer.Body)
	for _, want := range []string{"quorumlog_recovered 1", `quorumlog_recovered{log="orders"} 0`} {
		if !strings.Contains(string(text), want+"\n") {
			t.Errorf("the metrics do not say %s (%v)", want, err)
		}
	}
}

func TestStreamGoesOn(t *testing.T) {
	b := start(t)
	answer := b.open(t, "/api/events/stream")
	defer answer.Body.Close() //nolint:errcheck // it was read from only
	lines, views := bufio.NewScanner(answer.Body), 0
	for views < 3 && lines.Scan() {
		if lines.Text() == "event: view" {
			views++
		}
	}
	if views < 3 {
		t.Errorf("%d views came: %v", views, lines.Err())
	}
}

func TestStreamsAreBounded(t *testing.T) {
	b := start(t)
	for i := range 33 {
		answer := b.open(t, "/api/events/stream")
		defer answer.Body.Close() //nolint:errcheck // as above
		if want := i < 32; (answer.StatusCode == http.StatusOK) != want {
			t.Fatalf("stream %d got %s", i+1, answer.Status)
		}
	}
}

func TestNameOfSomebodyElseIsRefusedOnLoopback(t *testing.T) {
	b := start(t)
	for host, want := range map[string]int{
		"127.0.0.1:1": 200, "[::1]:9101": 200, "localhost": 200, "LOCALHOST:9101": 200,
		"evil.example": 421, "127.0.0.1.evil.example:9101": 421, "": 400,
	} {
		connection, err := net.Dial("tcp", b.server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(connection, "GET /livez HTTP/1.1\r\nConnection: close\r\nHost: "+host+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _ = connection.Close(); host != "" && answer.StatusCode != want {
			t.Errorf("host %q got %s, expected %d", host, answer.Status, want)
		}
	}
}

func TestBoardOnlyReads(t *testing.T) {
	b := start(t)
	for _, path := range []string{"/", "/api/status", "/api/events/stream", "/metrics", "/livez", "/readyz"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
			request, err := http.NewRequestWithContext(t.Context(), method, b.server.URL+path, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			if _ = answer.Body.Close(); answer.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s %s got %s", method, path, answer.Status)
			}
		}
	}
}

func TestPageAllowsNothingFromElsewhere(t *testing.T) {
	b := start(t)
	for _, path := range []string{"/", "/style.css", "/board.js", "/icon.svg"} {
		answer := b.open(t, path)
		text, err := io.ReadAll(answer.Body)
		if _ = answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK || len(text) == 0 {
			t.Errorf("%s got %s, %d bytes, %v", path, answer.Status, len(text), err)
		}
		policy := answer.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s has the policy %q", path, policy)
		}
		if foreign := strings.ReplaceAll(string(text), "http://www.w3.org/2000/svg", ""); strings.Contains(foreign, "://") {
			t.Errorf("%s names another host", path)
		}
	}
}

func TestBoardIsNotReadyBeforeItsMemberIsUp(t *testing.T) {
	server := httptest.NewServer(board.New())
	defer server.Close()
	for path, want := range map[string]int{
		"/livez": 200, "/metrics": 200, "/": 200, "/readyz": 503, "/api/status": 503, "/api/log": 503, "/api/events": 503, "/api/events/stream": 503,
	} {
		answer, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if _ = answer.Body.Close(); answer.StatusCode != want {
			t.Errorf("%s got %s, expected %d", path, answer.Status, want)
		}
	}
}

// shown is a board of the first of three members, of which the third was never started.
type shown struct {
	board  *board.Board
	server *httptest.Server
	node   *cluster.Node
}

func start(t *testing.T) shown {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts two members")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	members := make([]cluster.Member, 3)
	for i := range members {
		members[i] = cluster.Member{ID: log.ReplicaID(i + 1), Address: free(t)}
	}
	var s shown
	for _, m := range members[:2] {
		data := t.TempDir()
		if err := disk.Initialize(disk.Options{
			Dir: data, Cluster: cluster.DefaultCluster, Replica: m.ID, Members: []log.ReplicaID{1, 2, 3}, Create: true,
		}); err != nil {
			t.Fatal(err)
		}
		node, err := cluster.Start(ctx, cluster.Config{ID: m.ID, Data: data, Members: members})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := node.Close(); err != nil {
				t.Error(err)
			}
		})
		if s.node == nil {
			s.node = node
		}
	}
	b := board.New()
	b.Show(s.node, 1)
	s.board = b
	s.server = httptest.NewServer(b)
	t.Cleanup(func() {
		s.server.CloseClientConnections()
		s.server.Close()
	})
	if err := s.node.Recovered(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// open asks for a path.
func (s shown) open(t *testing.T, path string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// get reads a document.
func (s shown) get(t *testing.T, path string, document any) {
	t.Helper()
	answer := s.open(t, path)
	defer answer.Body.Close() //nolint:errcheck // it was read from only
	if err := json.NewDecoder(answer.Body).Decode(document); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s got %s, %v", path, answer.Status, err)
	}
}

// free returns an address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing came in
	return l.Addr().String()
}

func TestBoardIsNotReadyOnceItIsDrained(t *testing.T) {
	b := board.New()
	b.Drain()
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/readyz", nil))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "ends") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
