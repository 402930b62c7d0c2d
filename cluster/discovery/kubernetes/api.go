package kubernetes

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// How long a request may take, how long the server waits for a change, and how much longer it may take to say that there was none.
const (
	request = 5 * time.Second
	wait    = 30 * time.Second
	slack   = 5 * time.Second
)

// How many bytes are read: of an answer, of a fault, and of a token.
const (
	most      = 32 << 20
	mostFault = 4096
	mostToken = 64 << 10
)

// api asks an API server about the pods of a namespace.
type api struct {
	client *http.Client
	pods   string // URL
	token  string // file
}

func (s *Source) open() (*api, error) {
	ca, err := os.ReadFile(s.CA)
	if err != nil {
		return nil, fmt.Errorf("read the authority of Kubernetes: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s holds no certificate", s.CA)
	}
	at := url.URL{Scheme: "https", Host: s.Server, Path: "/api/v1/namespaces/" + s.Namespace + "/pods"}
	return &api{pods: at.String(), token: s.Token, client: &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, TLSHandshakeTimeout: request,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token is for this server
	}}, nil
}

func (a *api) close() { a.client.CloseIdleConnections() }

// do asks, and returns an answer that is good, whose body is to be closed.
func (a *api) do(ctx context.Context, method, at string, body []byte) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, method, at, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask Kubernetes: %w", err)
	}
	token, err := readToken(a.token)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/merge-patch+json")
	}
	response, err := a.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask Kubernetes: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		defer func() { _ = response.Body.Close() }() // what is worth it was read
		return nil, fmt.Errorf("the API server of Kubernetes refuses: %s", reason(response))
	}
	return response.Body, nil
}

func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read the token for Kubernetes: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, mostToken))
	if err != nil {
		return "", fmt.Errorf("read the token for Kubernetes: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// status is how the API server says no.
type status struct {
	Message string `json:"message"`
}

func reason(r *http.Response) string {
	var s status
	if json.NewDecoder(io.LimitReader(r.Body, mostFault)).Decode(&s) != nil || s.Message == "" {
		return r.Status
	}
	return r.Status + ": " + s.Message
}

// label puts labels on a pod; nil takes one away.
func (a *api) label(ctx context.Context, name string, labels map[string]*string) error {
	ctx, cancel := context.WithTimeout(ctx, request)
	defer cancel()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": labels}})
	if err != nil {
		return fmt.Errorf("label pod %s: %w", name, err)
	}
	body, err := a.do(ctx, http.MethodPatch, a.pods+"/"+url.PathEscape(name), patch)
	if err != nil {
		return fmt.Errorf("label pod %s: %w", name, err)
	}
	return body.Close()
}

func (a *api) list(ctx context.Context, selector string) (pods, error) {
	ctx, cancel := context.WithTimeout(ctx, request)
	defer cancel()
	body, err := a.do(ctx, http.MethodGet, a.pods+"?"+url.Values{"labelSelector": {selector}}.Encode(), nil)
	if err != nil {
		return pods{}, fmt.Errorf("list the pods: %w", err)
	}
	defer func() { _ = body.Close() }() // it was read, or is not worth it
	var all pods
	if err := json.NewDecoder(io.LimitReader(body, most)).Decode(&all); err != nil {
		return pods{}, fmt.Errorf("list the pods: %w", err)
	}
	return all, nil
}

// change is what happened to a pod, or, where its type is ERROR, why it is not known.
type change struct {
	Type   string `json:"type"`
	Object status `json:"object"`
}

// await waits for a change since a version, or a while: all are listed again then, so that one that was missed is none for long.
func (a *api) await(ctx context.Context, selector, version string) error {
	ctx, cancel := context.WithTimeout(ctx, wait+slack)
	defer cancel()
	query := url.Values{
		"labelSelector": {selector}, "watch": {"true"}, "resourceVersion": {version},
		"timeoutSeconds": {strconv.Itoa(int(wait / time.Second))},
	}
	body, err := a.do(ctx, http.MethodGet, a.pods+"?"+query.Encode(), nil)
	if err != nil {
		return fmt.Errorf("watch the pods: %w", err)
	}
	defer func() { _ = body.Close() }() // it may have more to say, after the list
	var c change
	err = json.NewDecoder(io.LimitReader(body, most)).Decode(&c)
	switch {
	case errors.Is(err, io.EOF): // nothing happened
		return nil
	case err != nil:
		return fmt.Errorf("watch the pods: %w", err)
	case c.Type == "ERROR": // its version is too old, say
		return fmt.Errorf("watch the pods: %s", c.Object.Message)
	}
	return nil
}
