package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// How long certificates are valid, unless somebody says otherwise.
const (
	AuthorityDays = 3650 // of an authority, in days
	HolderDays    = 365  // of a member or client, in days
	day           = 24 * time.Hour
	// early is how long before now a certificate is valid: the clocks of its readers may be behind.
	early = time.Hour
)

// Pair is a Certificate and its private Key, both in PEM.
type Pair struct{ Certificate, Key []byte }

// NewAuthority makes an authority for one cluster: its certificate signs those of members and clients, and no other
// authority's. Whoever has its key is everybody.
func NewAuthority(cluster string, now time.Time, days int) (Pair, error) {
	if err := validateName("cluster", cluster); err != nil {
		return Pair{}, err
	}
	key, err := newKey()
	if err != nil {
		return Pair{}, err
	}
	t, err := template("quorumlog authority of "+cluster, now, days)
	if err != nil {
		return Pair{}, err
	}
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	t.PermittedURIDomains, t.PermittedDNSDomainsCritical = []string{cluster}, true // it can vouch for no other cluster
	return sign(t, t, key, key)
}

// Issue makes a certificate for somebody, which this pair signs: an authority. It ends no later than the authority's.
func (p Pair) Issue(who Identity, now time.Time, days int) (Pair, error) {
	if err := who.Validate(); err != nil {
		return Pair{}, err
	}
	parent, signer, err := p.parse()
	if err != nil {
		return Pair{}, err
	}
	if !parent.IsCA {
		return Pair{}, errors.New("the certificate that should sign is no authority's: make one with quorumlog cert ca")
	}
	if now.After(parent.NotAfter) {
		return Pair{}, fmt.Errorf("the authority expired at %s: make a new one with quorumlog cert ca", stamp(parent.NotAfter))
	}
	if domains := parent.PermittedURIDomains; len(domains) == 1 && domains[0] != who.Cluster {
		return Pair{}, fmt.Errorf("the authority is cluster %s's, and cannot sign for cluster %s: give its cluster, or another authority",
			domains[0], who.Cluster)
	}
	key, err := newKey()
	if err != nil {
		return Pair{}, err
	}
	t, err := template(who.String(), now, days)
	if err != nil {
		return Pair{}, err
	}
	if t.NotAfter.After(parent.NotAfter) {
		t.NotAfter = parent.NotAfter
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} // everybody listens, and dials
	t.BasicConstraintsValid = true
	t.URIs = []*url.URL{who.URI()}
	return sign(t, parent, key, signer)
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return key, nil
}

func template(name string, now time.Time, days int) (*x509.Certificate, error) {
	if days < 1 || days > 100*365 {
		return nil, fmt.Errorf("a certificate is valid for 1 to 36500 days, not %d", days)
	}
	return &x509.Certificate{ // crypto/x509 draws the serial number
		Subject:   pkix.Name{CommonName: shortened(name)},
		NotBefore: now.Add(-early), NotAfter: now.Add(time.Duration(days) * day),
	}, nil
}

// shortened is a name as a certificate's subject may have it, in at most 64 bytes. Nothing depends on it.
func shortened(name string) string { return name[:min(len(name), 64)] }

func sign(t, parent *x509.Certificate, key *ecdsa.PrivateKey, signer crypto.Signer) (Pair, error) {
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer)
	if err != nil {
		return Pair{}, fmt.Errorf("sign the certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("write the key: %w", err)
	}
	return Pair{
		Certificate: pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: der}),
		Key:         pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: private}),
	}, nil
}

// What the blocks of PEM are called.
const (
	certificateBlock = "CERTIFICATE"
	keyBlock         = "PRIVATE KEY"
)

// parse returns the first certificate of the pair, and its key.
func (p Pair) parse() (*x509.Certificate, crypto.Signer, error) {
	all, err := Parse(p.Certificate)
	if err != nil {
		return nil, nil, err
	}
	block, _ := pem.Decode(p.Key)
	if block == nil || block.Type != keyBlock {
		return nil, nil, errors.New("there is no private key (PKCS #8, in PEM)")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("read the private key: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("a %T cannot sign", key)
	}
	if public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(all[0].PublicKey) {
		return nil, nil, errors.New("the private key is not that of the certificate: give the two that were made together")
	}
	return all[0], signer, nil
}

// Parse returns all certificates of a text in PEM, at least one.
func Parse(text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for rest := text; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if block.Type != certificateBlock {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read a certificate: %w", err)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no certificate (in PEM)")
	}
	return all, nil
}

// stamp is a moment as people read it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
