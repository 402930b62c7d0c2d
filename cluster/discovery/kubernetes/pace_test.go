package kubernetes

import (
	"context"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/quorumlog/quorumlog/cluster/discovery"
)

func TestServerThatDoesNotWaitForAChangeIsNotAskedInACircle(t *testing.T) {
	var listed atomic.Int32
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") == "" {
			listed.Add(1)
			_, _ = io.WriteString(w, "{}") // whoever asked may be gone
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	s := &Source{Server: server.Listener.Addr().String(), CA: filepath.Join(dir, "ca"), Token: filepath.Join(dir, "token"), Namespace: "logs", Name: "log"}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for path, text := range map[string][]byte{s.CA: ca, s.Token: []byte("token")} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*least/2)
	defer cancel()
	err := s.Watch(ctx, func(discovery.Places) {})
	if n := listed.Load(); n < 1 || n > 2 {
		t.Errorf("the pods were listed %d times in %v: %v", n, 3*least/2, err)
	}
}
