package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/cluster"
)

func TestMetricsOfActorsAreServedBesideThoseOfTheLogWhereTheyAreWanted(t *testing.T) {
	for _, wanted := range []bool{false, true} {
		text := scraped(t, &program{settings: settings{http: "127.0.0.1:0", actorMetrics: wanted}})
		if !strings.Contains(text, "\nquorumlog_appends_total{result=\"appended\"} 1\n") || !strings.Contains(text, "quorumlog_build_info{") {
			t.Errorf("those of the log are missing:\n%s", text)
		}
		for _, name := range []string{
			"\nprotoactor_actor_spawn_count_total{", `messagetype="messages.PromiseResponse",le="0.00025"} `,
		} {
			if strings.Contains(text, name) != wanted {
				t.Errorf("with --actor-metrics=%v %s is there: %v", wanted, name, !wanted)
			}
		}
	}
}

// scraped is what /metrics tells of a member that has appended an entry.
func scraped(t *testing.T, p *program) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	meters, more, err := p.meters()
	if err != nil {
		t.Fatal(err)
	}
	h, err := p.serveHTTP(zerolog.Nop(), more...)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	node, err := cluster.Start(ctx, cluster.Config{
		ID: 1, Data: t.TempDir(), Members: []cluster.Member{{ID: 1, Address: address}}, AutoInitialize: true, MeterProvider: meters,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	}()
	h.watch(node, 1)
	if _, err := node.Append(ctx, []byte("one")); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.board.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("/metrics answers with %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestMetricsOfActorsTakeAPlaceToBeServed(t *testing.T) {
	s := newShell("", nil)
	if code := s.run("serve --id 1 --data x --members 1=127.0.0.1:1 --actor-metrics"); code != 2 || !strings.Contains(s.err.String(), "--http") {
		t.Errorf("it ends with %d: %s", code, s.err.String())
	}
}
