package kubernetes

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/cluster/discovery/discoverytest"
)

// The tokens of who may do all, and of who may do what the runbook gives to members.
const (
	admin  = "admin-token"
	member = "member-token"
)

// cluster is an API server and its etcd: Kubernetes without what would run the pods.
type cluster struct {
	*testing.T
	dir, address string
	admin        *api
	start        func() (stop func()) // starts the API server
	stop         func()
}

// serve runs one until the end of the test, which is skipped where they are not installed.
func serve(t *testing.T) *cluster {
	t.Helper()
	if _, err := exec.LookPath("kube-apiserver"); err != nil {
		t.Skipf("kube-apiserver is not installed: %v", err)
	}
	port := discoverytest.Port(t)
	c := &cluster{T: t, dir: t.TempDir(), address: fmt.Sprintf("127.0.0.1:%d", port)}
	c.write("tokens", admin+",admin,1,system:masters\n"+member+",member,2\n")
	c.write("admin", admin)
	c.write("member", member)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signs := c.write("key", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
	args := []string{
		"--etcd-servers", c.etcd(), "--cert-dir", c.dir, "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1",
		"--secure-port", fmt.Sprint(port), "--token-auth-file", filepath.Join(c.dir, "tokens"), "--authorization-mode", "RBAC",
		"--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", signs,
		"--service-account-signing-key-file", signs, "--disable-admission-plugins", "ServiceAccount",
		"--endpoint-reconciler-type", "none", "--service-cluster-ip-range", "10.96.0.0/24",
	}
	c.start = func() func() { return discoverytest.Serve(t, c.address, "kube-apiserver", args...) }
	c.stop = c.start()
	c.begin()
	return c
}

func (c *cluster) etcd() string {
	c.Helper()
	address, peers := fmt.Sprintf("127.0.0.1:%d", discoverytest.Port(c.T)), fmt.Sprintf("http://127.0.0.1:%d", discoverytest.Port(c.T))
	discoverytest.Serve(c.T, address, "etcd", "--data-dir", filepath.Join(c.dir, "etcd"), "--listen-client-urls", "http://"+address,
		"--advertise-client-urls", "http://"+address, "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
		"--initial-cluster", "default="+peers)
	return "http://" + address
}

func (c *cluster) write(name, text string) string {
	c.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
	return path
}

// source is one that a process in a pod has.
func (c *cluster) source(pod string) *Source {
	return &Source{
		Server: c.address, CA: filepath.Join(c.dir, "apiserver.crt"), Token: filepath.Join(c.dir, "member"), Namespace: "logs", Name: "log", Pod: pod,
	}
}

// begin gives the members what they need.
func (c *cluster) begin() {
	c.Helper()
	s := c.source("")
	s.Token = filepath.Join(c.dir, "admin")
	var err error
	if c.admin, err = s.open(); err != nil {
		c.Fatal(err)
	}
	c.Cleanup(c.admin.close)
	c.ready()
	const access = "/apis/rbac.authorization.k8s.io/v1/namespaces/logs/"
	c.make("/api/v1/namespaces", `{"metadata":{"name":"logs"}}`)
	c.make(access+"roles", `{"metadata":{"name":"m"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["list","watch","patch"]}]}`)
	c.make(access+"rolebindings", `{"metadata":{"name":"m"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"m"},
		"subjects":[{"kind":"User","name":"member"}]}`)
}

// ready waits until the API server has begun.
func (c *cluster) ready() {
	c.Helper()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for end := time.After(time.Minute); ; {
		err := c.ask(http.MethodGet, "/readyz", "", http.StatusOK)
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-end:
			c.Fatalf("kube-apiserver is not ready: %v", err)
		}
	}
}

// ask asks as the one who may do all.
func (c *cluster) ask(method, path, body string, want int) error {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, "https://"+c.address+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+admin)
	r.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		r.Header.Set("Content-Type", "application/merge-patch+json")
	}
	response, err := c.admin.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it says no more than its status
	if response.StatusCode != want {
		return fmt.Errorf("%s %s: %s", method, path, reason(response))
	}
	return nil
}

func (c *cluster) make(path, body string) {
	c.Helper()
	if err := c.ask(http.MethodPost, path, body, http.StatusCreated); err != nil {
		c.Fatal(err)
	}
}

// runs makes a pod, and says, as the machine that runs it would, that it does and has an address.
func (c *cluster) runs(name, ip string) {
	c.Helper()
	c.make("/api/v1/namespaces/logs/pods", fmt.Sprintf(`{"metadata":{"name":%q},"spec":{"containers":[{"name":"log","image":"log"}]}}`, name))
	state, err := json.Marshal(map[string]any{"status": map[string]any{"phase": "Running", "podIP": ip, "podIPs": []map[string]string{{"ip": ip}}}})
	if err != nil {
		c.Fatal(err)
	}
	if err := c.ask(http.MethodPatch, "/api/v1/namespaces/logs/pods/"+name+"/status", string(state), http.StatusOK); err != nil {
		c.Fatal(err)
	}
}

func (c *cluster) delete(name string) {
	c.Helper()
	if err := c.ask(http.MethodDelete, "/api/v1/namespaces/logs/pods/"+name, `{"gracePeriodSeconds":0}`, http.StatusOK); err != nil {
		c.Fatal(err)
	}
}
