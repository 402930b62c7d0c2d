package consul

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/quorumlog/quorumlog/cluster/discovery"
)

func TestWhoeverAnswersAtOnceIsNotAskedInACircle(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("X-Consul-Index", "7")
		_, _ = io.WriteString(w, "[]") // whoever asked may be gone
	}))
	defer server.Close()
	s, err := New("log", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*least/2)
	defer cancel()
	err = s.Watch(ctx, func(discovery.Places) {})
	if n := asked.Load(); n < 1 || n > 2 {
		t.Errorf("it was asked %d times in %v: %v", n, 3*least/2, err)
	}
}
